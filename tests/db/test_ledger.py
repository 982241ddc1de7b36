import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from side_by_side import together
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend.errors import ClaimLost, InsufficientCredits, InternalError, InvalidTaskState, TaskNotCancellable
from db import checkpoints, endings, ledger, task_store
from db.checkpoints import Checkpoint
from db.claims import Claim
from db.database import Session, transaction
from db.endings import Ending, HandBackTerms
from db.events import EventKind
from db.models import CLOCK, TERMINAL, EntryKind, Task, TaskStatus
from db.task_store import Submission
from tests import builders
from tests.builders import delivered_step, failed_step


def balance(user_id: int) -> int:
    with transaction() as session:
        return ledger.balance(session, user_id)


def hold(task: Task, prices: dict[str, int]) -> None:
    with transaction() as session:
        task_store.submit(session, task, Submission(list(prices), prices, {}, 1.0))


def settle(task_id: uuid.UUID) -> int:
    with transaction() as session:
        return ledger.settle(session, task_id)


def movements(task_id: uuid.UUID) -> list[tuple[str, str, int]]:
    with transaction() as session:
        return [(entry.kind, entry.agent_id, entry.amount) for entry in ledger.of_task(session, task_id)]


def test_a_new_wallet_is_empty_and_a_second_opening_changes_nothing() -> None:
    user = builders.customer(credits=0)
    assert balance(user) == 0
    with transaction() as session:
        ledger.grant(session, user, 7, "Welcome")
        ledger.open_wallet(session, user)
    assert balance(user) == 7


def test_a_grant_adds_to_the_balance_and_leaves_an_entry() -> None:
    user = builders.customer(credits=5)
    with transaction() as session:
        assert ledger.grant(session, user, 10, "A present") == 15
        entry = ledger.entries(session, user)[0]
    assert (entry.kind, entry.amount, entry.agent_id, entry.task_id, entry.note) == ("GRANT", 10, "", None, "A present")


def test_a_hold_sets_each_price_aside() -> None:
    task = builders.created_task(builders.customer(credits=100))
    hold(task, {"a": 30, "b": 20})
    assert balance(task.user_id) == 50
    assert movements(task.id) == [("HOLD", "a", 30), ("HOLD", "b", 20)]


@pytest.mark.parametrize("prices", [{"a": 0}, {}])
def test_what_costs_nothing_has_no_entry(prices: dict[str, int]) -> None:
    task = builders.created_task(builders.customer(credits=0))
    hold(task, prices)
    assert movements(task.id) == []


def test_the_last_credit_can_be_spent_and_no_more() -> None:
    user = builders.customer(credits=50)
    hold(builders.created_task(user), {"a": 50})
    with pytest.raises(InsufficientCredits) as refusal:
        hold(builders.created_task(user), {"b": 1})
    assert refusal.value.context == {"available": 0, "required": 1, "shortfall": 1}


def test_who_has_too_little_learns_how_much_is_missing_and_loses_nothing() -> None:
    task = builders.created_task(builders.customer(credits=40))
    with pytest.raises(InsufficientCredits) as refusal:
        hold(task, {"a": 30, "b": 20})
    assert refusal.value.context == {"available": 40, "required": 50, "shortfall": 10}
    assert balance(task.user_id) == 40
    assert movements(task.id) == []


def test_a_task_is_held_once_per_agent() -> None:
    task = builders.submitted_task(prices={"a": 30})
    builders.change(task.id, status=TaskStatus.CREATED)
    with pytest.raises(IntegrityError):
        hold(builders.read(task.id), {"a": 30})
    assert balance(task.user_id) == 1000 - 30


def test_holds_at_once_never_overspend() -> None:
    user = builders.customer(credits=100)
    tasks = [builders.created_task(user) for _ in range(6)]
    answers = together(*[lambda task=task: hold(task, {"a": 30}) for task in tasks])
    assert answers.count(None) == 3
    assert [type(answer) for answer in answers].count(InsufficientCredits) == 3
    assert balance(user) == 10


