"""Plain Celery on Redis, as its documentation makes it durable: acks late, requeued when a worker is lost.

What survives is the message of the step that is under way; there is no checkpoint and no row.
"""

import os
import time
from typing import Any

from celery import Celery

from bench.peers.counting import done
from bench.peers.talk import fibonacci

app = Celery("peer", broker=os.environ["PEER_REDIS_URL"], backend=os.environ["PEER_REDIS_URL"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_serializer="json",
    broker_connection_retry_on_startup=True,
)


WORKER = (
    "celery",
    "-A",
    "bench.peers.celery_app",
    "worker",
    "--without-gossip",
    "--without-mingle",
    "--loglevel=WARNING",
)


@app.task(ignore_result=True)
def nothing() -> None:
    done()


@app.task
def light(state: dict[str, Any]) -> dict[str, Any]:
    """One step of a chain; the first writes down when it began, each adds itself."""
    return {"began": state.get("began") or time.time(), "step": state.get("step", 0) + 1, "ended": time.time()}


@app.task
def compute(state: dict[str, Any]) -> dict[str, Any]:
    """A step that computes, and what of the time was its own."""
    began = time.time()
    fibonacci(state["fibonacci"])
    ended = time.time()
    return state | {
        "began": state.get("began") or began,
        "ended": ended,
        "computed": state.get("computed", 0.0) + ended - began,
    }
