"""P5's other half: no-op tasks a second on two slots, ours beside the specification's own pattern and eight others.

All tasks are queued before the workers start; counted from the first that ends to the last. The pattern and ours run in
turn, three times, and their medians count; of the others the better of two runs. As many tasks each as keep it busy for
some seconds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median

from bench.measure import Figure, Surroundings
from bench.peers.environments import PeerMissing, version
from bench.peers.peer import Peer, running

SLOTS = 2
BAR_OF_PATTERN = 0.85  # of what the specification's own pattern does
PATTERN = Peer("celery", "celery_status", "the specification's pattern on Celery")
OTHERS = (
    *("celery", "relier", "dramatiq", "taskiq"),
    *("arq", "procrastinate", "pgqueuer", "dbos"),
)
PEERS = tuple(Peer(name, f"{name}_throughput", name) for name in OTHERS)
NOTE = (
    "Ours are claimed, fenced and settled by the router, with their events and a place in a fair queue. "
    f"The bar is {BAR_OF_PATTERN:.0%} of the specification's pattern; the others keep less, or keep it elsewhere, "
    "as the table of them says."
)
PATIENCE = 90.0
ROUNDS = 3
SAMPLE = 100  # tasks of the run that warms, and tells how many keep it busy
SECONDS = 2.5  # for so long
FEWEST, MOST = 200, 3000  # tasks; more are only longer in the making


@dataclass
class Rates:
    """Tasks a second of each run."""

    ours: list[float] = field(default_factory=list)
    pattern: list[float] = field(default_factory=list)
    others: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def measure(given: Surroundings, user: int) -> Iterable[Figure]:
    found = Rates()
    _in_turn(given, user, found)
    for peer in () if given.quick else PEERS:
        try:
            found.others[peer.title] = _best(given, peer)
        except PeerMissing as error:
            found.missing[peer.title] = str(error)
    yield from _figure(found)


def _in_turn(given: Surroundings, user: int, found: Rates) -> None:
    """Ours, and the pattern that ours is held to; the first run of each warms, or is all there is."""
    found.ours.append(_ours(given, user, SAMPLE))
    try:
        with running(given, PATTERN, {}) as pattern:
            found.pattern.append(pattern.warm(count=SAMPLE)["value"])
            for _ in range(0 if given.quick else ROUNDS):
                found.pattern.append(pattern.run(count=_enough(found.pattern[0]))["value"])
                found.ours.append(_ours(given, user, _enough(found.ours[0])))
    except PeerMissing as error:
        found.missing[PATTERN.title] = str(error)


def _best(given: Surroundings, peer: Peer) -> float:
    with running(given, peer, {}) as it:
        count = _enough(it.warm(count=SAMPLE)["value"])
        return max(float(it.run(count=count)["value"]) for _ in range(2))


def _enough(rate: float) -> int:
    """Tasks for some seconds."""
    return max(FEWEST, min(MOST, round(rate * SECONDS)))


def _ours(given: Surroundings, user: int, count: int) -> float:
    from bench import house

    tasks = [house.submit(user, "nothing") for _ in range(count)]
    with house.worker_of(given, "bench.noop_worker", SLOTS):
        return house.a_second(house.await_ended(tasks, PATIENCE))


def _figure(found: Rates) -> Iterator[Figure]:
    beside = {PATTERN.title: _typical(found.pattern)} if found.pattern else {}
    yield Figure(
        id="P5 router",
        title="No-op tasks",
        unit="tasks/s",
        ours=_typical(found.ours),
        bar=BAR_OF_PATTERN * _typical(found.pattern) if found.pattern else None,
        less_is_better=False,
        peers={**beside, **found.others},
        missing=found.missing,
        detail={
            "ours": [round(one, 1) for one in found.ours],
            PATTERN.title: [round(one, 1) for one in found.pattern],
            "versions": {name: version(name) for name in OTHERS},
        },
        note=NOTE,
    )


def _typical(rates: list[float]) -> float:
    """The median, without the run that warmed."""
    return median(rates[1:] or rates)
