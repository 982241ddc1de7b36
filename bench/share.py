"""P2: ten agents that compute a Fibonacci number the slow way, one after the other: how much of the time is theirs."""

from collections.abc import Iterable
from statistics import median

from bench.measure import Figure, Surroundings
from bench.peers.peer import Peer, side_by_side

STEPS = 10
BAR_PERCENT = 99.0
PATIENCE = 120.0
PUBLISHED = {"Temporal": 96.6}
PEERS = (Peer("dbos", "dbos_share"), Peer("celery", "celery_share"))


def measure(given: Surroundings) -> Iterable[Figure]:
    from bench import house
    from bench.tools import FIBONACCI

    shares: list[dict[str, float]] = []
    with house.slow_store(given) as settings, house.worker(given, 1, settings):
        user = house.customer()

        def ours() -> float:
            row = house.await_ended([house.submit(user, "fibo")], PATIENCE)[0]
            computed = house.computed_seconds(row.id)
            shares.append({"task_s": house.seconds_of(row), "agents_s": computed})
            return 100 * computed / house.seconds_of(row)

        house.await_ended([house.submit(user, "noop")], PATIENCE)  # what a slot loads once is loaded
        orders = {"steps": STEPS, "fibonacci": FIBONACCI}
        found = side_by_side(given, () if given.quick else PEERS, ours, 1 if given.quick else 3, orders)
    yield Figure(
        id="P2",
        title="Share of a task's time that is its agents' own, 10 × fibo(33)",
        unit="%",
        ours=median(found.ours),
        bar=BAR_PERCENT,
        less_is_better=False,
        peers=found.peers,
        missing=found.missing,
        published=PUBLISHED,
        detail={"runs": shares, "peers": found.details},
        note="From the claim to the end, reports and all. Ten steps of a quarter of a second each, in pure Python.",
    )
