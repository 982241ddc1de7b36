from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from backend.devstack import Stack
from tests.acceptance.house import House
from tests.model_server import ModelServer

POOLS = ("solo", "threads", "prefork")


def mostly_on(*some: str) -> pytest.MarkDecorator:
    """For what hangs little on the pool: these each time, the others in `make chaos`."""
    pools = [pytest.param(one, marks=() if one in some else pytest.mark.long) for one in POOLS]
    return pytest.mark.parametrize("house", pools, indirect=True)


@pytest.fixture(scope="session")
def houses(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, House]]:
    """A house for each pool, opened at first use; their workers stay warm from test to test."""
    opened: dict[str, House] = {}
    with ExitStack() as cleanup:

        class Opening(dict[str, House]):
            def __missing__(self, pool: str) -> House:
                self[pool] = house = House(stack, pool, tmp_path_factory.mktemp(pool))
                cleanup.callback(house.close)
                house.open()
                return house

        opened = Opening()
        yield opened
        for house in opened.values():
            house.prove()


@pytest.fixture(params=["solo", "prefork", pytest.param("threads", marks=pytest.mark.long)])
def house(request: pytest.FixtureRequest, houses: dict[str, House]) -> House:
    """A deployment with at least one live worker, on each of the pools or on those that `mostly_on` names.

    A slot of the thread pool is a solo worker's in a thread: its deployment is opened in `make chaos` only.
    """
    found = houses[request.param]
    assert found.worker.running
    return found


@pytest.fixture
def solo_house(houses: dict[str, House]) -> House:
    """For what does not depend on the pool."""
    found = houses["solo"]
    assert found.worker.running
    return found


@pytest.fixture(scope="module")
def models(models_process: ModelServer) -> ModelServer:
    """The scripted model that a module's own deployment asks."""
    return models_process


@pytest.fixture(scope="module")
def models_house(
    request: pytest.FixtureRequest, stack: Stack, models: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A deployment of the module's own; its WORKERS and SETTINGS say what it has, one worker of one slot otherwise."""
    settings = models.environment(**getattr(request.module, "SETTINGS", {}))
    house = House(stack, "solo", tmp_path_factory.mktemp("models"), more=settings)
    try:
        house.open(workers=getattr(request.module, "WORKERS", 1))
        yield house
        house.prove()
    finally:
        house.close()
