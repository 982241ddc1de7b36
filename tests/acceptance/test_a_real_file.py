"""The main thing, over HTTP, on every pool: a customer's file is profiled, reported and billed."""

import hashlib
import time
from pathlib import Path

import httpx
import pytest

from backend.demo import run_demo
from tests.acceptance.conftest import mostly_on
from tests.acceptance.house import PATIENCE, House, rebind

EXAMPLE = Path(__file__).parents[2] / "examples" / "data"
PRICES = {
    "unified-profiler": 30,
    "score-risk": 35,
    "test-coverage-agent": 30,
    "readiness-rater": 25,
    "governance-checker": 45,  # without a baseline there is no drift to detect
}


def profile(house: House) -> dict[str, object]:
    file = next(path for path in sorted(EXAMPLE.iterdir()) if path.suffix == ".csv")
    return house.ended(house.submit("profile-my-data", body=file.read_bytes(), name=file.name))


@mostly_on("solo")
def test_a_real_file_is_profiled_and_billed(house: House) -> None:
    task = profile(house)
    assert (task["status"], task["outcome"], task["progress"]) == ("COMPLETED", "success", 100)
    entries = house.entries(str(task["task_id"]))
    assert {agent: amount for (kind, agent), amount in entries.items() if kind == "CAPTURE"} == PRICES
    assert not [key for key in entries if key[0] == "RELEASE"]
    report = house.get(f"/tasks/{task['task_id']}/report")
    assert set(report["report"]["agent_results"]) == set(PRICES)
    assert report["status"] == "success"


def test_the_demo_at_an_address_ends_well_and_its_bill_is_right(
    solo_house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", solo_house.database_url)  # the operator's part
    rebind()
    ended = run_demo(solo_house.api_url)
    monkeypatch.undo()
    rebind()
    said = capsys.readouterr().out
    assert ended == 0, said
    assert "A customer with 10500 credits uploads hospitals.csv" in said
    assert f"Available now: {10_500 - sum(PRICES.values())} credits." in said


def test_what_is_downloaded_is_what_the_manifest_promised(solo_house: House) -> None:
    task = profile(solo_house)
    outputs = solo_house.get(f"/tasks/{task['task_id']}/outputs")["outputs"]
    assert {"report.json", "report.xlsx", "report.html"} <= {output["name"] for output in outputs}
    for output in outputs:
        body = httpx.get(output["url"]).raise_for_status().content
        assert (len(body), hashlib.sha256(body).hexdigest()) == (output["size"], output["sha256"]), output["name"]


def test_an_unreadable_file_costs_nothing_and_the_worker_lives(solo_house: House) -> None:
    before = solo_house.get("/credits")["balance"]
    task = solo_house.ended(solo_house.submit(body=b"name,age\n", name="header-only.csv"))
    assert (task["status"], task["error"]["error_code"]) == ("FAILED", "UNREADABLE_FILE")
    assert solo_house.get("/credits")["balance"] == before
    assert solo_house.ended(solo_house.submit())["status"] == "COMPLETED"


def test_flower_shows_the_same_task(solo_house: House) -> None:
    ours: set[str] = set()
    with solo_house.flower() as address:
        deadline = time.monotonic() + PATIENCE
        while not (seen := httpx.get(f"{address}/api/tasks").json()):
            assert time.monotonic() < deadline, "Flower saw no task"
            ours.add(solo_house.ended(solo_house.submit())["celery_task_id"])  # it shows what it heard itself
    assert set(seen) <= ours
    assert {task["name"] for task in seen.values()} == {"celery_queue.tasks.process_analysis"}
