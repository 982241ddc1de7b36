"""The doorbell: Redis restarts, forgets, goes away, stands still; messages come several times or are none of ours."""

import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from backend.chaos.deployment import GaveUp, until
from backend.chaos.fault import Fault, Skipped
from backend.chaos.stage import Stage
from backend.clock import monotonic
from backend.embedded import EmbeddedRedis
from backend.product import ROOT
from db.events import EventKind

COPIES = 5
WRONG_USER = 2**31


def restart_redis(stage: Stage) -> str:
    broker = _redis(stage)
    return _forgetting(stage, broker, broker.stop)


def kill_redis(stage: Stage) -> str:
    broker = _redis(stage)
    return _forgetting(stage, broker, broker.kill)


def _forgetting(stage: Stage, broker: EmbeddedRedis, end: Callable[[], None]) -> str:
    held = _await_messages(broker)
    end()
    broker.start()
    broker.ready()
    return _made_good(stage, held)


def flush_redis(stage: Stage) -> str:
    broker = _redis(stage)
    stage.order()
    held = _await_messages(broker)
    with redis.Redis.from_url(broker.url) as client:
        client.flushall()
    return _made_good(stage, held)


def _await_messages(broker: EmbeddedRedis) -> int:
    """Wait until the broker holds messages, queued or delivered and not acknowledged; how many."""
    held: list[int] = []

    def holds() -> bool:
        held[:] = [_messages(broker)]
        return held[0] > 0

    until(holds, "the broker holds a message")
    return held[0]


def _messages(broker: EmbeddedRedis) -> int:
    with redis.Redis.from_url(broker.url, decode_responses=True) as client:
        unacknowledged = [key for key in client.scan_iter(_type="hash") if key.endswith("unacked")]
        queued = client.scan_iter(_type="list")
        return int(sum(client.hlen(key) for key in unacknowledged) + sum(client.llen(key) for key in queued))


def _made_good(stage: Stage, held: int) -> str:
    stage.ended()
    starts, tasks = stage.happened(EventKind.STARTED), len(stage.customer.orders)
    return f"{held} messages were lost with it; {tasks} tasks ended after {starts} claims, rung from the rows"


def redis_gone(stage: Stage) -> str:
    with _without(_redis(stage)):
        slowest, taken = _order_for(stage, stage.form.redis_gone)
    return f"{taken} orders were answered 202 meanwhile, the slowest in {slowest:.2f} s"


def redis_frozen(stage: Stage) -> str:
    broker = _redis(stage)
    broker.pause()
    try:
        slowest, taken = _order_for(stage, stage.form.outage)
    finally:
        broker.resume()
    return f"{taken} orders were answered 202 meanwhile, the slowest in {slowest:.2f} s"


def duplicate_messages(stage: Stage) -> str:
    """Copies of every ring, rings of other customers, of no task at all."""
    lines = [f"{order.task_id} {stage.customer.user_id}" for order in stage.customer.orders] * COPIES
    lines += [f"{order.task_id} {WRONG_USER}" for order in stage.customer.orders]
    lines += [f"{uuid.uuid4()} {stage.customer.user_id}"] * COPIES
    _ring(stage, lines)
    stage.ended()
    _ring(stage, lines)
    starts, tasks = stage.happened(EventKind.STARTED), len(stage.customer.orders)
    sent = f"{2 * len(lines)} messages too many: copies, for a wrong customer, for no task, too late"
    return f"{sent}; {starts} claims for {tasks} tasks"


def _ring(stage: Stage, lines: list[str]) -> None:
    command = [sys.executable, "-m", "celery_queue.ring_by_hand"]
    words = "\n".join(lines)
    environment = dict(stage.deployment.environment)
    rung = subprocess.run(
        command, input=words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    if rung.returncode:
        raise GaveUp(rung.stderr[-2000:])


def _order_for(stage: Stage, seconds: float) -> tuple[float, int]:
    """Order now and then for so long; the slowest answer, and how many."""
    began, slowest, taken, pause = monotonic(), 0.0, 0, threading.Event()
    while monotonic() - began < seconds:
        asked = monotonic()
        stage.order(1)
        slowest, taken = max(slowest, monotonic() - asked), taken + 1
        pause.wait(seconds / 10)
    return slowest, taken


@contextmanager
def _without(broker: EmbeddedRedis) -> Iterator[None]:
    broker.kill()
    try:
        yield
    finally:
        broker.start()
        broker.ready()


def _redis(stage: Stage) -> EmbeddedRedis:
    if stage.deployment.stack.redis is None:
        raise Skipped("there is no Redis for this platform; the broker is a directory of files")
    return stage.deployment.stack.redis


BROKER_FAULTS = (
    Fault("Redis restarted", "stopped and started, keeping nothing", restart_redis),
    Fault("Redis killed", "SIGKILL, then started, keeping nothing", kill_redis),
    Fault("Redis flushed", "FLUSHALL with messages in it", flush_redis),
    Fault("Redis gone", "away for a while, customers go on ordering", redis_gone),
    Fault("Redis frozen", "SIGSTOP: connections stay open and nobody answers", redis_frozen),
    Fault("messages duplicated", "every ring several times, with stale ids and a wrong customer", duplicate_messages),
)