def test_a_release_gives_back_what_was_held_and_not_captured() -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "score-risk")
    assert settle(claim.task_id) == 40
    assert balance(claim.user_id) == 1000 - 20


def test_a_release_that_is_asked_twice_gives_nothing_more() -> None:
    task = builders.submitted_task()
    assert (settle(task.id), settle(task.id)) == (60, 0)
    assert balance(task.user_id) == 1000


def test_a_usage_that_was_less_than_its_price_is_captured_and_the_rest_released() -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "unified-profiler", amount=7)
    settle(claim.task_id)
    assert ("CAPTURE", "unified-profiler", 7) in movements(claim.task_id)
    assert ("RELEASE", "unified-profiler", 23) in movements(claim.task_id)
    assert balance(claim.user_id) == 1000 - 7


def test_a_task_that_held_nothing_releases_nothing() -> None:
    assert settle(builders.created_task().id) == 0
    assert settle(uuid.uuid4()) == 0


def test_releases_at_once_of_two_tasks_of_one_customer_both_arrive() -> None:
    user = builders.customer()
    tasks = [builders.submitted_task(user) for _ in range(6)]
    assert together(*[lambda task=task: settle(task.id) for task in tasks]) == [60] * 6
    assert balance(user) == 1000


def test_a_customer_sees_their_own_movements_newest_first_and_page_by_page() -> None:
    user, _other = builders.customer(credits=5), builders.customer(credits=5)
    builders.submitted_task(user, prices={"a": 1, "b": 2})
    with transaction() as session:
        newest, *_older = entries = ledger.entries(session, user)
        assert [(entry.kind, entry.amount) for entry in entries] == [("HOLD", 2), ("HOLD", 1), ("GRANT", 5)]
        assert [entry.id for entry in ledger.entries(session, user, limit=1)] == [newest.id]
        older = ledger.entries(session, user, before=newest.id)
        assert [entry.amount for entry in older] == [1, 5]


# ── nothing appears and nothing is lost ──────────────────────────────────────────────────────────────────────────

Act = Literal["submit", "deliver", "fail a step", "complete", "fail", "hand back", "lose", "cancel", "release"]
ACTS: tuple[Act, ...] = get_args(Act)
AGENTS = ("a", "b", "c")
REFUSALS = (InvalidTaskState, InsufficientCredits, TaskNotCancellable, ClaimLost)
PRICES = st.dictionaries(st.sampled_from(AGENTS), st.integers(0, 40), min_size=1)


@dataclass(frozen=True)
class Turn:
    """What happens next to which task. A stale turn is a zombie's: it works with the task's first claim."""

    which: int
    act: Act
    agent: str
    part: int  # per cent of its price that an agent used
    stale: bool


TURNS = st.builds(
    Turn, st.integers(0, 1), st.sampled_from(ACTS), st.sampled_from(AGENTS), st.integers(0, 100), st.booleans()
)


