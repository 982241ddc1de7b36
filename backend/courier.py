"""A courier: brings what is due to customers' webhooks, and goes when nothing was due for a while.

A worker starts one where something is due (celery_queue/errands.py); several at once do no harm (db/deliveries.py).
No transaction is open while a customer's server is asked.
"""

import json
import os
import signal
import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event
from typing import Any

from backend import traces
from backend.clock import jitter, monotonic
from backend.errors import DatabaseUnavailable
from backend.logs import log
from backend.settings import Settings, get_settings
from backend.traces import Kind
from backend.verdicts import seconds_of
from backend.webhook_door import Answer, WebhookDoor, message_id
from db import deliveries
from db.database import DATABASE_ERRORS, Session, transaction
from db.deliveries import Due, Held, Outcome
from db.events import LEADS_TO, EventKind, public

HANDS = 4  # endpoints served at once: one that is slow holds up a hand, not the others
AT_ONCE = 20  # deliveries read at a time
TURN_SECONDS = 15.0  # at one endpoint, well within its hold
FAILURES_A_TURN = 3  # one after the other: the endpoint is away, not the message wrong
PAUSE_SECONDS = 10.0  # before an endpoint that was away gets its next turn
LOOK_SECONDS = 0.2
IDLE_SECONDS = 60.0
SHIFT_SECONDS = 3000.0  # then the next courier goes on, with newer code perhaps
MINUTE, HOUR = 60.0, 3600.0
DAY = 24 * HOUR
BACK_OFF = (5.0, 30.0, 2 * MINUTE, 10 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, DAY, DAY)  # two days at least
LONGEST_WAIT = DAY  # whatever a Retry-After says
GONE = 410


def deliver_until_idle(idle_seconds: float = IDLE_SECONDS) -> None:
    """Also until the shift is over, the worker is gone, or a SIGTERM comes; what is being sent is finished first.

    Raises:
        DatabaseUnavailable: what was not brought is for the next courier.
    """
    settings, over = get_settings(), Event()
    with _ending_on_request(over), ThreadPoolExecutor(HANDS, thread_name_prefix="courier") as hands:
        busy = [hands.submit(_Hand(settings, over).work, idle_seconds) for _ in range(HANDS)]
        try:
            wait(busy, return_when=FIRST_EXCEPTION)
            over.set()  # where a hand has failed, the others end with it: the next courier has all of its own
            for hand in busy:
                hand.result()
        except DATABASE_ERRORS as error:
            raise DatabaseUnavailable(detail=str(error)) from error
        finally:
            over.set()


@contextmanager
def _ending_on_request(over: Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: over.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Hand:
    def __init__(self, settings: Settings, over: Event) -> None:
        self._door = WebhookDoor(settings)
        self._id = uuid.uuid4()
        self._over = over
        self._worker = os.getppid()

    def work(self, idle_seconds: float) -> None:
        idle_since = begun = monotonic()
        while monotonic() < min(idle_since + idle_seconds, begun + SHIFT_SECONDS) and not self._alone():
            with transaction() as session:
                held = deliveries.take(session, self._id)
            if held is None:
                self._over.wait(LOOK_SECONDS)
                continue
            pause = self._serve(held)
            with transaction() as session:
                deliveries.let_go(session, held, pause)
            idle_since = monotonic()

    def _alone(self) -> bool:
        """Nobody wants us any more: we were told so, or who started us is gone."""
        return self._over.is_set() or os.getppid() != self._worker

    def _serve(self, held: Held) -> float:
        """One turn at an endpoint; seconds until it should have another."""
        secrets, until, failures = self._door.signers(held.id, held.secret_version), monotonic() + TURN_SECONDS, 0
        while True:
            with transaction() as session:
                batch = deliveries.due(session, held, AT_ONCE)
            for told in batch:
                answer = self._send(held, secrets, told)
                as_it_was = _write_down(held, told, answer)
                failures = failures + 1 if answer.failure else 0
                if not as_it_was or monotonic() > until or self._over.is_set():
                    return 0.0
                if failures >= FAILURES_A_TURN:
                    return PAUSE_SECONDS
            if not batch:
                return 0.0

    def _send(self, held: Held, secrets: Sequence[str], told: Due) -> Answer:
        """The trace tells of it, and not the customer's server, nor its address."""
        named: dict[str, Any] = {"task_id": str(told.task_id), "event": told.kind, "attempt": told.attempts + 1}
        with traces.span("webhook", Kind.CLIENT, parent=told.traceparent, **named, endpoint_id=str(held.id)) as span:
            answer = self._door.send(held.url, secrets, message_id(told.task_id, told.seq), body_of(told))
            span.set(http__response__status_code=answer.status_code)
            if answer.failure is not None:
                span.failed(str(answer.status_code or "no answer"))
        return answer


def body_of(told: Due) -> bytes:
    """As Standard Webhooks has it: type, timestamp, data."""
    kind = EventKind(told.kind)
    data = public(told.data) | {"task_id": str(told.task_id), "tool_id": told.tool_id, "seq": told.seq}
    data["status"] = LEADS_TO[kind]
    body = {"type": f"task.{kind}", "timestamp": told.at.isoformat(), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _write_down(held: Held, told: Due, answer: Answer) -> bool:
    """Whether the endpoint is still ours, and as it was when we took it."""
    retry = None if answer.failure is None or answer.status_code == GONE else _retry_seconds(told.attempts, answer)
    outcome = Outcome(answer.failure is None, answer.status_code, answer.failure, answer.duration_ms, retry)
    with transaction() as session:
        deliveries.record(session, held, told, outcome)
        given_up = answer.failure is not None and retry is None
        reason = _reason_to_stop(session, held, told, answer) if given_up else None
        if reason is not None:
            deliveries.disable(session, held, reason)
        as_it_was = deliveries.as_it_was(session, held)
    if answer.failure:
        log().info(
            "webhook failed",
            endpoint_id=str(held.id),
            task_id=str(told.task_id),
            user_id=held.user_id,
            failure=answer.failure,
        )
    return as_it_was


def _reason_to_stop(session: Session, held: Held, told: Due, answer: Answer) -> str | None:
    if answer.status_code == GONE:
        return "It answered 410: gone."
    if deliveries.silent_since(session, held, told.waiting_since):
        return f"Nothing came through since {told.waiting_since:%d %B %Y, %H:%M} UTC."
    return None


def _retry_seconds(attempts: int, answer: Answer) -> float | None:
    """None: often enough. Half of a wait is chance, so that a crowd that failed together spreads out."""
    if attempts >= len(BACK_OFF):
        return None
    asked = seconds_of(answer.retry_after) if answer.retry_after else None
    return max(BACK_OFF[attempts] / 2 + jitter(BACK_OFF[attempts] / 2), min(asked or 0.0, LONGEST_WAIT))
