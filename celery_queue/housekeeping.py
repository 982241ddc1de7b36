"""What is tidied once a minute, by one worker of the whole cluster: the tables here, the files by the janitor.

Each chore is a transaction of its own, bounded, outside of any round: one that fails or is slow costs no rescue and no
admission, and keeps no other chore from being done.
"""

from collections.abc import Callable
from datetime import timedelta

from backend.logs import log
from backend.metrics.of_workers import CHORES_FAILED
from backend.settings import Settings
from db import (
    accounts,
    deliveries,
    idempotency,
    model_memory,
    paces,
    rings,
    sign_in_tries,
    task_store,
    vectors,
    workers,
)
from db.database import DATABASE_ERRORS, Session, transaction
from transformers.catalog import tools

ENOUGH = 1000  # rows a minute: a chore is a short transaction
DEAD_WORKER = timedelta(minutes=10)
Chore = Callable[[Session], object]  # True: there is more of it to do
EXPIRED_AT_ONCE = 100
MOST_PAGES = 20  # of a chore, a minute


def chores(settings: Settings) -> dict[str, Chore]:
    """By name, in no particular order."""
    never_started = timedelta(hours=settings.never_started_hours)
    lease = settings.lease
    unfolded = [tool.id for tool in tools().values() if tool.unfold is not None]
    return {
        "expire what was never started": lambda session: (
            task_store.expire(session, never_started, EXPIRED_AT_ONCE) == EXPIRED_AT_ONCE
        ),
        "bring home what waits for a worker that is gone": lambda session: rings.bring_home(session, lease),
        "forget dead workers": lambda session: workers.forget_dead(session, DEAD_WORKER),
        "forget old answers": idempotency.forget_old,
        "forget old webhook deliveries": deliveries.forget_old,
        "forget expired tokens": accounts.forget_expired_tokens,
        "forget old tries to sign in": sign_in_tries.forget_old,
        "learn the agents' paces": lambda session: paces.measure(session, unfolded),
        "forget answers of models": lambda session: model_memory.forget_expired(session, ENOUGH),
        "take back what ended ingests have stored": lambda session: vectors.sweep(session, ENOUGH),
    }


def keep_house(wanted: dict[str, Chore]) -> None:
    """Do them all, as far as the database lets us."""
    for name, chore in wanted.items():
        try:
            for _ in range(MOST_PAGES):
                with transaction() as session:
                    more = chore(session)
                if more is not True:
                    break
        except DATABASE_ERRORS as error:
            log().warning("a chore was left undone", chore=name, error=str(error))
            CHORES_FAILED.count()
