"""P1: forty light steps, one after the other, each with a durable checkpoint and an event. From claim to end.

Which work of dbos is the same: a step's result and an event, durable before the next step begins. Its plain form, whose
steps tell nobody, is less work and is shown beside it. Ours commits both in one statement, and computes in a process of
its own; dbos calls a function.
"""

from collections.abc import Iterable, Iterator
from statistics import median

from bench.measure import Figure, Surroundings
from bench.peers.peer import Beside, Peer, side_by_side

STEPS = 40
BAR_SECONDS = 0.30
PATIENCE = 60.0
# What others say of themselves for the same forty steps, on their machines.
PUBLISHED = {"Hatchet": 1.22, "Windmill": 2.1, "Temporal": 3.0, "Prefect": 4.9, "Airflow": 116.0}
DBOS = Peer("dbos", "dbos_steps")
PEERS = (
    DBOS,
    Peer("celery", "celery_steps", "celery, no checkpoints"),
    Peer("relier", "relier_steps", "relier, the newest state in Redis"),
)
# The figure's id, the peer's name, and what it is.
BESIDE_DBOS = (
    ("P1 dbos", f"{DBOS.title}, with an event a step", "the same work: checkpoint and event"),
    ("P1 dbos plain", DBOS.title, "less work than ours: checkpoints, no events"),
)


def measure(given: Surroundings) -> Iterable[Figure]:
    from bench import house

    rounds = 2 if given.quick else 7
    with house.slow_store(given) as settings, house.worker(given, 1, settings) as deployment:
        user = house.customer()

        def ours() -> float:
            return house.seconds_of(house.await_ended([house.submit(user, "forty")], PATIENCE)[0])

        ours()  # what a slot loads once is loaded
        busy = house.busy_seconds(deployment.worker.pid)
        found = side_by_side(given, PEERS[:1] if given.quick else PEERS, ours, rounds, {"steps": STEPS})
        busy = house.busy_seconds(deployment.worker.pid) - busy
    seconds = median(found.ours)
    yield Figure(
        id="P1",
        title="Forty light steps in a row, each checkpointed",
        unit="s",
        ours=seconds,
        bar=BAR_SECONDS,
        peers=found.peers,
        missing=found.missing,
        published=PUBLISHED,
        detail={
            "runs": [round(one, 3) for one in found.ours],
            "ms_a_step": round(1000 * seconds / STEPS, 2),
            "worker_cpu_ms_a_step": round(1000 * busy / rounds / STEPS, 2),
            "peers": found.details,
        },
        note=f"The median of {rounds} rounds, from the claim to the end; the store answers after a millisecond.",
    )
    yield from _beside_dbos(seconds, found)


def _beside_dbos(seconds: float, found: Beside) -> Iterator[Figure]:
    """The bar that is no number of seconds: not slower than dbos, in the same run."""
    for figure_id, name, what in BESIDE_DBOS:
        if name in found.peers:
            yield Figure(
                id=figure_id,
                title=f"The forty steps' time as a multiple of {name}'s",
                unit="×",
                ours=seconds / found.peers[name],
                bar=1.0,
                detail={"ours_s": round(seconds, 3), "theirs_s": round(found.peers[name], 3)},
                note=f"Beside it, {what}.",
            )
