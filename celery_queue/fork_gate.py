"""A gate between our threads and prefork's forks: a thread works inside its gate, and a fork waits for every gate.

So no lock is held and no statement is half-way when a child is made of us, and the child finds all gates open.
"""

import os
import threading


class ForkGate:
    """`with gate:` around everything a background thread does but wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _GATES.append(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def renew(self) -> None:
        self._lock = threading.Lock()


_GATES: list[ForkGate] = []


def _close_all() -> None:
    for gate in _GATES:
        gate.__enter__()


def _open_all() -> None:
    for gate in reversed(_GATES):
        gate.__exit__()


def _renew_all() -> None:
    for gate in _GATES:
        gate.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close_all, after_in_parent=_open_all, after_in_child=_renew_all)
