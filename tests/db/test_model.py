"""A machine that does anything to a handful of tasks, in any order and with several workers.

After each step it holds the tables to the model (model.py): the same states, epochs, counts, steps, events and
movements; only legal moves; and now and then that no proof of `agensium verify` breaks.

Rules draw plain numbers and look up what they mean (a task, a claim, alive or long lost), because a race may end either
way: what Hypothesis draws must not depend on it. Zombies keep their claims for ever.

`make test` runs a short form that is the same each time, but for the ids of rows and who wins a race; `make chaos` ten
times as much of it. The long form draws anew for a quarter of an hour, and shrinks what it finds:

    HYPOTHESIS_PROFILE=long python -m pytest tests/db/test_model.py
"""

import os
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import acts
import pytest
from acts import Act
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from model import TaskId, TaskModel, WorkerModel, World
from rows import picture, rows
from side_by_side import sql

from backend.errors import AgentCrashed, InternalError, MemoryLimit, StorageUnavailable
from db import database, ledger, rings, task_store, verification, workers
from db.claims import Claim
from db.database import transaction
from db.endings import MOST_LOSSES_AT_ONE_STEP, Ending, HandBackTerms
from db.events import EventKind
from db.evidence import LEADS_TO, STATIONS
from db.models import CLOCK, MOVES, TERMINAL, Queue, TaskStatus
from tests import builders

AGENTS = ("a", "b", "c")
NUMBER = st.integers(0, 1000)
PRICES = st.dictionaries(st.sampled_from(AGENTS), st.integers(0, 40), min_size=1)
COMPLETED = Ending(outcome="success", manifest_key="manifest.json")
ENDINGS = st.sampled_from([COMPLETED, COMPLETED, Ending(verdict=InternalError().verdict)])
WHY_BACK = st.sampled_from(["drain", "unknown tool", "hiccup", "crash", "memory"])
RACERS = st.sampled_from(
    ["cancel", "cancel", "delete", "settle", "settle", "fail", "deliver", "deliver", "hand back", "beat", "sweep",
     "sweep", "claim", "claim", "children", "submit", "expire", "round", "rings"]
)  # fmt: skip


