import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hall_client import Customer, Hall
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api import metrics
from api.standing import HouseStanding
from backend.metrics.tally import TALLY
from backend.settings import get_settings
from db.database import close_database, transaction
from db.models import CLOCK
from tests import builders
from tests.metrics import value
from tests.round_trips import on_linux, round_trips


@pytest.fixture(autouse=True)
def _read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_HOUSE", HouseStanding())


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    close_database()
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    get_settings.cache_clear()
    yield
    close_database()
    monkeypatch.undo()
    get_settings.cache_clear()


def told(hall: Hall) -> dict[str, float]:
    answer = hall.send("GET", "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    series = (line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(said) for name, said in series}


def test_requests_are_counted_by_route_and_tasks_by_state(customer: Customer) -> None:
    customer.create()
    customer.queued()
    found = told(customer.hall)
    assert found['agensium_tasks{state="created"}'] == 1
    assert found['agensium_tasks{state="queued"}'] == 1
    assert found['agensium_tasks{state="processing"}'] == 0
    process = 'method="POST",route="/tasks/{task_id}/process"'
    assert found[f'agensium_http_requests_total{{{process},status="202"}}'] >= 1
    assert found[f"agensium_http_request_seconds_count{{{process}}}"] >= 1


def test_addresses_that_are_not_there_make_no_new_series(hall: Hall) -> None:
    hall.send("GET", f"/{uuid.uuid4()}")
    assert any('route="(none)",status="404"' in name for name in told(hall))


def test_words_that_are_no_method_make_one_series(hall: Hall) -> None:
    hall.send("X-FIRST", "/")
    hall.send("X-SECOND", "/")
    found = told(hall)
    assert not any("X-" in name for name in found)
    assert sum(count for name, count in found.items() if "requests_total" in name and '"_OTHER"' in name) >= 2


def test_what_waits_is_told_by_queue_with_what_it_will_take(hall: Hall) -> None:
    for cost in (2.5, 4.0):
        builders.change(builders.submitted_task().id, cost=cost, sort_at=CLOCK - timedelta(seconds=60))
    found = told(hall)
    assert found['agensium_waiting_tasks{queue="default"}'] == 2
    assert found['agensium_waiting_cost_seconds{queue="default"}'] == 6.5
    assert 60 <= found['agensium_oldest_waiting_seconds{queue="default"}'] < 70
    assert found['agensium_waiting_tasks{queue="high_memory"}'] == 0


def test_workers_are_told_by_their_last_sign_of_life_and_slots_by_queue(hall: Hall) -> None:
    live, silent = builders.live_worker(slots=3), builders.live_worker(slots=8)
    with transaction() as session:
        session.execute(
            text("UPDATE workers SET seen_at = seen_at - interval '1 min' WHERE boot_uuid = :id"),
            {"id": silent.boot_uuid},
        )
    builders.claim(builders.admitted_task(), worker=live.boot_uuid)
    builders.change(builders.admitted_task().id, admitted_at=CLOCK - timedelta(seconds=30))
    found = told(hall)
    assert found['agensium_workers{state="live"}'] == 1
    assert found['agensium_workers{state="silent"}'] == 1
    assert found['agensium_slots{queue="default"}'] == 3
    assert found['agensium_slots_busy{queue="default"}'] == 2
    assert found['agensium_tasks{state="processing"}'] == 1
    assert found['agensium_slots_idle{queue="default"}'] == 2
    assert 30 <= found['agensium_oldest_rung_seconds{queue="default"}'] < 40
    assert found['agensium_oldest_rung_seconds{queue="high_memory"}'] == 0


@pytest.mark.usefixtures("no_database")
def test_without_a_database_it_still_tells_what_it_knows_itself(lobby: Hall) -> None:
    found = told(lobby)
    assert found["agensium_database_up"] == 0
    assert found['agensium_database_errors_total{reason="unreachable"}'] >= 1
    assert not [name for name in found if name.startswith(("agensium_tasks{", "agensium_waiting", "agensium_workers"))]
    assert found["process_resident_memory_bytes"] > 0


@on_linux
def test_many_who_ask_cost_the_database_one_look_a_second(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.standing.KEPT_SECONDS", 60.0)  # these six take more than one on a busy machine
    told(hall)
    with round_trips() as said:
        for _ in range(5):
            assert told(hall)["agensium_database_up"] == 1
    assert not said


def test_what_was_long_to_count_is_not_counted_again_soon(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1000.0]
    monkeypatch.setattr("api.standing.monotonic", lambda: moment[0])
    house = HouseStanding()
    took = [0.2]

    def slowly(_session: object) -> object:
        moment[0] += took[0]
        return counted

    from db import gauges

    with transaction() as session:
        counted = gauges.mounting(session)
    monkeypatch.setattr("api.standing.gauges.mounting", slowly)
    house.levels()
    before = moment[0]
    moment[0] += 9.9
    house.levels()
    assert moment[0] == before + 9.9  # read again, but what waits was not counted
    moment[0] += 1.1
    house.levels()
    assert moment[0] == pytest.approx(before + 11.0 + took[0])


def test_a_submit_and_its_cancel_are_counted_with_their_credits(customer: Customer) -> None:
    TALLY.take()
    task_id = customer.queued()
    customer.post(f"/tasks/{task_id}/cancel")
    counted = TALLY.read()
    assert value(counted, "agensium_task_moves_total", {1: "queued"}) == 1
    assert value(counted, "agensium_tasks_ended_total", {1: "cancelled", 2: "CANCELLED"}) == 1
    held = value(counted, "agensium_credits_total", {0: "hold"})
    assert held > 0
    assert value(counted, "agensium_credits_total", {0: "release"}) == held


def test_a_count_that_takes_too_long_leaves_the_last_one_and_does_not_say_that_the_database_is_away(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = HouseStanding()
    before = {level.gauge.name for level in house.levels()}

    def too_long(_session: object) -> object:
        raise SQLAlchemyError

    monkeypatch.setattr("api.standing.gauges.mounting", too_long)
    house._read_at = house._count_again_at = float("-inf")
    levels = {level.gauge.name: level.value for level in house.levels()}
    assert levels["agensium_database_up"] == 1
    assert set(levels) == before
