import subprocess
from pathlib import Path

import pytest

from bench.families import MEASURES, QUEUES
from bench.peers import environments
from bench.peers.about import OTHERS
from bench.peers.environments import PeerMissing


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """An index that has nothing; what was asked of it."""
    asked: list[list[str]] = []

    def refuse(command: list[str], **_: object) -> None:
        asked.append(command)
        raise subprocess.CalledProcessError(1, command, stderr="a word before\n  × no such version\n")

    monkeypatch.setattr(environments, "FOLDER", tmp_path / "environments")
    monkeypatch.setattr(subprocess, "run", refuse)
    return asked


def test_who_cannot_be_installed_is_missing_with_the_reason_and_nobody_waits_for_it_twice(
    refused: list[list[str]],
) -> None:
    environments.make(["arq"])
    for _ in range(2):
        with pytest.raises(PeerMissing, match="no such version"):
            environments.interpreter("arq")
    assert len(refused) == 1


def test_the_next_run_tries_again(refused: list[list[str]]) -> None:
    environments.make(["arq"])
    environments.make(["arq"])
    assert len(refused) == 2


def test_all_eight_are_pinned_described_and_wanted_by_somebody() -> None:
    wanted = {peer for measure in MEASURES for peer in measure.peers}
    assert {one.environment for one in OTHERS} == set(QUEUES) <= wanted
    assert all(environments.version(peer) for peer in wanted)