class Books:
    """Two tasks of one customer, and whatever turns make of them. A turn that is refused changes nothing."""

    def __init__(self, prices: Sequence[dict[str, int]]) -> None:
        self.user = builders.customer(credits=100)
        self.prices = prices
        self.tasks = [builders.created_task(self.user).id for _ in prices]
        self.claims: list[list[Claim]] = [[] for _ in prices]

    def take(self, turn: Turn) -> None:
        with suppress(*REFUSALS):
            if turn.act in {"submit", "cancel", "release"}:
                self._customer(turn)
            else:
                self._worker(turn, self._claim(turn))

    def _customer(self, turn: Turn) -> None:
        task, prices = builders.read(self.tasks[turn.which]), self.prices[turn.which]
        with transaction() as session:
            if turn.act == "submit":
                task_store.submit(session, task, Submission(list(prices), prices, {}, 1.0))
            elif turn.act == "cancel":
                task_store.cancel(session, task.id, self.user)
            elif task.status in TERMINAL:
                ledger.settle(session, task.id)

    def _claim(self, turn: Turn) -> Claim:
        task, claims = builders.read(self.tasks[turn.which]), self.claims[turn.which]
        if task.status == TaskStatus.QUEUED:
            claims.append(builders.claim(builders.change(task.id, admitted_at=CLOCK, not_before=None)))
        if not claims:
            raise ClaimLost
        return claims[0 if turn.stale else -1]

    def _worker(self, turn: Turn, claim: Claim) -> None:
        price = claim.prices.get(turn.agent, 0)
        with transaction() as session:
            if turn.act == "deliver":
                self._record(session, claim, delivered_step(turn.agent), price * turn.part // 100)
            elif turn.act == "fail a step":
                self._record(session, claim, failed_step(turn.agent), price)
            elif turn.act == "complete":
                endings.settle(session, claim, Ending(outcome="success"))
            elif turn.act == "fail":
                endings.settle(session, claim, Ending(verdict=InternalError().verdict))
            elif turn.act == "hand back":
                endings.hand_back(session, claim, HandBackTerms(EventKind.RETRYING, delay_seconds=9.0))
        if turn.act == "lose":
            builders.change(claim.task_id, lease_until=CLOCK)
            with transaction() as session:
                endings.lost(session)

    def _record(self, session: Session, claim: Claim, step: Checkpoint, amount: int) -> None:
        checkpoints.record(session, claim, step, amount=amount, progress=50, next_agent=None)

    def must_balance(self) -> None:
        """Balance = grants − holds + releases; no agent is captured above its hold; an ended task leaves no hold."""
        totals = dict.fromkeys(EntryKind, 0)
        with transaction() as session:
            for entry in ledger.entries(session, self.user):
                totals[EntryKind(entry.kind)] += entry.amount
            left = ledger.balance(session, self.user)
        assert left == totals[EntryKind.GRANT] - totals[EntryKind.HOLD] + totals[EntryKind.RELEASE] >= 0
        for task_id in self.tasks:
            self._must_be_even(builders.read(task_id))

    def _must_be_even(self, task: Task) -> None:
        amounts = {(kind, agent): amount for kind, agent, amount in movements(task.id)}
        for agent in AGENTS:
            held, captured, released = (amounts.get((kind, agent), 0) for kind in ("HOLD", "CAPTURE", "RELEASE"))
            assert captured + released <= held
            assert task.status not in TERMINAL or captured + released == held


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # shrinking a failure takes minutes; its turns are few enough to read
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(prices=st.tuples(PRICES, PRICES), turns=st.lists(TURNS, min_size=6, max_size=14))
def test_whatever_happens_to_its_tasks_a_wallet_is_its_grants_less_what_is_held_or_captured(
    prices: tuple[dict[str, int], dict[str, int]], turns: list[Turn]
) -> None:
    books = Books(prices)
    for which in (0, 1):
        books.take(Turn(which, "submit", "a", 0, stale=False))
    for turn in turns:
        books.take(turn)
    books.must_balance()  # entries are never changed, so what was wrong on the way is wrong still


def test_a_new_balance_finds_room_beside_the_old_one() -> None:
    """A HOT update: it writes no index. With full pages nearly none is, for wallets lie close together."""
    seen = text("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'credit_wallets'")
    with transaction() as session:
        session.execute(
            text("INSERT INTO users (email, password_hash) SELECT 'u' || n, '' FROM generate_series(1, 400) n")
        )
        session.execute(text("INSERT INTO credit_wallets (user_id) SELECT id FROM users"))
        updated_before, hot_before = session.execute(seen).one()  # what the connection has not yet told of earlier
        session.execute(text("UPDATE credit_wallets SET balance = 1 WHERE user_id % 4 = 0"))
        updated, hot = session.execute(seen).one()
    assert updated - updated_before == hot - hot_before == 100
