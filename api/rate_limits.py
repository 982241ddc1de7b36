"""How often one customer may ask: a bucket of requests each, filled steadily.

It lies in the memory of each API process, so that neither a table nor the broker is asked for it: with three
processes a customer has three. Who is not signed in yet is counted elsewhere (doorstep.py).
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from starlette.requests import Request

from backend.clock import monotonic
from backend.errors import TooManyRequests

MOST_BUCKETS = 10_000  # customers that are remembered; who has not asked for long has a full bucket anyway


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Buckets:
    """One for each customer; asked from several threads, where a lost drop does no harm."""

    def __init__(self, per_second: float, at_once: int) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def take(self, who: Hashable) -> None:
        """One request.

        Raises:
            TooManyRequests: with the seconds until there is room for the next.
        """
        if not self._per_second:
            return
        now = monotonic()
        bucket = self._buckets.setdefault(who, _Bucket(self._at_once, now))
        self._buckets.move_to_end(who)
        while len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        bucket.left = min(self._at_once, bucket.left + (now - bucket.at) * self._per_second)
        bucket.at = now
        if bucket.left < 1:
            refused = TooManyRequests()
            refused.retry_after = (1 - bucket.left) / self._per_second
            raise refused
        bucket.left -= 1


def check_rate(request: Request, customer_id: int) -> None:
    """Raises TooManyRequests."""
    buckets: Buckets = request.app.state.buckets
    buckets.take(customer_id)
