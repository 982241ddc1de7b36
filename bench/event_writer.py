"""What workers write, for `bench.follow`: steps delivered at random tasks, so many a second, then all their ends."""

import threading
from collections.abc import Sequence
from random import Random

from backend.clock import monotonic
from db.claims import Claim


class Writer(threading.Thread):
    """Steps at random tasks, `a_second` of them, each as a worker writes it."""

    def __init__(self, claims: Sequence[Claim], a_second: float) -> None:
        super().__init__(daemon=True)
        self._claims = claims
        self._a_second = a_second
        self._enough = threading.Event()
        self._progress = dict.fromkeys((claim.task_id for claim in claims), 0.0)
        self.written, self.seconds = 0, 0.0

    def run(self) -> None:
        from tests import builders

        chance, began = Random(4), monotonic()
        while not self._enough.wait(max(0.0, began + self.written / self._a_second - monotonic())):
            claim = chance.choice(self._claims)
            self._progress[claim.task_id] = min(99.0, self._progress[claim.task_id] + chance.random())
            builders.deliver(claim, f"agent-{self.written}", amount=0, progress=self._progress[claim.task_id])
            self.written += 1
        self.seconds = monotonic() - began

    def finish(self) -> dict[str, int]:
        """Every task ends; the number of its last event."""
        from db import endings
        from db.database import transaction
        from db.endings import Ending
        from tests import builders

        self._enough.set()
        self.join()
        for claim in self._claims:
            with transaction() as session:
                endings.settle(session, claim, Ending("success", "no manifest"))
        return {str(claim.task_id): builders.read(claim.task_id).last_event for claim in self._claims}