class Life(RuleBasedStateMachine):
    """Customers, tasks and workers of one small deployment."""

    def __init__(self) -> None:
        super().__init__()
        sql("CALL empty_all()")
        self.world = World()
        self.tasks: list[TaskId] = []
        self.claims: list[Claim] = []
        self.rung: list[rings.Ring] = []
        self.progress: dict[TaskId, float] = {}
        self.steps = 0

    @initialize(prices=st.tuples(PRICES, PRICES, PRICES))
    def opens(self, prices: Sequence[dict[str, int]]) -> None:
        self._register(200, cap=1000)
        self._register(90, cap=1)
        self._worker_comes(slots=4, roomy=False)
        for user, one in zip((1, 1, 0), prices, strict=True):
            self._create(user)
            self._perform(acts.submit(builders.read(self.tasks[-1]), one))
        self.round()

    # the customer

    @rule(n=NUMBER, credit=st.integers(1, 100), cap=st.integers(1, 3))
    def registers_or_is_granted_credits(self, n: int, credit: int, cap: int) -> None:
        if n % 2 and len(self.world.balances) < 4:
            self._register(credit, cap)
        else:
            self._grant(n, credit)

    def _register(self, credit: int, cap: int) -> None:
        user = builders.customer(credit, cap=cap)
        self.world.balances[user], self.world.caps[user] = credit, cap

    def _grant(self, n: int, amount: int) -> None:
        user = _pick(list(self.world.balances), n)
        with transaction() as session:
            balance = ledger.grant(session, user, amount, "A present")
        self.world.balances[user] += amount
        assert balance == self.world.balances[user]

    def _create(self, n: int) -> None:
        user = _pick(list(self.world.balances), n)
        with transaction() as session:
            task = task_store.create(session, user, builders.TOOL, list(AGENTS), {})
        self.tasks.append(task.id)
        self.world.tasks[task.id] = TaskModel(user)

    @rule(n=NUMBER, prices=PRICES)
    def creates_or_submits(self, n: int, prices: dict[str, int]) -> None:
        """Submits also what was submitted before, and with too little credit."""
        if n % 3 == 0:
            self._create(n)
        self._perform(acts.submit(builders.read(self._task(n, TaskStatus.CREATED)), prices))

    @rule(n=NUMBER, prices=PRICES)
    def creates_and_submits(self, n: int, prices: dict[str, int]) -> None:
        self._create(n)
        self._perform(acts.submit(builders.read(self.tasks[-1]), prices))

    @rule(n=NUMBER, stranger=st.integers(0, 9))
    def cancels(self, n: int, stranger: int) -> None:
        task_id = self._task(n)
        user = self._row(task_id).user
        self._perform(acts.cancel(task_id, user + 1 if stranger == 0 else user))

    @rule(n=NUMBER, stranger=st.integers(0, 9))
    def deletes(self, n: int, stranger: int) -> None:
        """More often what has ended; also what is alive, what was deleted before, and a part of another task."""
        ended = [task_id for task_id in self.tasks if self._row(task_id).status in TERMINAL]
        task_id = _pick(ended, n) if n % 3 and ended else self._task(n)
        user = self._row(task_id).user
        self._perform(acts.delete(task_id, user + 1 if stranger == 0 else user))

    # the conductor

    @rule(later=st.booleans(), ahead=st.integers(0, 2))
    def round(self, later: bool = False, ahead: int = 0) -> None:
        """Right now, or when all that was put off is due; `ahead` as though slots changed hands so quickly."""
        if later:
            sql("UPDATE tasks SET not_before = clock_timestamp() WHERE not_before IS NOT NULL")
            for task in self.world.tasks.values():
                task.ripe = None if task.ripe is None else True
        self._perform(acts.a_round(ahead, self.rung))

    @rule(n=NUMBER)
    def sweeps(self, n: int) -> None:
        if n % 3 == 0:
            self._lapse(self._claim(n).task_id)
        self._perform(acts.sweep())

    @rule(n=NUMBER)
    def expires(self, n: int) -> None:
        """What was created more than a day ago: one task more than before, if some was created at all."""
        task_id = self._task(n, TaskStatus.CREATED)
        builders.change(task_id, created_at=CLOCK - timedelta(days=2))
        self._row(task_id).aged = True
        self._perform(acts.expire())

    @rule(what=st.sampled_from(["ring", "the broker took none", "nobody answered"]))
    def rings(self, what: str) -> None:
        if what == "ring":
            self._perform(acts.take_rings(into=self.rung))
        elif what == "the broker took none":
            self._perform(acts.put_back_rings(self.rung))
        else:
            sql("UPDATE tasks SET rung_at = clock_timestamp() - interval '1 day' WHERE rung_at IS NOT NULL")
            for task in self.world.tasks.values():
                task.unanswered = task.was_rung
            self._perform(acts.ring_again())

    # workers

    def _worker_comes(self, slots: int, *, roomy: bool) -> None:
        queues = ("default", "high_memory") if roomy else ("default",)
        identity = builders.live_worker(slots, queues)
        self.world.workers[identity.boot_uuid] = WorkerModel(slots, queues)

    @rule(n=NUMBER, slots=st.integers(1, 3), what=st.sampled_from(["comes", "drains", "goes"]))
    def a_worker(self, n: int, slots: int, what: str) -> None:
        if what == "comes":
            self._worker_comes(slots, roomy=n % 2 > 0)
        else:
            self._worker_goes(n, drains=what == "drains")

    def _worker_goes(self, n: int, *, drains: bool) -> None:
        boot = _pick(list(self.world.workers), n)
        with transaction() as session:
            if drains:
                workers.start_draining(session, boot)
            else:
                workers.check_out(session, boot)
        self.world.workers[boot].draining = drains
        if not drains:
            del self.world.workers[boot]
        if not any(not worker.draining for worker in self.world.workers.values()):
            self._worker_comes(slots=2, roomy=True)

    @rule(n=NUMBER, worker=NUMBER, stranger=st.integers(0, 9))
    def claims_something(self, n: int, worker: int, stranger: int) -> None:
        """Also copies, what was not admitted, what is not due yet, and what is another customer's."""
        task_id = self._task(n)
        user = self._row(task_id).user
        boot = _pick(list(self.world.workers), worker)
        self._perform(acts.take(task_id, user + 1 if stranger == 0 else user, boot, self.claims))

    @rule(n=NUMBER)
    def claims_what_is_due(self, n: int) -> None:
        self._start(n)

    @rule(n=NUMBER, progress=st.integers(0, 100), late=st.booleans())
    def beats(self, n: int, progress: int, late: bool) -> None:
        """Of a process with every second claim, or all of one task: a zombie's claim and its successor's at once."""
        if late:
            self._lapse(self._claim(n).task_id)
        mine = self._claim(n).task_id
        held = [(claim, progress) for claim in self.claims[n % 2 :: 2]] if n % 3 else self._held_on([mine], progress)
        self._perform(acts.beat(_pick(list(self.world.workers), n), held))

    def _held_on(self, tasks: Sequence[TaskId], progress: int) -> list[tuple[Claim, int]]:
        return [(claim, progress) for claim in self.claims if claim.task_id in tasks]

    @rule(n=NUMBER, stale=st.booleans(), agent=st.sampled_from(AGENTS))
    def says_who_is_at_work(self, n: int, stale: bool, agent: str) -> None:
        self._perform(acts.begin_steps(self._claim(n, stale=stale), agent))

    @rule(n=NUMBER, zombie=st.integers(0, 3), agent=st.sampled_from(AGENTS), part=st.integers(0, 100), fails=NUMBER)
    def finishes_a_step(self, n: int, zombie: int, agent: str, part: int, fails: int) -> None:
        """In any order, and again and again; `part` is how much of its price was used, and also how far it is."""
        claim = self._claim(n, stale=zombie == 0)
        self._perform(self._record(claim, agent, part, delivered=fails % 4 > 0))

    @rule(n=NUMBER, zombie=st.integers(0, 3), ending=ENDINGS)
    def settles(self, n: int, zombie: int, ending: Ending) -> None:
        self._perform(acts.settle(self._claim(n, stale=zombie == 0), ending))

    @rule(n=NUMBER, zombie=st.integers(0, 3), why=WHY_BACK)
    def hands_back(self, n: int, zombie: int, why: str) -> None:
        claim = self._claim(n, stale=zombie == 0)
        self._perform(acts.hand_back(claim, self._terms(claim, why)))

    @rule(n=NUMBER, zombie=st.integers(0, 3), count=st.integers(1, 3))
    def fans_out(self, n: int, zombie: int, count: int) -> None:
        """A child has no children of its own."""
        claim = self._claim(n, stale=zombie == 0)
        if claim.parent_id is None:
            self._fan_out(claim, count)

    @rule(n=NUMBER, times=st.integers(1, MOST_LOSSES_AT_ONE_STEP))
    def loses_one_worker_after_another(self, n: int, times: int) -> None:
        claim: Claim | None = self._claim(n)
        while claim is not None and times:
            self._lapse(claim.task_id)
            self._perform(acts.sweep())
            claim = self._take(claim.task_id)
            times -= 1

    # two at once

    @rule(n=NUMBER, m=NUMBER, first=RACERS, second=RACERS, zombie=st.integers(0, 3))
    def two_things_happen_at_once(self, n: int, m: int, first: str, second: str, zombie: int) -> None:
        """To one task and its family, also to one on which nobody is at work."""
        task_id = self._task(n)
        self._race(self._racer(first, task_id, n, zombie == 0), self._racer(second, task_id, m, zombie == 1))

    @rule(
        n=NUMBER,
        m=NUMBER,
        how=st.sampled_from(["cancel", "cancel", "delete"]),
        other=st.sampled_from(["settle", "fail", "deliver", "hand back", "beat", "sweep", "children"]),
    )
    def it_is_cancelled_while_somebody_is_at_work(self, n: int, m: int, how: str, other: str) -> None:
        task_id = self._claim(n).task_id
        self._race(self._racer(how, task_id, m, stale=False), self._racer(other, task_id, n, stale=False))

    @rule(n=NUMBER, other=st.sampled_from(["beat", "settle", "deliver", "hand back", "children", "sweep"]))
    def it_is_swept_while_its_worker_comes_back(self, n: int, other: str) -> None:
        task_id = self._claim(n).task_id
        self._lapse(task_id)
        self._race(self._racer("sweep", task_id, n, stale=False), self._racer(other, task_id, n, stale=False))

    @rule(n=NUMBER, m=NUMBER, how=st.sampled_from(["settle", "fail", "deliver", "hand back", "children", "beat"]),
          other=st.sampled_from(["settle", "deliver", "hand back", "beat"]))  # fmt: skip
    def a_zombie_works_beside_the_new_owner(self, n: int, m: int, how: str, other: str) -> None:
        zombie = self._claim(n)
        self._lapse(zombie.task_id)
        self._perform(acts.sweep())
        owner = self._take(zombie.task_id)
        if owner is not None:
            self._race(self._on_claim(how, zombie, n), self._on_claim(other, owner, m))

    @rule(n=NUMBER)
    def two_workers_claim_the_same(self, n: int) -> None:
        task_id = _pick(self._due() or self.tasks, n)
        self._race(self._racer("claim", task_id, n, stale=False), self._racer("claim", task_id, n, stale=False))

    @rule(n=NUMBER, m=NUMBER, whole=st.booleans())
    def a_parent_is_cancelled_while_a_child_ends(self, n: int, m: int, whole: bool) -> None:
        first, second = self._started_children(n)
        if first is None or second is None:
            return
        if whole:
            self._perform(acts.settle(second, COMPLETED))
        parent = acts.cancel(self._row(first.task_id).parent or first.task_id, first.user_id)
        self._race(parent, self._on_claim(("settle", "fail", "deliver", "hand back")[m % 4], first, m))

    @rule(n=NUMBER, ways=st.tuples(*[st.sampled_from(["settle", "fail", "cancel"])] * 2))
    def the_last_two_children_end_together(self, n: int, ways: tuple[str, str]) -> None:
        first, second = self._started_children(n)
        if first is not None and second is not None:
            self._race(self._end(ways[0], first), self._end(ways[1], second))

    def _started_children(self, n: int) -> tuple[Claim | None, Claim | None]:
        parent = self._claim(n)
        if parent.parent_id is not None or not self._row(parent.task_id).owned_by(parent):
            return None, None
        self._fan_out(parent, 2)
        first, second = self.tasks[-2:]
        return self._admitted(first), self._admitted(second)

    def _admitted(self, task_id: TaskId) -> Claim | None:
        """Claimed, as if a round had let it in."""
        builders.change(task_id, admitted_at=CLOCK)
        self._row(task_id).admitted = True
        return self._take(task_id)

    def _end(self, way: str, claim: Claim) -> Act:
        return acts.cancel(claim.task_id, claim.user_id) if way == "cancel" else self._on_claim(way, claim, 0)

    # what must be true after each step

    @invariant()
    def must_be_true(self) -> None:
        self._the_tables_are_as_the_model()
        self._progress_never_goes_down()
        self._only_legal_moves_happened()
        self.steps += 1
        if self.steps % 10 == 0:
            self.teardown()

    def teardown(self) -> None:
        """Also at the end of each life."""
        with transaction() as session:
            assert not verification.breaches(session, verification.LEDGER)
            assert not verification.breaches(session, verification.STATES)

    def _the_tables_are_as_the_model(self) -> None:
        there, expected = rows(), picture(self.world)
        assert there["balances"] == expected["balances"]
        assert there["tasks"].keys() == expected["tasks"].keys()
        for task_id, told in there["tasks"].items():
            assert told == expected["tasks"][task_id]

    def _progress_never_goes_down(self) -> None:
        for task_id, task in self.world.tasks.items():
            assert task.progress >= self.progress.get(task_id, 0)
            self.progress[task_id] = task.progress

    def _only_legal_moves_happened(self) -> None:
        for task in self.world.tasks.values():
            path = [LEADS_TO[EventKind(kind)] for kind in task.events if EventKind(kind) not in STATIONS]
            assert all(to in MOVES[came_from] for came_from, to in pairwise(path)), path
            assert path[-1] == task.status

    # which and how

    def _perform(self, act: Act) -> Any:
        return acts.perform(self.world, act)

    def _race(self, first: Act, second: Act) -> None:
        before = set(self.world.tasks)
        self.world, _ = acts.race(self.world, first, second)
        self.tasks += set(self.world.tasks) - before

    def _row(self, task_id: TaskId) -> TaskModel:
        return self.world.tasks[task_id]

    def _task(self, n: int, status: TaskStatus | None = None) -> TaskId:
        """Any task, more often one that is alive, or in the status that is asked for."""
        wanted = [
            task_id for task_id in self.tasks
            if (self._row(task_id).status == status if status else self._row(task_id).status not in TERMINAL)
        ]  # fmt: skip
        return _pick(self.tasks if n % 4 == 0 or not wanted else wanted, n // 4)

    def _claim(self, n: int, *, stale: bool = False) -> Claim:
        """A claim that holds; where there is none, one is made if it can be. A stale one: any that ever was."""
        held = [claim for claim in self.claims if self._row(claim.task_id).owned_by(claim)]
        if stale and self.claims:
            return _pick(self.claims, n)
        claim: Claim = _pick(held, n) if held else self._start(n) or _pick(self.claims, n)
        return claim

    def _start(self, n: int) -> Claim | None:
        """Claim what is admitted; where nothing is, submit and admit first."""
        due = self._due()
        if not due:
            self._grant(n, 10)
            self.creates_and_submits(n, {"a": 5, "b": 0})
            self.round()
            due = self._due()
        if not due and self._row(self.tasks[-1]).waiting:  # caps or slots are taken
            return self._admitted(self.tasks[-1])
        return self._take(_pick(due, n)) if due else None

    def _due(self) -> list[TaskId]:
        return [i for i in self.tasks if self._row(i).status == TaskStatus.QUEUED and self._row(i).admitted]

    def _take(self, task_id: TaskId) -> Claim | None:
        worker = _pick(list(self.world.workers), len(self.claims))
        taken = self._perform(acts.take(task_id, self._row(task_id).user, worker, self.claims))
        return None if taken is None else self.claims[-1]

    def _lapse(self, task_id: TaskId) -> None:
        if self._row(task_id).status == TaskStatus.PROCESSING:
            builders.change(task_id, lease_until=CLOCK - timedelta(seconds=1))
            self._row(task_id).lapsed = True

    def _fan_out(self, claim: Claim, count: int) -> None:
        born = self._perform(acts.add_children(claim, count))
        self.tasks += [] if isinstance(born, Exception) else born

    def _record(self, claim: Claim, agent: str, part: int, *, delivered: bool) -> Act:
        price = claim.prices.get(agent, 0)
        return acts.record(claim, agent, delivered=delivered, amount=-(-price * part // 100) or price, progress=part)

    def _terms(self, claim: Claim, why: str) -> HandBackTerms:
        task = self._row(claim.task_id)
        return {
            "drain": HandBackTerms(EventKind.HANDED_BACK),
            "unknown tool": HandBackTerms(EventKind.HANDED_BACK, delay_seconds=3600),
            "hiccup": HandBackTerms(
                EventKind.RETRYING, delay_seconds=3600, verdict=StorageUnavailable().verdict,
                counts={"hiccups": task.hiccups + 1},
            ),
            "crash": HandBackTerms(
                EventKind.RETRYING, verdict=AgentCrashed().verdict, counts={"crashes": task.crashes + 1}
            ),
            "memory": HandBackTerms(EventKind.REROUTED, queue=Queue.HIGH_MEMORY, verdict=MemoryLimit().verdict),
        }[why]  # fmt: skip

    def _racer(self, kind: str, task_id: TaskId, n: int, stale: bool) -> Act:
        """One act on a task or its family, as likely to be refused as not."""
        root = self._row(task_id).parent or task_id
        family = [i for i in self.tasks if root in (i, self._row(i).parent)]
        some = _pick([task_id, task_id, *family], n)
        if kind in {"cancel", "delete"}:
            one, act = (some, acts.cancel) if kind == "cancel" else (root, acts.delete)
            return act(one, self._row(one).user)
        if kind == "sweep":
            return acts.sweep(family)
        if kind == "claim":
            worker = _pick(list(self.world.workers), n)
            return acts.take(some, self._row(some).user, worker, self.claims)
        if kind == "submit":
            return acts.submit(builders.read(task_id), {"a": n % 30, "b": 7})
        if kind in {"expire", "round", "rings"}:
            return {"expire": acts.expire, "round": acts.a_round, "rings": lambda: acts.take_rings(family)}[kind]()
        mine = [claim for claim in self.claims if claim.task_id in family] or [self._claim(n)]
        claim = _pick(mine if stale else mine[::-1][:2], n)
        return self._on_claim(kind, claim, n)

    def _on_claim(self, kind: str, claim: Claim, n: int) -> Act:
        if kind == "settle" or (kind == "children" and claim.parent_id is not None):
            return acts.settle(claim, COMPLETED)
        if kind == "fail":
            return acts.settle(claim, Ending(verdict=InternalError().verdict))
        if kind == "hand back":
            return acts.hand_back(claim, self._terms(claim, "drain" if n % 2 else "hiccup"))
        if kind == "beat":
            return acts.beat(uuid.uuid4(), [(claim, n % 101)])
        if kind == "children":
            return acts.add_children(claim, 1 + n % 2)
        return self._record(claim, AGENTS[n % 3], n % 101, delivered=n % 5 > 0)


def _pick(some: Sequence[Any], n: int) -> Any:
    return some[n % len(some)]


LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
SHORT_FORM = settings(
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # shrinking takes minutes: that is for the long form
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
LONG_FORM = settings(
    SHORT_FORM, max_examples=500, stateful_step_count=80, derandomize=False, phases=[Phase.generate, Phase.shrink]
)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A loaded machine may keep a thread from the processor for longer than a station may take."""
    database.close_database()
    monkeypatch.setattr(database, "STATION_LIMITS", dict.fromkeys(database.STATION_LIMITS, "60s"))
    yield
    database.close_database()


@pytest.mark.timeout(0)
@pytest.mark.parametrize("examples", [6, pytest.param(100, marks=pytest.mark.long)])
def test_whatever_happens_in_whatever_order_the_rows_are_as_the_model_says(examples: int) -> None:
    run_state_machine_as_test(Life, settings=LONG_FORM if LONG else settings(SHORT_FORM, max_examples=examples))
