"""What a conductor's round looks at, in one statement: who has slots, what takes them, what is due. Changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from db.models import BUSY, LATER, RUNG, WAITING
from db.prebuilt import Prebuilt

# A ring is on its way for some 20 ms: the round, the broker, the claim; rounds for such tasks are as far apart. What
# ends in that time is let in ahead, so that its slot does not stand idle; so a newcomer waits as long for those before
# it, however long tasks take.
HAND_OVER = timedelta(milliseconds=50)
MOST_AHEAD = 4  # for each slot, however quickly it changes hands
TURNOVER = timedelta(milliseconds=250)  # the stretch over which ends are counted


@dataclass(frozen=True, slots=True)
class Slots:
    """Free slots by queue, and how many of them a round may fill in all (a worker may take from several queues).

    `ahead`, by queue: so many short tasks more, which wait in the broker for the next slot.
    """

    by_queue: Mapping[str, int]
    in_all: int
    ahead: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Survey:
    """`idle`: slots in which nothing runs, whatever was rung. `spare`: slots less what runs and what was rung, below 0
    where tasks were let in ahead. `pace`: tasks that ended of late, a second. `ripe_in`, `expires_in`: seconds
    until the next task that was put off may run, and until the first lease ends; None where there is none.
    """

    slots: Slots
    idle: int
    spare: int
    pace: float
    waiting: bool
    ripe_in: float | None
    expires_in: float | None
    to_ring: bool
    unanswered: bool
    house_is_due: bool


# Each `LIMIT 1` has the order of its index: where a table has just been filled and nobody has counted its rows yet, an
# EXISTS is answered by reading all that wait.
_LOOK = Prebuilt(f"""
    WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS at),
    live AS MATERIALIZED (
        SELECT queues, slots FROM workers WHERE seen_at > (SELECT at FROM clock) - :lease AND NOT draining),
    served AS (SELECT queue, sum(slots) AS slots FROM live, unnest(queues) AS queue GROUP BY queue),
    busy AS (SELECT queue, count(*) AS busy FROM tasks WHERE {BUSY} GROUP BY queue),
    ended AS (
        SELECT queue, count(*) AS ended FROM tasks
        WHERE finished_at > (SELECT at FROM clock) - :turnover AND inputs_cleaned_at IS NULL GROUP BY queue),
    running AS (SELECT count(*) AS count, min(lease_until) AS lease_until FROM tasks WHERE status = 'PROCESSING')
    SELECT served.queue, served.slots, coalesce(busy.busy, 0) AS busy, coalesce(ended.ended, 0) AS ended,
        (SELECT true FROM tasks WHERE queue = served.queue AND {WAITING} ORDER BY user_id LIMIT 1) AS waiting,
        (SELECT coalesce(sum(slots), 0) FROM live) AS in_all, running.count AS running,
        extract(epoch FROM running.lease_until - clock.at) AS expires_in,
        extract(epoch FROM (SELECT min(not_before) FROM tasks WHERE {LATER}) - clock.at) AS ripe_in,
        (SELECT true FROM tasks WHERE ring_wanted ORDER BY admitted_at LIMIT 1) AS to_ring,
        (SELECT true FROM tasks WHERE {RUNG} AND NOT ring_wanted AND rung_at < clock.at - interval '1 s'
         ORDER BY admitted_at LIMIT 1) AS unanswered,
        (SELECT house_kept_at < clock.at - CAST(:every AS interval) FROM admission_clock) AS house_is_due
    FROM clock CROSS JOIN running
        LEFT JOIN (served LEFT JOIN busy USING (queue) LEFT JOIN ended USING (queue)) ON true
""")  # noqa: S608 (the predicates are our own, the values are bound)


def look(session: Session, lease: timedelta, keep_house_every: timedelta = timedelta(0)) -> Survey:
    """How things stand at this moment; only under the round's lock will it stay so until the commit."""
    asked = {"lease": lease, "turnover": TURNOVER, "every": keep_house_every}
    rows = _LOOK.all(session, asked)
    queues = [row for row in rows if row.queue is not None]
    first, taken = rows[0], sum(min(row.busy, row.slots) for row in queues)
    spare = first.in_all - sum(row.busy for row in queues)
    slots = Slots(
        by_queue={row.queue: max(0, row.slots - row.busy) for row in queues},
        in_all=max(0, first.in_all - taken),
        ahead={row.queue: ahead for row in queues if (ahead := _ahead(row, spare)) > 0},
    )
    return Survey(
        slots=slots,
        idle=max(0, first.in_all - first.running),
        spare=spare,
        pace=sum(row.ended for row in queues) / TURNOVER.total_seconds(),
        waiting=any(row.waiting for row in queues),
        ripe_in=_seconds(first.ripe_in),
        expires_in=_seconds(first.expires_in),
        to_ring=bool(first.to_ring),
        unanswered=bool(first.unanswered),
        house_is_due=first.house_is_due,
    )


def _ahead(queue: Any, spare: int) -> int:
    """So many tasks as end during one hand-over, less those that are ahead already."""
    wanted = min(MOST_AHEAD * queue.slots, round(queue.ended * (HAND_OVER / TURNOVER)))
    return int(wanted - max(0, queue.busy - queue.slots, -spare))


def _seconds(found: Any) -> float | None:
    return None if found is None else float(found)
