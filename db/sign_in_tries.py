"""How often it was tried to sign in, counted for all API processes together, and who has to wait.

A try is counted before the password is looked at, so that a thousand at one moment are no way around it; who was right,
or was never judged, takes the count back. What is refused is not counted: nobody makes another's wait longer by
knocking.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.errors import TooManyRequests

KNOWN_FOR = timedelta(days=30)
FORGOTTEN_AFTER = timedelta(days=2)  # by then every count has fallen to nothing
TRIED_AT_ONCE = 1.0  # seconds that the loser of a race for one try is told to wait
MOST_DOUBLINGS = 30  # more would overflow nothing yet, and mean nothing


@dataclass(frozen=True, slots=True)
class Patience:
    """The first `free` failures cost nothing; then the wait is `first` seconds, and doubles up to `longest`.

    One failure is forgotten each `forgotten` seconds.
    """

    free: int
    longest: float
    forgotten: float
    first: float = 1.0

    def wait(self, failures: float) -> float:
        """Seconds until the next try."""
        over = min(MOST_DOUBLINGS, round(failures) - self.free)
        return min(self.longest, self.first * 2.0 ** (over - 1)) if over > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Counted:
    """One count that a try goes into. `spared_by`: not where that other one has signed in before."""

    who: str
    patience: Patience
    spared_by: str | None = None


_STANDING = text("""
    SELECT who, extract(epoch FROM open_at - clock_timestamp())::float AS wait, known_until > clock_timestamp() AS known
    FROM sign_in_tries WHERE who = ANY(:all)
""")
# In one order, so that two tries wait for each other and never both.
_COUNT = text("""
    INSERT INTO sign_in_tries AS t (who, failures, open_at, tried_at)
    SELECT who, 1, clock_timestamp(), clock_timestamp() FROM unnest(CAST(:who AS text[])) AS asked(who) ORDER BY who
    ON CONFLICT (who) DO UPDATE SET
        failures = greatest(0, t.failures - extract(epoch FROM clock_timestamp() - t.tried_at)
            / (CAST(:forgotten AS jsonb) ->> t.who)::float) + 1,
        tried_at = clock_timestamp(),
        open_at = clock_timestamp()
    WHERE t.open_at <= clock_timestamp()
    RETURNING who, failures
""")
_WAIT = text("UPDATE sign_in_tries SET open_at = clock_timestamp() + make_interval(secs => :wait) WHERE who = :who")
_TAKE_BACK = text("""
    UPDATE sign_in_tries t SET failures = greatest(0, failures - 1), open_at = clock_timestamp()
    FROM (SELECT who FROM sign_in_tries WHERE who = ANY(:all) ORDER BY who FOR UPDATE) mine WHERE t.who = mine.who
""")
_KNOWN = text("""
    INSERT INTO sign_in_tries (who, known_until) VALUES (:who, clock_timestamp() + :known_for)
    ON CONFLICT (who) DO UPDATE SET failures = 0, open_at = clock_timestamp(), known_until = excluded.known_until
""")
_FORGET = text("""
    DELETE FROM sign_in_tries WHERE who IN (
        SELECT who FROM sign_in_tries
        WHERE tried_at < (SELECT clock_timestamp()) - CAST(:age AS interval)
            AND known_until < (SELECT clock_timestamp())
        ORDER BY tried_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
""")


def count(session: Session, counts: Sequence[Counted]) -> None:
    """One try. The transaction is to be rolled back where it raises.

    Raises:
        TooManyRequests: with the seconds until the next try may be made.
    """
    found = session.execute(_STANDING, {"all": [one.who for one in counts]}).all()
    known = {row.who for row in found if row.known}
    asked = [one for one in counts if one.spared_by not in known]
    waits = [row.wait for row in found if row.wait > 0 and any(row.who == one.who for one in asked)]
    if waits:
        raise _later(max(waits))
    counted = _counted(session, asked)
    if len(counted) < len(asked):  # somebody else tried at this very moment
        raise _later(TRIED_AT_ONCE)
    for one in asked:
        wait = one.patience.wait(counted[one.who])
        if wait:
            session.execute(_WAIT, {"who": one.who, "wait": wait})


def succeeded(session: Session, counts: Sequence[Counted], known: str) -> None:
    """The last try was right: it is taken back everywhere, and `known` is spared from now on."""
    take_back(session, counts)  # locks `known` as well, in its place: see _COUNT
    session.execute(_KNOWN, {"who": known, "known_for": KNOWN_FOR})


def take_back(session: Session, counts: Sequence[Counted]) -> None:
    """The last try was none: nobody looked at its password."""
    session.execute(_TAKE_BACK, {"all": [one.who for one in counts]})


def forget_old(session: Session, limit: int = 5000) -> None:
    """What counts nothing any more, the oldest first."""
    session.execute(_FORGET, {"age": FORGOTTEN_AFTER, "most": limit})


def _counted(session: Session, asked: Sequence[Counted]) -> dict[str, float]:
    """The failures by now, of those whose turn it was."""
    forgotten = json.dumps({one.who: one.patience.forgotten for one in asked})
    rows = session.execute(_COUNT, {"who": [one.who for one in asked], "forgotten": forgotten})
    return {row.who: row.failures for row in rows}


def _later(seconds: float) -> TooManyRequests:
    refused = TooManyRequests("Too many tries to sign in.")
    refused.retry_after = seconds
    return refused
