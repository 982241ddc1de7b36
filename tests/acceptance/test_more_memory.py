"""A task that needs more memory than its worker gives finds a worker that gives more, once."""

import pytest

from backend.devstack import Stack
from tests.acceptance.house import House

ROOMY = {"CELERY_QUEUES": "high_memory", "CELERY_WORKER_MAX_MEMORY_PER_CHILD": "900000"}
HUNGRY = {"act": "hoard", "seconds": 30, "mebibytes": 500}


def test_a_hungry_task_moves_to_more_memory_and_goes_on_at_its_agent(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = House(stack, "solo", tmp_path_factory.mktemp("memory"))
    house.environment["NO_PROGRESS_SECONDS"] = "30"  # taking a gigabyte takes a while
    try:
        house.open()
        alone = house.ended(house.submit(parameters={"second": HUNGRY}))
        assert (alone["status"], alone["error"]["error_code"]) == ("FAILED", "MEMORY_LIMIT")
        house.start_worker(ROOMY)
        for hungry in ("second", "third"):
            task = house.ended(house.submit(parameters={hungry: HUNGRY}))
            assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
            attempts = {step["agent_id"]: step["attempt"] for step in task["steps"]}
            assert (attempts["first"], attempts[hungry]) == (1, 2)
            assert task["credits"] == {"held": 60, "captured": 60, "released": 0}
        too_much = house.ended(house.submit(parameters={"second": {**HUNGRY, "mebibytes": 1000}}))
        assert (too_much["status"], too_much["error"]["error_code"]) == ("FAILED", "MEMORY_LIMIT")
        house.prove()
    finally:
        house.close()
