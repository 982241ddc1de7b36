"""What can happen to a task: each act once as the product's own function and once as the model's (model.py).

`perform` does an act and compares the two answers. `race` does two acts at one moment and looks for an order in which
the model comes to the same answers and the same rows; `left_alone` are the rows that a SKIP LOCKED may have passed by
because the other act held them.
"""

import copy
import itertools
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from model import TaskId, World
from rows import differences, picture, rows
from side_by_side import outcome, together
from sqlalchemy import text

from db import admission, checkpoints, children, claims, deletion, endings, rings, survey, task_store, workers
from db.checkpoints import Checkpoint
from db.children import ChildTask
from db.claims import Claim
from db.database import Session, transaction
from db.endings import Ending, HandBackTerms
from db.models import Task
from db.survey import Slots
from db.task_store import Submission
from db.workers import Pulse
from tests.builders import delivered_step, failed_step

LEASE = timedelta(hours=1)  # the real clock never ends a lease here: time passes when a rule says so
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Act:
    """`product` answers inside a transaction of its own; each of `models` takes the world and that answer.

    The first model is how it goes when nobody else is there; the others are ways it may go as well in a race.
    """

    name: str
    product: Callable[[Session], Any]
    models: Sequence[Callable[[World, Any], Any]]

    def run(self) -> Any:
        with transaction() as session:
            return self.product(session)

    def __str__(self) -> str:
        return self.name


def perform(world: World, act: Act) -> Any:
    """Do it, hold the product's answer to the model's, and return it."""
    seen = outcome(act.run)
    expected = outcome(lambda: act.models[0](world, seen))
    assert _same(seen, expected), f"{act}: the product said {seen!r}, the model {expected!r}"
    return seen


def race(world: World, first: Act, second: Act) -> tuple[World, list[Any]]:
    """Do both at one moment; the world in which both answers and all rows are explained, and the answers."""
    before = rows()
    seen = together(first.run, second.run)
    there = rows()
    for then in _explanations(world, [(first, seen[0]), (second, seen[1])]):
        if then is not None and picture(then) == there:
            return then, seen
    changed = differences(before, there)
    raise AssertionError(f"no order explains {first} beside {second}: they said {seen!r}, and changed {changed}")


def _explanations(world: World, done: Sequence[tuple[Act, Any]]) -> Iterator[World | None]:
    for order in itertools.permutations(done):
        for models in itertools.product(*(act.models for act, _ in order)):
            then = copy.deepcopy(world)
            steps = zip(models, (seen for _, seen in order), strict=True)
            fits = all(_same(seen, outcome(partial(model, then, seen))) for model, seen in steps)
            yield then if fits else None


def _same(seen: Any, expected: Any) -> bool:
    if isinstance(seen, Exception) or isinstance(expected, Exception):
        return type(seen) is type(expected)
    return bool(seen == expected)


# the customer


def submit(task: Task, prices: Mapping[str, int]) -> Act:
    def product(session: Session) -> str:
        return task_store.submit(session, task, Submission(list(prices), prices, {}, 1.0)).status

    return Act(f"submit {task.id}", product, [lambda world, _: world.submit(task.id, prices)])


def cancel(task_id: TaskId, user: int) -> Act:
    return Act(
        f"cancel {task_id}",
        lambda session: task_store.cancel(session, task_id, user).status,
        [lambda world, _: world.cancel(task_id, user)],
    )


def delete(task_id: TaskId, user: int) -> Act:
    return Act(
        f"delete {task_id}",
        lambda session: deletion.delete(session, task_id, user),
        [lambda world, _: world.delete(task_id, user)],
    )


# the conductor


def expire() -> Act:
    return Act("expire", lambda session: task_store.expire(session, A_DAY, 100), [lambda world, _: world.expire()])


# A test's clock: rings are young until a rule makes them old.
_JUST_RUNG = text("UPDATE tasks SET rung_at = clock_timestamp() + interval '1 day' WHERE id = ANY(:ids)")


def a_round(ahead: int = 0, into: list[rings.Ring] | None = None) -> Act:
    """What it answers are the tasks that it admitted; their rings are put `into` the list."""

    def product(session: Session) -> frozenset[TaskId]:
        if not admission.lock_round(session):
            return frozenset()
        admission.ripen(session)
        slots = survey.look(session, LEASE).slots
        some_ahead = dict.fromkeys(slots.by_queue, ahead)
        admitted = admission.admit(session, Slots(slots.by_queue, slots.in_all, some_ahead))
        return _rung(session, admitted, into)

    return Act(
        "round",
        product,
        [
            lambda world, seen: world.round(seen, ahead=ahead),
            lambda world, seen: world.round(seen, ahead=ahead, crowded=True),
            lambda _world, _seen: frozenset(),  # another conductor's round was on
        ],
    )


