"""What must be true of customers, tasks and credits: the product's rules once more, in plain Python and in one thread.

`World` answers as the product does: with a value, or with the product's own error. Where the product may choose (which
waiting task is admitted, which locked row a sweep leaves alone) the model is told what was chosen and judges it. It has
no clock: what time does is said by flags (`lapsed`, `ripe`, `aged`, `unanswered`) that a test sets together with the
row's columns.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.errors import (
    Cancelled,
    ClaimLost,
    Conflict,
    Expired,
    InsufficientCredits,
    InvalidTaskState,
    TaskNotCancellable,
    TaskNotFound,
    WorkerLost,
)
from db.claims import Claim
from db.endings import MOST_LOSSES_AT_ONE_STEP, Ending, HandBackTerms
from db.events import EventKind
from db.models import TERMINAL, EntryKind, StepStatus, TaskStatus

TaskId = uuid.UUID


@dataclass
class TaskModel:
    """One row with its steps, events and movements; what the product keeps to itself (times) is not in it."""

    user: int
    parent: TaskId | None = None
    status: TaskStatus = TaskStatus.CREATED
    epoch: int = 0
    events: list[str] = field(default_factory=lambda: [EventKind.CREATED.value])
    progress: float = 0.0
    hiccups: int = 0
    crashes: int = 0
    losses: int = 0
    open_children: int = 0
    queue: str = "default"
    admitted: bool = False
    ripe: bool | None = None  # None: nothing to wait for; False: put off; True: its time has come
    ring_wanted: bool = False
    rings: int = 0
    was_rung: bool = False
    unanswered: bool = False  # its ring is so old that it is to be rung again
    aged: bool = False  # CREATED for longer than a day
    worker: uuid.UUID | None = None
    lapsed: bool | None = None  # None: nobody works on it
    current_agent: str | None = None
    error_code: str | None = None
    outcome: str | None = None
    manifest_key: str | None = None
    prices: dict[str, int] = field(default_factory=dict)
    steps: dict[str, tuple[str, int]] = field(default_factory=dict)  # agent → status, epoch
    entries: dict[tuple[str, str], int] = field(default_factory=dict)  # kind, agent → amount
    deleted: bool = False

    @property
    def waiting(self) -> bool:
        return self.status == TaskStatus.QUEUED and not self.admitted and self.ripe is None

    @property
    def busy(self) -> bool:
        return self.status == TaskStatus.PROCESSING or (self.status == TaskStatus.QUEUED and self.admitted)

    def owned_by(self, claim: Claim) -> bool:
        return self.status == TaskStatus.PROCESSING and self.epoch == claim.epoch

    def move(self, to: TaskStatus, kind: EventKind) -> None:
        self.status = to
        self.events.append(kind.value)

    def let_go(self) -> None:
        """Whatever a claim, a ring or a place in the queue had put on the row is taken off."""
        self.worker = self.lapsed = self.current_agent = self.ripe = None
        self.admitted = self.ring_wanted = False
        self.rings = 0

    def go_first(self) -> None:
        self.admitted = self.ring_wanted = True

    def ring(self) -> None:
        self.ring_wanted = self.unanswered = False
        self.was_rung = True
        self.rings += 1


@dataclass
class WorkerModel:
    slots: int
    queues: tuple[str, ...]
    live: bool = True
    draining: bool = False


@dataclass
class World:
    """Everything at once; each method is one operation of the product."""

    balances: dict[int, int] = field(default_factory=dict)
    caps: dict[int, int] = field(default_factory=dict)
    tasks: dict[TaskId, TaskModel] = field(default_factory=dict)
    workers: dict[uuid.UUID, WorkerModel] = field(default_factory=dict)

    # the customer

    def submit(self, task_id: TaskId, prices: Mapping[str, int]) -> str:
        task = self.tasks[task_id]
        if task.deleted:
            raise TaskNotFound
        if task.status != TaskStatus.CREATED:
            raise InvalidTaskState
        total = sum(prices.values())
        if self.balances[task.user] < total:
            raise InsufficientCredits
        self.balances[task.user] -= total
        task.prices = dict(prices)
        task.entries = {(EntryKind.HOLD.value, agent): price for agent, price in prices.items() if price}
        task.move(TaskStatus.QUEUED, EventKind.QUEUED)
        return task.status

    def cancel(self, task_id: TaskId, user: int) -> str:
        task = self.tasks[task_id]
        if task.user != user or task.deleted:
            raise TaskNotFound
        if task.status in TERMINAL - {TaskStatus.CANCELLED}:
            raise TaskNotCancellable
        if task.status != TaskStatus.CANCELLED:
            family = [task, *(child for child in self.tasks.values() if child.parent == task_id)]
            for one in family:
                if one.status not in TERMINAL:
                    self._cancel_row(one)
            self._ended(task_id)
        return task.status

    def delete(self, task_id: TaskId, user: int) -> None:
        task = self.tasks[task_id]
        if task.user != user or task.deleted:
            raise TaskNotFound
        if task.parent is not None:
            raise Conflict
        if task.status not in TERMINAL:
            self.cancel(task_id, user)
        for one in (task, *(child for child in self.tasks.values() if child.parent == task_id)):
            one.deleted = True

    def _cancel_row(self, task: TaskModel) -> None:
        task.let_go()
        task.epoch += 1
        task.error_code = Cancelled.error_code
        task.open_children = 0
        task.move(TaskStatus.CANCELLED, EventKind.CANCELLED)

    def _ended(self, task_id: TaskId) -> None:
        """A root's holds come back; a child counts for its parent."""
        task = self.tasks[task_id]
        if task.parent is None:
            self._release(task)
            return
        parent = self.tasks[task.parent]
        if parent.open_children:
            parent.open_children -= 1
            if not parent.open_children and parent.status == TaskStatus.WAITING:
                parent.move(TaskStatus.QUEUED, EventKind.QUEUED)
                parent.go_first()

    def _release(self, task: TaskModel) -> None:
        for (kind, agent), held in list(task.entries.items()):
            rest = held - task.entries.get((EntryKind.CAPTURE.value, agent), 0)
            if kind == EntryKind.HOLD and rest:
                assert (EntryKind.RELEASE.value, agent) not in task.entries, "released twice"
                task.entries[EntryKind.RELEASE.value, agent] = rest
                self.balances[task.user] += rest

    # the conductor

    def expire(self) -> int:
        stale = [task for task in self.tasks.values() if task.status == TaskStatus.CREATED and task.aged]
        for task in stale:
            task.error_code = Expired.error_code
            task.move(TaskStatus.EXPIRED, EventKind.EXPIRED)
        return len(stale)

    def round(self, admitted: Collection[TaskId], *, ahead: int = 0, crowded: bool = False) -> Collection[TaskId]:
        """Ripen and admit, up to `ahead` tasks of each queue more than there are free slots; `admitted` is the
        product's choice, returned where it is a legal one.

        In a crowd a slot may stay free until the next round: the task chosen for it was gone when it was to be locked.
        """
        for task in self.tasks.values():
            if task.status == TaskStatus.QUEUED and task.ripe:
                task.ripe = None
        free, in_all = self.free_slots()
        for task_id in admitted:
            task = self.tasks[task_id]
            assert task.waiting, "it did not wait"
            task.admitted = True
            task.ring()
            free[task.queue] = free.get(task.queue, 0) - 1
            assert self._busy_of(task.user) <= self.caps[task.user], "a customer has more than their cap"
        assert min(free.values(), default=0) >= -ahead, "a queue has more than its slots"
        assert len(admitted) <= in_all + ahead * len(free)
        if len(admitted) < in_all and not crowded:
            left = [task for task in self.tasks.values() if task.waiting and free.get(task.queue, 0) > 0]
            assert not any(self._busy_of(task.user) < self.caps[task.user] for task in left), "a slot was left free"
        return admitted

    def free_slots(self) -> tuple[dict[str, int], int]:
        """By queue, and in all."""
        live = [worker for worker in self.workers.values() if worker.live and not worker.draining]
        free, taken = {}, 0
        for queue in {queue for worker in live for queue in worker.queues}:
            slots = sum(worker.slots for worker in live if queue in worker.queues)
            busy = sum(task.busy and task.queue == queue for task in self.tasks.values())
            free[queue] = max(0, slots - busy)
            taken += slots - free[queue]
        return free, max(0, sum(worker.slots for worker in live) - taken)

    def _busy_of(self, user: int) -> int:
        return sum(task.busy for task in self.tasks.values() if task.user == user)

    def take_rings(self, left_alone: Collection[TaskId] = ()) -> set[TaskId]:
        due = {task_id for task_id, task in self.tasks.items() if task.ring_wanted} - set(left_alone)
        for task_id in due:
            task = self.tasks[task_id]
            task.ring()
        return due

    def put_back_rings(self, rung: Collection[TaskId]) -> None:
        for task_id in set(rung):
            task = self.tasks[task_id]
            if task.status == TaskStatus.QUEUED and task.admitted:
                task.ring_wanted = True
                task.rings = max(0, task.rings - 1)

    def ring_again(self) -> int:
        served = {q for worker in self.workers.values() if worker.live and not worker.draining for q in worker.queues}
        silent = [
            task for task in self.tasks.values()
            if task.status == TaskStatus.QUEUED and task.admitted and not task.ring_wanted and task.unanswered
            and task.queue in served
        ]  # fmt: skip
        for task in silent:
            task.ring_wanted = True
        return len(silent)

    def sweep(self, left_alone: Collection[TaskId] = ()) -> set[TaskId]:
        """Rescue every lapsed claim but those that somebody holds at this moment."""
        silent = {i for i, task in self.tasks.items() if task.status == TaskStatus.PROCESSING and task.lapsed}
        rescued = silent - set(left_alone)
        for task_id in rescued:
            task = self.tasks[task_id]
            task.let_go()
            if task.losses + 1 >= MOST_LOSSES_AT_ONE_STEP:
                task.error_code = WorkerLost.error_code
                task.move(TaskStatus.FAILED, EventKind.FAILED)
                self._ended(task_id)
            else:
                task.losses += 1
                task.go_first()
                task.move(TaskStatus.QUEUED, EventKind.RESCUED)
        return rescued

    # the worker

    def take(self, task_id: TaskId, user: int, worker: uuid.UUID) -> int | None:
        """The claim's epoch."""
        task = self.tasks[task_id]
        if task.user != user or task.status != TaskStatus.QUEUED or not task.admitted or task.ripe is not None:
            return None
        task.epoch += 1
        task.worker, task.lapsed, task.ring_wanted, task.error_code = worker, False, False, None
        task.move(TaskStatus.PROCESSING, EventKind.STARTED)
        return task.epoch

    def beat(self, worker: uuid.UUID, pulses: Sequence[tuple[Claim, int]], *, skipped: bool = False) -> Any:
        """Which of the claims are cancelled, which are lost, and whether the worker is to drain."""
        cancelled, lost = set(), set()
        for claim, progress in pulses:
            task = self.tasks[claim.task_id]
            if not task.owned_by(claim):
                (cancelled if task.status == TaskStatus.CANCELLED else lost).add((claim.task_id, claim.epoch))
            elif not skipped:
                task.lapsed = False
                task.progress = max(task.progress, progress)
        known = self.workers.get(worker)
        return cancelled, lost, known is not None and known.draining

    def begin_steps(self, claim: Claim, agent: str) -> bool:
        """True where some step is finished."""
        task = self._owned(claim)
        task.current_agent = None if agent in task.steps else agent
        return bool(task.steps)

    def record(self, claim: Claim, agent: str, status: StepStatus, amount: int, progress: int) -> None:
        task = self._owned(claim)
        task.progress = max(task.progress, progress)
        task.current_agent = None
        task.hiccups = task.crashes = task.losses = 0
        delivered = status == StepStatus.DELIVERED
        task.events.append((EventKind.STEP_DELIVERED if delivered else EventKind.STEP_FAILED).value)
        if delivered or task.steps.get(agent, ("",))[0] != StepStatus.DELIVERED:  # what was paid for stays
            task.steps[agent] = (status.value, claim.epoch)
        if delivered and amount:
            root = task if task.parent is None else self.tasks[task.parent]
            root.entries.setdefault((EntryKind.CAPTURE.value, agent), amount)

    def settle(self, claim: Claim, ending: Ending) -> None:
        task = self._owned(claim)
        task.let_go()
        if ending.verdict is None:
            task.outcome, task.manifest_key, task.progress = ending.outcome, ending.manifest_key, 100
            task.move(TaskStatus.COMPLETED, EventKind.COMPLETED)
        else:
            task.error_code = ending.verdict.error_code
            task.move(TaskStatus.FAILED, EventKind.FAILED)
        self._ended(claim.task_id)

    def hand_back(self, claim: Claim, terms: HandBackTerms) -> None:
        task = self._owned(claim)
        task.let_go()
        if terms.delay_seconds is None:
            task.go_first()
        else:
            task.ripe = False
        task.queue = task.queue if terms.queue is None else terms.queue.value
        task.error_code = None if terms.verdict is None else terms.verdict.error_code
        for column, value in terms.counts.items():
            setattr(task, column, value)
        task.move(TaskStatus.QUEUED, terms.kind)

    def add_children(self, claim: Claim, ids: Sequence[TaskId]) -> Sequence[TaskId]:
        parent = self._owned(claim)
        parent.let_go()
        parent.open_children = len(ids)
        parent.move(TaskStatus.WAITING, EventKind.WAITING)
        for child in ids:
            self.tasks[child] = TaskModel(
                parent.user, parent=claim.task_id, status=TaskStatus.QUEUED, events=[EventKind.QUEUED.value],
                prices=parent.prices, queue=parent.queue,
            )  # fmt: skip
        return ids

    def _owned(self, claim: Claim) -> TaskModel:
        task = self.tasks[claim.task_id]
        if not task.owned_by(claim):
            raise ClaimLost
        return task
