"""`agensium verify chaos --url` against a deployment that it knows nothing of. That the proof fails where it has to is
shown in `make chaos`, and for each of its parts in tests/backend/chaos/.
"""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backend.chaos.by_url import Target, run_by_url
from tests.acceptance.house import TABLE, House


@pytest.fixture
def target(solo_house: House, tmp_path: Path) -> Target:
    file = tmp_path / "people.csv"
    file.write_bytes(TABLE)
    key = solo_house.post("/auth/api-keys", {"name": "chaos"})["key"]
    solo_house.ended(solo_house.submit())  # an account that was used before
    disturb = f"{sys.executable} -c pass"
    return Target(solo_house.api_url, key, "probe", file, tasks=12, disturb=disturb, every=0.5, seconds=60)


def test_a_customers_invariants_are_proven_over_http_alone(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_by_url(target) == 0
    said = capsys.readouterr().out
    found = re.search(
        r"^chaos: 13 tasks, (1[23]) completed, (\d+) kills, 0 lost, 0 double charges, ", said, re.MULTILINE
    )
    assert found, said
    assert int(found[2]) > 0, "the operator's command ran"
    assert said.endswith("0 duplicate outputs, rescue p50 - s p99 - s\n")


@pytest.mark.long
def test_a_deployment_that_answers_wrongly_fails_the_proof(
    target: Target, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.chaos.by_url.content_digest", lambda _report: "another")
    assert run_by_url(replace(target, tasks=2)) == 1
    assert "the content is another than that of an undisturbed run" in capsys.readouterr().out


@pytest.mark.long
def test_a_command_that_never_goes_well_fails_the_proof(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    fails = f"{sys.executable} -c 'import sys; sys.exit(\"no such pod\")'"
    assert run_by_url(replace(target, tasks=2, disturb=fails)) == 1
    assert "the command never went well; exit code 1: no such pod" in capsys.readouterr().out


@pytest.mark.long
def test_a_look_that_fails_fails_the_proof(
    target: Target, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.chaos.by_url.TaskStatus", lambda status: {}[status])
    assert run_by_url(replace(target, tasks=2)) == 1
    assert "a look failed: KeyError" in capsys.readouterr().out
