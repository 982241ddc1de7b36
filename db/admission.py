"""Which waiting task is next: start-time fair queueing over customers, in expected slot-seconds (ADMISSION.md).

One virtual time a customer, one statement a round and queue, exactly as many tasks as there are free slots.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from db.database import MAY_BE_FORGOTTEN
from db.models import BUSY, WAITING, Lane

WAITING_IN_QUEUE = f"t.queue = :queue AND t.{WAITING.replace(' AND ', ' AND t.')}"


@dataclass(frozen=True, slots=True)
class Slots:
    """Free slots by queue, and how many of them a round may fill in all (a worker may take from several queues)."""

    by_queue: Mapping[str, int]
    in_all: int


def shape_lane(session: Session, user_id: int, weight: float | None = None, cap: int | None = None) -> Lane:
    """Change a customer's share (`weight`, over 0) or the most of their tasks at once (`cap`); None leaves it."""
    wanted = {name: value for name, value in (("weight", weight), ("cap", cap)) if value is not None}
    if wanted:
        session.execute(update(Lane).where(Lane.user_id == user_id).values(wanted))
    return session.get_one(Lane, user_id)


_LOCK = text(f"SELECT v, {MAY_BE_FORGOTTEN} FROM admission_clock FOR UPDATE SKIP LOCKED")  # noqa: S608 (our own words)


def lock_round(session: Session) -> bool:
    """True for the one conductor whose round this is; it lasts as long as the transaction.

    The commit waits for no disk: who was let in and is forgotten is let in again, and a claim is never forgotten later.
    """
    return session.execute(_LOCK).scalar() is not None


_KEEP_HOUSE = text("""
    UPDATE admission_clock SET house_kept_at = clock_timestamp()
    WHERE house_kept_at < clock_timestamp() - CAST(:every AS interval) RETURNING id
""")


def house_is_due(session: Session, every: timedelta) -> bool:
    """True for one round in the whole cluster each `every`; asked inside a round, whose lock it is."""
    return session.execute(_KEEP_HOUSE, {"every": every}).scalar() is not None


_RIPEN = text("""
    UPDATE tasks SET not_before = NULL
    WHERE id IN (SELECT id FROM tasks WHERE status = 'QUEUED' AND not_before <= (SELECT clock_timestamp())
                 ORDER BY not_before LIMIT 1000 FOR UPDATE SKIP LOCKED)
""")
_NEXT_RIPE = text("""
    SELECT extract(epoch FROM min(not_before) - clock_timestamp()) FROM tasks
    WHERE status = 'QUEUED' AND not_before IS NOT NULL
""")


def ripen(session: Session) -> float | None:
    """Let in what was put off until now; seconds until the next one, if any."""
    session.execute(_RIPEN)
    seconds = session.execute(_NEXT_RIPE).scalar()
    return None if seconds is None else max(0.0, float(seconds))


_LIVE = "FROM workers WHERE seen_at > (SELECT clock_timestamp()) - :lease AND NOT draining"
_SLOTS = text(f"""
    WITH live AS MATERIALIZED (SELECT queues, slots {_LIVE}),
    busy AS (SELECT queue, count(*) AS busy FROM tasks WHERE {BUSY} GROUP BY queue)
    SELECT queue, sum(slots) AS slots, coalesce(max(busy.busy), 0) AS busy, (SELECT sum(slots) FROM live) AS in_all
    FROM live, unnest(queues) AS queue LEFT JOIN busy USING (queue) GROUP BY queue
""")  # noqa: S608 (our own words)
_IDLE = text(f"""
    SELECT (SELECT coalesce(sum(slots), 0) {_LIVE}) - (SELECT count(*) FROM tasks WHERE status = 'PROCESSING')
""")  # noqa: S608 (our own words)


def free_slots(session: Session, lease: timedelta) -> Slots:
    """The slots of live workers, less what runs and what was rung.

    A queue takes no more slots than it has: rings that wait for workers which are away starve no other queue.
    """
    rows = session.execute(_SLOTS, {"lease": lease}).all()
    free = {row.queue: max(0, row.slots - row.busy) for row in rows}
    taken = sum(row.slots - free[row.queue] for row in rows)
    in_all = rows[0].in_all - taken if rows else 0
    return Slots(by_queue=free, in_all=max(0, in_all))


def idle_slots(session: Session, lease: timedelta) -> int:
    """Slots in which nothing runs, whatever was rung: a ring that nobody answers leaves its slot idle."""
    idle: int = session.execute(_IDLE, {"lease": lease}).scalar_one()
    return max(0, idle)


_ADMIT = text(f"""
    WITH RECURSIVE w (user_id) AS (  -- a loose scan: the customers who have something waiting
        (SELECT t.user_id FROM tasks t WHERE {WAITING_IN_QUEUE} ORDER BY t.user_id LIMIT 1)
        UNION ALL
        SELECT (SELECT t.user_id FROM tasks t
                WHERE {WAITING_IN_QUEUE} AND t.user_id > w.user_id ORDER BY t.user_id LIMIT 1)
        FROM w WHERE w.user_id IS NOT NULL),
    lane AS (
        SELECT l.user_id, l.weight, l.cap, greatest(l.vtime, c.v) AS v
        FROM w JOIN lanes l USING (user_id), admission_clock c),
    open_lane AS (
        SELECT s.user_id, s.weight, s.v, least(r.room, :k) AS room
        FROM (SELECT * FROM lane ORDER BY v, user_id) s,
        LATERAL (SELECT s.cap - count(*) AS room FROM tasks b WHERE b.user_id = s.user_id AND ({BUSY})) r
        WHERE r.room > 0 LIMIT :k),
    candidate AS (
        SELECT t.id, o.user_id, o.weight, t.cost,
            o.v + (sum(t.cost) OVER (PARTITION BY o.user_id ORDER BY t.sort_at, t.id) - t.cost) / o.weight AS tag
        FROM open_lane o,
        LATERAL (SELECT t.id, t.cost, t.sort_at FROM tasks t
                 WHERE t.user_id = o.user_id AND {WAITING_IN_QUEUE} ORDER BY t.sort_at, t.id LIMIT o.room) t),
    pick AS (SELECT * FROM candidate ORDER BY tag, id LIMIT :k),
    locked AS (
        SELECT t.id FROM tasks t JOIN pick USING (id) WHERE {WAITING_IN_QUEUE} FOR UPDATE OF t SKIP LOCKED),
    admitted AS (
        UPDATE tasks t SET admitted_at = clock_timestamp(), ring_wanted = true
        FROM locked WHERE t.id = locked.id RETURNING t.id),
    paid AS (
        UPDATE lanes l SET vtime = x.v
        FROM (SELECT p.user_id, max(p.tag + p.cost / p.weight) AS v
              FROM pick p JOIN admitted USING (id) GROUP BY p.user_id) x
        WHERE l.user_id = x.user_id),
    tick AS (
        UPDATE admission_clock SET v = greatest(v, (SELECT max(p.tag) FROM pick p JOIN admitted USING (id)))
        WHERE EXISTS (SELECT FROM admitted))
    SELECT count(*) FROM admitted
""")  # noqa: S608 (the predicates are our own, the values are bound)


def admit(session: Session, slots: Slots) -> int:
    """Admit waiting tasks into the free slots, fairly; how many. They are to be rung after the commit."""
    left, admitted = slots.in_all, 0
    for queue, free in slots.by_queue.items():
        count = min(free, left)
        if count > 0:
            admitted_here = session.execute(_ADMIT, {"k": count, "queue": queue}).scalar_one()
            admitted, left = admitted + admitted_here, left - admitted_here
    return admitted
