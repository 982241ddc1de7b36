"""P7: what a long queue costs: a conductor's round and a claim, with 10^3, 10^5 and 10^6 tasks waiting.

    python -m bench.depth [quick]

No worker runs: the product's own round and claim are called in this process, against PostgreSQL with fsync. Each round
admits as many tasks as there are slots; all that were admitted are claimed and then ended, so that the next is alike.
"""

import sys
from collections.abc import Iterable, Sequence
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import text

from backend.clock import monotonic
from bench.alone import main
from bench.measure import Figure, Surroundings
from bench.quantiles import in_milliseconds

if TYPE_CHECKING:
    from celery_queue.rounds import Rounds
    from db.rings import Ring

FLAT = 2.0  # times: the deepest over the shallowest
CUSTOMERS = 100
SLOTS = 4
WARM = 5  # rounds until everything is planned and cached
COST = 10.0  # slot-seconds: of short ones more would be let in, and the shallow queue be empty too soon
LEASE = timedelta(seconds=30)


def measure(given: Surroundings) -> Iterable[Figure]:
    from bench import house, queued_rows

    depths = (1_000, 10_000) if given.quick else (1_000, 100_000, 1_000_000)
    users = [house.customer() for _ in range(CUSTOMERS)]
    conductor = _conductor()
    rounds: dict[int, Sequence[float]] = {}
    claims: dict[int, Sequence[float]] = {}
    filling: dict[int, float] = {}
    for depth in depths:
        queued_rows.forget_all()
        began = monotonic()
        queued_rows.fill(users, depth, "nap", COST)
        queued_rows.settle_down()
        filling[depth] = monotonic() - began
        rounds[depth], claims[depth] = _timed(conductor, 30 if given.quick else 100)
    for name, found in (("Admission round", rounds), ("Claim", claims)):
        yield _flatness(name, found, filling)


def _flatness(name: str, found: dict[int, Sequence[float]], filling: dict[int, float]) -> Figure:
    medians = {depth: median(seconds) for depth, seconds in found.items()}
    shallow, deep = min(medians), max(medians)
    return Figure(
        id="P7" if name == "Admission round" else f"P7 {name.lower()}",
        title=f"{name}: {deep:,} tasks waiting over {shallow:,}",
        unit="×",
        ours=max(medians.values()) / medians[shallow],
        bar=FLAT,
        detail={f"{depth:,}": in_milliseconds(seconds) for depth, seconds in found.items()}
        | {"seconds_to_make_the_rows": {f"{depth:,}": round(one, 1) for depth, one in filling.items()}},
        note=f"Median of {len(found[shallow])}, {CUSTOMERS} customers, {SLOTS} slots; the commit and its fsync in it.",
    )


def _conductor() -> "Rounds":
    from backend.settings import get_settings
    from celery_queue.identity import identity
    from celery_queue.rounds import Rounds

    return Rounds(identity("solo", SLOTS), get_settings())


def _timed(conductor: "Rounds", count: int) -> tuple[Sequence[float], Sequence[float]]:
    """Seconds of each round, and of each claim."""
    rounds, claimed = [], []
    for number in range(WARM + count):
        began = monotonic()
        due = conductor.conduct().rings
        took = monotonic() - began
        claims = _claim(due)
        _end_running()
        if number >= WARM:
            rounds.append(took)
            claimed += claims
    return rounds, claimed


def _claim(due: Sequence["Ring"]) -> list[float]:
    from celery_queue.identity import BOOT_UUID
    from db import claims
    from db.database import transaction

    assert len(due) >= SLOTS, f"{len(due)} tasks were admitted"
    seconds = []
    for ring in due:
        began = monotonic()
        with transaction() as session:
            assert claims.take(session, ring.task_id, ring.user_id, BOOT_UUID, LEASE) is not None
        seconds.append(monotonic() - began)
    return seconds


def _end_running() -> None:
    from db.database import transaction

    with transaction() as session:
        session.execute(text("UPDATE tasks SET status = 'COMPLETED', outcome = 'success', finished_at = now() "
                             "WHERE status = 'PROCESSING'"))  # fmt: skip


if __name__ == "__main__":
    main("P7", *sys.argv[1:] or ["whole"])
