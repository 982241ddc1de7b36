"""How relier's worker is started, and where its Redis is: said before relier is imported."""

import os

os.environ["RELIER_REDIS_URL"] = os.environ["PEER_REDIS_URL"]
os.environ.setdefault("RELIER_SECRET_KEY", "not-a-secret-only-for-a-measure!")


def command(slots: int) -> tuple[str, ...]:
    return (
        "celery", "-A", "relier.tasks.app", "worker", "-c", str(slots),
        "-Q", "high_priority,default,low_priority,re-queue", "--include=bench.peers.relier_tasks",
        "--without-gossip", "--without-mingle", "--loglevel=WARNING",
    )  # fmt: skip
