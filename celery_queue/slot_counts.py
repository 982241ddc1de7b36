"""How the numbers of prefork's slots come to the main process, which is the one that is scraped.

A slot sends what it has counted since the last time, once a second, over a pair of sockets that was there before the
forks; the main process adds it up. So a slot that is replaced takes nothing back, and one that is killed takes a second
at most along. Slots of solo and threads are the main process, and count where it does.
"""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from backend.metrics.tally import TALLY, Counted

SECONDS = 1.0
AT_ONCE = 200  # series in one message: some 20 KB, a tenth of what a socket takes
LONGEST = 1 << 18  # bytes


class SlotCounts:
    """Made by the main process before it forks."""

    def __init__(self) -> None:
        self._main = os.getpid()
        self._ours, self._theirs = socket.socketpair(type=socket.SOCK_DGRAM)
        self._theirs.settimeout(0)
        self._over = threading.Event()

    def gather(self) -> None:
        """In the main process, from now on."""
        threading.Thread(target=self._gather, name="slot-counts", daemon=True).start()

    def _gather(self) -> None:
        while message := self._ours.recv(LONGEST):  # none: it was closed
            TALLY.include(_opened(message))

    def begin(self) -> None:
        """In a slot: send from now on."""
        if os.getpid() != self._main:
            threading.Thread(target=self._send_on, name="slot-counts", daemon=True).start()

    def end(self) -> None:
        """In a slot that goes in good order."""
        if os.getpid() != self._main:
            self._over.set()
            self.send()

    def _send_on(self) -> None:
        while not self._over.wait(SECONDS):
            self.send()

    def send(self) -> None:
        """Where the main process does not keep up, what it did not take is sent the next time."""
        counted = TALLY.take()
        for some in _in_pieces(counted):
            try:
                self._theirs.send(_sealed(some))
            except OSError:
                TALLY.include(some)

    def close(self) -> None:
        """For tests: a worker keeps it to its end."""
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)
        self._ours.close()
        self._theirs.close()


def _in_pieces(counted: Counted) -> Iterator[Counted]:
    counts, spreads = iter(counted.counts.items()), iter(counted.spreads.items())
    while some := Counted(dict(islice(counts, AT_ONCE)), dict(islice(spreads, AT_ONCE))):
        yield some


def _sealed(counted: Counted) -> bytes:
    counts = [(name, labels, count) for (name, labels), count in counted.counts.items()]
    spreads = [(name, labels, spread) for (name, labels), spread in counted.spreads.items()]
    return json.dumps((counts, spreads), separators=(",", ":")).encode()


def _opened(message: bytes) -> Counted:
    counts, spreads = json.loads(message)
    return Counted(
        {(name, tuple(labels)): count for name, labels, count in counts},
        {(name, tuple(labels)): spread for name, labels, spread in spreads},
    )
