"""Real processes: what was cancelled in the middle is retried, goes on at its agent, and is paid for once."""

from pathlib import Path

from tests.acceptance.house import House


def test_a_retried_task_goes_on_at_the_agent_it_had_reached(solo_house: House, tmp_path: Path) -> None:
    house = solo_house
    crashing = {"act": "crash_once", "marker": str(tmp_path / "marker")}
    old_id = house.submit(parameters={"second": {"act": "wait", "seconds": 4}, "third": crashing})
    house.at_agent(old_id, "second")
    house.post(f"/tasks/{old_id}/cancel", {})
    made = house.post(f"/tasks/{old_id}/retry", {})
    assert (made["status"], made["retry_of"], made["progress"]) == ("QUEUED", old_id, 33.0)
    twice = house.request("POST", f"/tasks/{old_id}/retry", {})
    assert (twice.status_code, twice.json()["context"]) == (409, {"retry_id": made["task_id"]})
    task = house.ended(made["task_id"])
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    steps = {step["agent_id"]: (step["state"], step["attempt"], step["price"]) for step in task["steps"]}
    assert steps == {"first": ("delivered", 0, 0), "second": ("delivered", 1, 20), "third": ("delivered", 2, 30)}
    report = house.get(f"/tasks/{task['task_id']}/report")
    assert "first" in report["report"]["agent_results"], "what the old task delivered is in the new one's report"
    assert house.entries(old_id) == {
        ("HOLD", "first"): 10, ("HOLD", "second"): 20, ("HOLD", "third"): 30,
        ("CAPTURE", "first"): 10, ("RELEASE", "second"): 20, ("RELEASE", "third"): 30,
    }  # fmt: skip
    assert house.entries(task["task_id"]) == {
        ("HOLD", "second"): 20, ("HOLD", "third"): 30, ("CAPTURE", "second"): 20, ("CAPTURE", "third"): 30,
    }  # fmt: skip
    assert house.task(old_id)["status"] == "CANCELLED", "terminal is terminal"
