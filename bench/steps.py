"""P1: forty light steps, one after the other, each with a durable checkpoint and an event. From claim to end."""

from collections.abc import Iterable
from statistics import median

from bench.measure import Figure, Surroundings
from bench.peers.peer import Peer, side_by_side

STEPS = 40
BAR_SECONDS = 0.30
PATIENCE = 60.0
# What others say of themselves for the same forty steps, on their machines.
PUBLISHED = {"Hatchet": 1.22, "Windmill": 2.1, "Temporal": 3.0, "Prefect": 4.9, "Airflow": 116.0}
PEERS = (
    Peer("dbos", "dbos_steps"),
    Peer("celery", "celery_steps", "celery, no checkpoints"),
    Peer("relier", "relier_steps", "relier, the newest state in Redis"),
)


def measure(given: Surroundings) -> Iterable[Figure]:
    from bench import house

    rounds = 3 if given.quick else 5
    with house.slow_store(given) as settings, house.worker(given, 1, settings) as deployment:
        user = house.customer()

        def ours() -> float:
            return house.seconds_of(house.await_ended([house.submit(user, "forty")], PATIENCE)[0])

        ours()  # what a slot loads once is loaded
        busy = house.busy_seconds(deployment.worker.pid)
        found = side_by_side(given, PEERS, ours, rounds, {"steps": STEPS})
        busy = house.busy_seconds(deployment.worker.pid) - busy
    seconds = median(found.ours)
    yield Figure(
        id="P1",
        title="Forty light steps in a row, each checkpointed",
        unit="s",
        ours=seconds,
        bar=BAR_SECONDS,
        peers=found.peers,
        published=PUBLISHED,
        detail={
            "runs": [round(one, 3) for one in found.ours],
            "ms_a_step": round(1000 * seconds / STEPS, 2),
            "worker_cpu_ms_a_step": round(1000 * busy / rounds / STEPS, 2),
            "peers": found.details,
        },
        note=found.note,
    )
