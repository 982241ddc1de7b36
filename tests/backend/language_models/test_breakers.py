import asyncio

import pytest
from freezegun import freeze_time  # noqa: F401
from sqlalchemy import text

from backend.errors import ModelUnavailable
from backend.language_models import breakers
from backend.language_models.breakers import Breakers
from backend.language_models.door import LanguageModels
from backend.language_models.failures import Barred, CallFailed, Impatient, Passing, Refused
from backend.language_models.tries import FAIR_SECONDS, in_time
from db.database import close_database, transaction
from tests.backend.language_models.questions_of_tests import answer_of, budget, question, settings
from tests.conftest import forget_settings
from tests.model_server import ModelServer, failing

NAME = "compatible:echo"


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(breakers, "monotonic", moved)
    return moved


def a_breaker(*, shared: bool = False, failures: int = 3) -> Breakers:
    return Breakers(failures, cool_down=30.0, shared=shared)


def through(worker: Breakers, outcome: CallFailed | None = None) -> str:
    """What one call gets: "well", the class of its failure, or "left alone"."""
    asked = False

    async def call() -> str:
        nonlocal asked
        asked = True
        if outcome is not None:
            raise outcome
        return "well"

    try:
        return asyncio.run(worker.through(NAME, 5.0, call))
    except CallFailed as failure:
        return type(failure).__name__
    except ModelUnavailable:
        assert not asked
        return "left alone"


def fail(worker: Breakers, times: int) -> list[str]:
    return [through(worker, Passing("…")) for _ in range(times)]


def left_alone_for(worker: Breakers) -> float:
    with pytest.raises(ModelUnavailable) as caught:
        asyncio.run(worker.through(NAME, 5.0, never))
    assert caught.value.retry_after is not None
    return caught.value.retry_after


async def never() -> None:
    raise AssertionError


def test_nobodys_short_clock_closes_a_model_to_the_others() -> None:
    worker = a_breaker()
    assert [through(worker, Impatient("…")) for _ in range(10)] == ["Impatient"] * 10
    assert through(worker) == "well"


def test_nor_does_it_open_one_that_does_not_answer() -> None:
    worker = a_breaker()
    fail(worker, 2)
    through(worker, Impatient("…"))
    fail(worker, 1)
    assert left_alone_for(worker) > 0


@pytest.mark.parametrize(("seconds", "kind"), [(0.01, Impatient), (FAIR_SECONDS, Passing)])
def test_a_clock_is_short_where_a_model_that_is_well_may_take_longer(
    seconds: float, kind: type[Passing], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asyncio.timeout
    monkeypatch.setattr(asyncio, "timeout", lambda _seconds: real(0))

    async def hangs() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Passing) as caught:
        asyncio.run(in_time(hangs, seconds, budget(seconds=60)))
    assert type(caught.value) is kind


def test_so_many_failures_in_a_row_open_it() -> None:
    worker = a_breaker()
    assert fail(worker, 3) == ["Passing"] * 3
    assert through(worker) == "left alone"


def test_calls_that_fail_together_are_no_row() -> None:
    worker = a_breaker()

    async def together() -> None:
        async def call() -> None:
            await asyncio.sleep(0)
            raise Passing("a connection blinked")

        failed = await asyncio.gather(*(worker.through(NAME, 5.0, call) for _ in range(50)), return_exceptions=True)
        assert {type(failure) for failure in failed} == {Passing}

    asyncio.run(together())
    assert fail(worker, 2) == ["Passing"] * 2, "49 more than three in a row"
    assert through(worker) == "left alone"


def test_an_answer_between_them_begins_the_row_anew() -> None:
    worker = a_breaker()
    fail(worker, 2)
    assert through(worker) == "well"
    fail(worker, 2)
    assert through(worker) == "well"


@pytest.mark.parametrize("outcome", [Refused("400"), Barred("401"), Passing("429", paced=True)])
def test_a_provider_that_answers_is_well_whatever_it_says(outcome: CallFailed) -> None:
    worker = a_breaker()
    for _ in range(5):
        through(worker, outcome)
    assert through(worker) == "well"


def test_while_it_is_open_it_says_how_long_it_will_be(clock: Clock) -> None:
    worker = a_breaker()
    fail(worker, 3)
    clock.seconds += 12
    assert left_alone_for(worker) == pytest.approx(18)


def test_after_the_cool_down_one_call_tries_and_closes_it(clock: Clock) -> None:
    worker = a_breaker()
    fail(worker, 3)
    clock.seconds += 31
    assert [through(worker), through(worker)] == ["well", "well"]


