"""How a running claim learns that it is to end: from the heartbeat's thread into the slot's event loop."""

import asyncio
from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeVar

from backend.clock import monotonic
from backend.errors import ClaimLost, Drained, HandBack

LOOK_SECONDS = 0.05
Result = TypeVar("Result")


class StopReason(IntEnum):
    """Ordered: a graver reason replaces a milder one, never the reverse."""

    NONE = 0
    DRAIN = 1  # reach a checkpoint within the grace, then hand the task back
    LOST = 2  # another epoch owns the row, or it has ended
    CANCELLED = 3


class StopSignal:
    """Set from any thread, watched in one event loop."""

    def __init__(self, drain_seconds: float, lease_seconds: float = float("inf")) -> None:
        self.reason = StopReason.NONE
        self._lease_seconds = lease_seconds
        self._beaten_at = monotonic()
        self._drain_seconds = drain_seconds
        self._drain_until = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: asyncio.Future[None] | None = None

    def attach(self) -> None:
        """Say which loop is to be woken: the running one."""
        self._loop = asyncio.get_running_loop()
        self._changed = self._loop.create_future()
        if self.reason is not StopReason.NONE:
            self._tell()

    def stop(self, reason: StopReason) -> None:
        if reason <= self.reason:
            return
        self.reason = reason
        if reason is StopReason.DRAIN:
            self._drain_until = monotonic() + self._drain_seconds
        if self._loop is not None and self._changed is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    def beaten(self) -> None:
        """The lease was renewed just now."""
        self._beaten_at = monotonic()

    def changed(self) -> "asyncio.Future[None]":
        """Done when there is a reason; all calls of a claim look at the same one, so it is not to be cancelled."""
        assert self._changed is not None, "attach() comes first"
        return self._changed

    def heard(self) -> "asyncio.Future[None]":
        """What has been told was taken in: the next one is done with a graver reason."""
        assert self._loop is not None, "attach() comes first"
        self._changed = self._loop.create_future()
        return self._changed

    def check(self) -> None:
        """In the middle of a step: raise when it may not go on.

        Raises:
            ClaimLost: lost or cancelled; stop at once.
            Drained: the drain's grace is over.
            HandBack: no beat for a lease, so that another may have the task by now. It is looked at here, because a
                beat that hangs on a silent connection fails too late or never.
        """
        if self.reason >= StopReason.LOST:
            raise ClaimLost(detail=self.reason.name)
        if monotonic() - self._beaten_at > self._lease_seconds:
            raise HandBack(detail="no beat for a lease")
        if self.reason is StopReason.DRAIN and monotonic() >= self._drain_until:
            raise Drained

    async def watch_over(self, call: Callable[..., Result], *arguments: Any) -> Result:
        """Run a blocking call in a thread, and leave it behind as soon as the claim is to end.

        A file store that hangs keeps nobody waiting; what such a call still writes lies under an epoch that no row
        names.

        Raises:
            ClaimLost, HandBack: as check() does.
        """
        work = asyncio.ensure_future(asyncio.to_thread(call, *arguments))
        try:
            while not (await asyncio.wait({work}, timeout=LOOK_SECONDS))[0]:
                self.check()
            return work.result()
        finally:
            work.cancel()

    def check_between_steps(self) -> None:
        """At a checkpoint: a drain ends the claim here, the best place there is."""
        self.check()
        if self.reason is StopReason.DRAIN:
            raise Drained
