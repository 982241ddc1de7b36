"""A worker whose connection to the broker went silent, though the broker is up: nobody waits for a person."""

import pytest

from backend.devstack import Stack
from tests.acceptance.house import House
from tests.acceptance.silent_wire import silent_wire


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
            assert house.ended(house.submit())["status"] == "COMPLETED"
            assert "the consumer is deaf; it is restarted" in house.log()
        finally:
            house.close()