def _rung(session: Session, taken: Sequence[rings.Ring], into: list[rings.Ring] | None) -> frozenset[TaskId]:
    if into is not None:
        into.extend(taken)
    ids = frozenset(ring.task_id for ring in taken)
    assert len(ids) == len(taken)
    session.execute(_JUST_RUNG, {"ids": list(ids)})
    return ids


def take_rings(family: Collection[TaskId] = (), into: list[rings.Ring] | None = None) -> Act:
    """What it answers are the tasks to ring; the rings themselves are put `into` the list."""

    def product(session: Session) -> frozenset[TaskId]:
        return _rung(session, rings.take(session), into)

    models = [lambda world, _, alone=alone: world.take_rings(alone) for alone in _any_of(family)]
    return Act("take rings", product, models)


def put_back_rings(rung: Sequence[rings.Ring]) -> Act:
    ids = [ring.task_id for ring in rung]
    return Act(
        f"put back {len(ids)} rings",
        lambda session: rings.put_back(session, rung),
        [lambda world, _: world.put_back_rings(ids)],
    )


def ring_again() -> Act:
    return Act(
        "ring again", lambda session: rings.ring_again(session, 100, LEASE), [lambda world, _: world.ring_again()]
    )


def sweep(family: Collection[TaskId] = ()) -> Act:
    return Act(
        "sweep",
        lambda session: set(endings.lost(session)),
        [lambda world, _, alone=alone: world.sweep(alone) for alone in _any_of(family)],
    )


def _any_of(family: Collection[TaskId]) -> list[tuple[TaskId, ...]]:
    """Every set of rows that a SKIP LOCKED may pass by; none of them first."""
    return [some for size in range(len(family) + 1) for some in itertools.combinations(sorted(family), size)]


# the worker


def take(task_id: TaskId, user: int, worker: uuid.UUID, into: list[Claim]) -> Act:
    """What it answers is the claim's epoch; the claim itself is put `into` the list."""

    def product(session: Session) -> int | None:
        claim = claims.take(session, task_id, user, worker, LEASE)
        if claim is None:
            return None
        into.append(claim)
        return claim.epoch

    return Act(f"claim {task_id}", product, [lambda world, _: world.take(task_id, user, worker)])


def beat(worker: uuid.UUID, held: Sequence[tuple[Claim, int]]) -> Act:
    """`held`: claims of one process, with the progress of each."""

    def product(session: Session) -> Any:
        pulses = [Pulse(claim.task_id, claim.epoch, progress) for claim, progress in held]
        answer = workers.beat(session, worker, pulses, LEASE)
        return set(answer.cancelled), set(answer.lost), answer.draining

    return Act(
        f"beat for {[_said(claim) for claim, _ in held]}",
        product,
        [
            lambda world, _: world.beat(worker, held),
            lambda world, _: world.beat(worker, held, skipped=True),  # somebody held the row
        ],
    )


def begin_steps(claim: Claim, agent: str) -> Act:
    return Act(
        f"{agent} is at work on {_said(claim)}",
        lambda session: claims.begin_steps(session, claim, [agent]),
        [lambda world, _: world.begin_steps(claim, agent)],
    )


def record(claim: Claim, agent: str, *, delivered: bool, amount: int, progress: int) -> Act:
    step: Checkpoint = delivered_step(agent) if delivered else failed_step(agent)
    return Act(
        f"{step.status.lower()} {agent} on {_said(claim)}",
        lambda session: checkpoints.record(session, claim, step, amount=amount, progress=progress, next_agent=None),
        [lambda world, _: world.record(claim, agent, step.status, amount, progress)],
    )


def settle(claim: Claim, ending: Ending) -> Act:
    return Act(
        f"{ending.status.lower()} {_said(claim)}",
        lambda session: endings.settle(session, claim, ending),
        [lambda world, _: world.settle(claim, ending)],
    )


def hand_back(claim: Claim, terms: HandBackTerms) -> Act:
    return Act(
        f"{terms.kind} {_said(claim)}",
        lambda session: endings.hand_back(session, claim, terms),
        [lambda world, _: world.hand_back(claim, terms)],
    )


def add_children(claim: Claim, count: int) -> Act:
    def product(session: Session) -> list[TaskId]:
        wanted = [ChildTask(agents=claim.agents) for _ in range(count)]
        return children.add_children(session, claim.task_id, claim.epoch, wanted)

    def model(world: World, seen: Any) -> Sequence[TaskId]:
        ids = [uuid.uuid4() for _ in range(count)] if isinstance(seen, Exception) else seen
        assert len(ids) == count
        return world.add_children(claim, ids)

    return Act(f"{count} children of {_said(claim)}", product, [model])


def _said(claim: Claim) -> str:
    return f"{claim.task_id}@{claim.epoch}"
