from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from backend.devstack import Stack
from tests.acceptance.house import House
from tests.model_server import ModelServer

POOLS = ("solo", "threads", "prefork")
OF_MODELS = {"MODEL_CALLS_AT_ONCE": "10", "MODEL_BREAKER_FAILURES": "1000", "EMBEDDING_MODEL": "compatible:embedder"}


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


@pytest.fixture(scope="session")
def models(models_process: ModelServer) -> ModelServer:
    """The scripted model that `models_house` asks."""
    return models_process


@pytest.fixture(scope="session")
def _opened_for_models(stack: Stack, models: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(stack, "solo", tmp_path_factory.mktemp("models"), more=models.environment(**OF_MODELS))
    with house.at_work():
        yield house


@pytest.fixture
def models_house(request: pytest.FixtureRequest, _opened_for_models: House, models: ModelServer) -> House:
    """One deployment for all modules that ask a model; it has as many live workers as the module's WORKERS says, one
    otherwise, each of one slot, and a model that echoes at once.
    """
    models.forget()
    wanted = getattr(request.module, "WORKERS", 1)
    for spare in _opened_for_models.workers[wanted:]:
        spare.kill()
    while len(_opened_for_models.workers) < wanted:
        _opened_for_models.start_worker()
    return _opened_for_models
