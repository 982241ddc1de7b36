"""A task that needs more memory than its worker gives finds a worker that gives more, once. The broker is a directory:
here it carries the tasks of two queues.

How often a task moves, and which agents may move it, is tests/transformers/test_lifecycle.py's.
"""

import pytest

from backend.devstack import Stack
from tests.acceptance.house import House

LITTLE = {"CELERY_WORKER_MAX_MEMORY_PER_CHILD": "300000"}
ROOMY = {"CELERY_QUEUES": "high_memory", "CELERY_WORKER_MAX_MEMORY_PER_CHILD": "700000"}
HUNGRY = {"act": "hoard", "seconds": 30, "mebibytes": 300}


def test_a_hungry_task_moves_to_more_memory_and_goes_on_at_its_agent_also_without_redis(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = House(stack, "solo", tmp_path_factory.mktemp("memory"), broker_in_files=True)
    house.environment |= LITTLE | {"NO_PROGRESS_SECONDS": "30"}  # taking so much memory takes a while
    try:
        roomy = house.begin_worker(ROOMY)
        house.open()
        house.await_worker(roomy)
        assert house.environment["REDIS_URL"] == ""
        task = house.ended(house.submit(parameters={"second": HUNGRY}))
        assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
        attempts = {step["agent_id"]: step["attempt"] for step in task["steps"]}
        assert attempts == {"first": 1, "second": 2, "third": 2}
        assert task["credits"] == {"held": 60, "captured": 60, "released": 0}
        house.prove()
    finally:
        house.close()
