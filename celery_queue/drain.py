"""What a shutdown does: the worker is marked draining, its slots reach a checkpoint and hand their tasks back.

The signal handler only sets a flag: the conductor's thread writes it to the row, prefork's children read it there
with their next beat, and slots of this very process read the flag itself.
"""

import threading
from typing import Any

from celery.signals import worker_shutting_down
from celery.worker import state as worker_state

EXIT_FAILURE = 1
_requested = threading.Event()
_to_wake: list[threading.Event] = []


def requested() -> bool:
    """True once this process was told to shut down."""
    return _requested.is_set()


def wakes(event: threading.Event) -> None:
    """Have the event set when the shutdown is asked for; the main thread may never hold its lock otherwise."""
    _to_wake.append(event)


def leave() -> None:
    """This worker cannot do its work: it ends, with an exit code that has it started anew."""
    worker_state.should_stop = EXIT_FAILURE


@worker_shutting_down.connect
def begin(**_: Any) -> None:
    _requested.set()
    for event in _to_wake:
        event.set()
