"""The chaos list in its short form, and a small campaign of kills. Nothing is lost, charged or published twice.

`make test` rehearses three of them on a small stage; `make chaos` all, here and in their long form.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from backend.chaos.campaign import SMALL, run_campaign
from backend.chaos.customers import Order
from backend.chaos.fault import Fault
from backend.chaos.faults import FAULTS
from backend.chaos.report import last_line
from backend.chaos.stage import SHORT, Stage
from tests.acceptance.chaos_stage import SMALLEST, short_stage, survive

# Of each family the one that nothing else of `make test` does to a whole deployment: a broker that dies under a task is
# test_broker_connection.py's, and an API that dies under a stubborn customer is in `make chaos`.
EVERY_TIME = {"worker killed", "PostgreSQL killed", "S3 hangs"}


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with short_stage(SHORT if request.config.getoption("markexpr") == "long" else SMALLEST) as opened:
        yield opened


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, marks=() if fault.name in EVERY_TIME else pytest.mark.long, id=fault.name)
        for fault in FAULTS
    ],
)
def test_every_invariant_holds_after(fault: Fault, stage: Stage) -> None:
    survive(stage, fault)


def test_the_faults_that_are_rehearsed_every_time_are_on_the_list() -> None:
    assert {fault.name for fault in FAULTS} >= EVERY_TIME
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize(
    ("breaks", "mends", "told"),
    [
        ("SELECT 1", "SELECT 1", "0 lost, 0 double charges, 0 duplicate outputs"),
        (
            "UPDATE credit_entries SET amount = 2 * amount WHERE task_id = :id AND kind = 'CAPTURE'",
            "UPDATE credit_entries SET amount = amount / 2 WHERE task_id = :id AND kind = 'CAPTURE'",
            "0 lost, 1 double charges, 0 duplicate outputs",
        ),
        (
            "INSERT INTO task_events (task_id, seq, kind, data) VALUES (:id, 999, 'completed', '{}')",
            "DELETE FROM task_events WHERE task_id = :id AND seq = 999",
            "0 lost, 0 double charges, 1 duplicate outputs",
        ),
    ],
    ids=["honest", "charged twice", "completed twice"],
)
def test_the_last_line_tells_what_was_broken_by_hand(stage: Stage, breaks: str, mends: str, told: str) -> None:
    stage.rest()
    (order,) = stage.order(1, seconds=0)
    stage.ended()
    in_row(stage, breaks, order)
    tally = stage.judge([stage.customer])
    in_row(stage, mends, order)
    assert told in last_line(tally, 0, []), tally.breaches


def in_row(stage: Stage, statement: str, order: Order) -> None:
    with stage.transactions() as session:
        session.execute(text(statement), {"id": order.task_id})


@pytest.mark.long
def test_a_small_campaign_of_kills_loses_charges_and_publishes_nothing_twice(stage: Stage) -> None:
    campaign = run_campaign(stage, SMALL)
    assert campaign.tally.breaches == []
    kills = len(campaign.strikes)
    assert kills == SMALL.spare_kills + SMALL.busy_kills
    assert campaign.broker_restarts == 1
    line = last_line(campaign.tally, kills, campaign.rescued(spare=True))
    tasks = campaign.tally.tasks
    assert tasks >= SMALL.tasks + SMALL.profiles
    assert line.startswith(
        f"chaos: {tasks} tasks, {tasks} completed, {kills} kills, 0 lost, 0 double charges, 0 duplicate outputs, rescue"
    )
