"""The worker's connection to its broker: lost under a running task, or silent though the broker is up."""

import pytest

from backend.devstack import Stack
from tests.acceptance.conftest import mostly_on
from tests.acceptance.house import House
from tests.acceptance.silent_wire import silent_wire
from tests.waiting import eventually


@pytest.mark.long
@pytest.mark.timeout(200)
def test_a_worker_that_went_deaf_hears_again_by_itself(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert stack.redis is not None
    house = House(stack, "prefork", tmp_path_factory.mktemp("deaf"))
    with silent_wire(stack.redis.port) as wire:
        deaf = stack.redis_url.replace(f":{stack.redis.port}/", f":{wire.port}/")
        house.environment["REDIS_URL"] = deaf
        try:
            house.open()
            assert house.ended(house.submit())["status"] == "COMPLETED"
            wire.silence()
            waiting = house.submit()
            eventually(lambda: house.task(waiting)["status"] == "COMPLETED", seconds=100)
            assert "the consumer is deaf; it is restarted" in house.log()
        finally:
            house.close()


@mostly_on("prefork")
def test_a_worker_outlives_a_broker_that_goes_away_under_a_running_task(house: House) -> None:
    redis = house.stack.redis
    assert redis is not None
    task_id = house.submit(parameters={"third": {"act": "wait", "seconds": 1.5}})
    house.at_agent(task_id, "third")
    worker = house.worker
    redis.kill()
    try:
        assert house.ended(task_id)["status"] == "COMPLETED"
        waiting = house.submit()
    finally:
        redis.start()
        redis.ready()
    assert house.ended(waiting)["status"] == "COMPLETED"
    assert worker.running
