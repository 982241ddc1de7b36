import os
import threading

import pytest

from celery_queue.fork_gate import ForkGate

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")


def child_finds(gate: ForkGate) -> bool:
    """True when a forked child can pass the gate."""
    pid = os.fork()
    if pid == 0:
        os._exit(0 if gate._lock.acquire(timeout=1) else 1)
    return os.waitpid(pid, 0)[1] == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_waits_until_the_thread_has_left_its_gate() -> None:
    gate, inside, leave = ForkGate(), threading.Event(), threading.Event()
    order: list[str] = []

    def work() -> None:
        with gate:
            inside.set()
            leave.wait(5)
            order.append("left")

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(5)
    threading.Timer(0.2, leave.set).start()
    assert child_finds(gate)
    order.append("forked")
    thread.join(5)
    assert order == ["left", "forked"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_after_a_fork_the_gate_is_open_on_both_sides() -> None:
    gate = ForkGate()
    assert child_finds(gate)
    with gate:
        pass
    assert child_finds(gate)