def test_a_probe_that_fails_opens_it_again(clock: Clock) -> None:
    worker = a_breaker()
    fail(worker, 3)
    clock.seconds += 31
    assert fail(worker, 1) == ["Passing"]
    assert left_alone_for(worker) == pytest.approx(30)


def test_only_one_call_probes_at_a_time(clock: Clock) -> None:
    worker = a_breaker()
    fail(worker, 3)
    clock.seconds += 31

    async def life() -> None:
        probing, done = asyncio.Event(), asyncio.Event()

        async def probe() -> None:
            probing.set()
            await done.wait()

        first = asyncio.create_task(worker.through(NAME, 5.0, probe))
        await probing.wait()
        with pytest.raises(ModelUnavailable):
            await worker.through(NAME, 5.0, never)
        done.set()
        await first

    asyncio.run(life())
    assert through(worker) == "well"


def test_a_probe_that_was_cancelled_leaves_its_place(clock: Clock) -> None:
    worker = a_breaker()
    fail(worker, 3)
    clock.seconds += 31

    async def life() -> None:
        probe = asyncio.create_task(worker.through(NAME, 5.0, asyncio.Event().wait))
        await asyncio.sleep(0)
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe

    asyncio.run(life())
    assert through(worker) == "well"


def test_models_do_not_share_one() -> None:
    worker = a_breaker()
    fail(worker, 3)

    async def other() -> str:
        return "well"

    assert asyncio.run(worker.through("openai:other", 5.0, other)) == "well"


@pytest.mark.usefixtures("database")
class TestWorkers:
    """Each Breakers is a worker's; they share the rows."""

    def test_what_one_opens_the_others_leave_alone(self) -> None:
        one, other = a_breaker(shared=True), a_breaker(shared=True)
        fail(one, 3)
        assert 29 < left_alone_for(other) <= 30

    def test_who_looked_a_moment_ago_looks_again_after_a_second(self, clock: Clock) -> None:
        one, other = a_breaker(shared=True), a_breaker(shared=True)
        assert through(other) == "well"
        fail(one, 3)
        assert through(other) == "well", "for a second it goes by what it knows"
        clock.seconds += 1
        assert through(other) == "left alone"

    def test_what_one_closes_is_closed_for_all(self, clock: Clock) -> None:
        one, other = self.two_that_have_cooled_down(clock)
        assert through(one) == "well"
        clock.seconds += 1
        assert through(other) == "well"
        assert fail(other, 2) == ["Passing"] * 2, "its row of failures begins anew"

    def test_only_one_of_all_workers_probes(self, clock: Clock) -> None:
        one, other = self.two_that_have_cooled_down(clock)

        async def life() -> None:
            probing, done = asyncio.Event(), asyncio.Event()

            async def probe() -> None:
                probing.set()
                await done.wait()

            first = asyncio.create_task(one.through(NAME, 5.0, probe))
            await probing.wait()
            with pytest.raises(ModelUnavailable):
                await other.through(NAME, 5.0, never)
            done.set()
            await first

        asyncio.run(life())

    def two_that_have_cooled_down(self, clock: Clock) -> tuple[Breakers, Breakers]:
        """They know that it is open; their time is over, and the row's, whose clock is the database's."""
        one, other = a_breaker(shared=True), a_breaker(shared=True)
        fail(one, 3)
        assert through(other) == "left alone"
        with transaction() as session:
            session.execute(text("UPDATE model_breakers SET open_until = clock_timestamp()"))
        clock.seconds += 31
        return one, other


def test_without_the_database_it_works_for_its_own_process(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    forget_settings()
    close_database()
    worker = a_breaker(shared=True)
    fail(worker, 3)
    assert through(worker) == "left alone"
    clock.seconds += 31
    assert through(worker) == "well"
    close_database()
    forget_settings()


def test_while_it_is_open_the_fallback_answers_at_once(model_server: ModelServer) -> None:
    model_server.script("first", failing(500, times=None))
    models = ("compatible:first", "compatible:second")
    asked = question("hello", "compatible:first", fallback_models=("compatible:second",))
    door = LanguageModels(settings(models=models, model_breaker_failures=2), shared=False)
    for _ in range(3):
        assert asyncio.run(door.ask(asked, budget())).model == "compatible:second"
    assert model_server.models["first"] == 2


def test_without_one_the_question_is_to_come_back(model_server: ModelServer) -> None:
    model_server.script("hello", failing(500, times=None))
    with pytest.raises(ModelUnavailable) as caught:
        answer_of(question("hello"), model_breaker_failures=2)
    assert caught.value.retry_after is not None
    assert 29 < caught.value.retry_after <= 30
    assert model_server.calls == 2
