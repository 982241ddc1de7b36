"""Which waiting task is next: start-time fair queueing over customers, in expected slot-seconds (ADMISSION.md).

One virtual time a customer, one statement a round and queue: as many tasks as there are free slots, and short ones
ahead where slots change hands so quickly that they would stand idle in between (survey.py).
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from db.database import MAY_BE_FORGOTTEN
from db.models import BUSY, WAITING, Lane
from db.prebuilt import Prebuilt
from db.rings import Ring
from db.survey import Slots

WAITING_IN_QUEUE = f"t.queue = :queue AND t.{WAITING.replace(' AND ', ' AND t.')}"
# Slot-seconds, the least that a submit expects. Nothing longer is let in ahead: a newcomer would wait for it.
SHORT = 1.0


def shape_lane(session: Session, user_id: int, weight: float | None = None, cap: int | None = None) -> Lane:
    """Change a customer's share (`weight`, over 0) or the most of their tasks at once (`cap`); None leaves it."""
    wanted = {name: value for name, value in (("weight", weight), ("cap", cap)) if value is not None}
    if wanted:
        session.execute(update(Lane).where(Lane.user_id == user_id).values(wanted))
    return session.get_one(Lane, user_id)


_LOCK = Prebuilt(f"SELECT v, {MAY_BE_FORGOTTEN} FROM admission_clock FOR UPDATE SKIP LOCKED")  # noqa: S608 (our own words)


def lock_round(session: Session) -> bool:
    """True for the one conductor whose round this is; it lasts as long as the transaction.

    The commit waits for no disk: who was let in and is forgotten is let in again, and a claim is never forgotten later.
    """
    return _LOCK.first(session, {}) is not None


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


def ripen(session: Session) -> None:
    """Let in what was put off until now."""
    session.execute(_RIPEN)


_ADMIT = Prebuilt(f"""
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
        SELECT s.user_id, s.weight, s.v, least(r.room, :most) AS room
        FROM (SELECT * FROM lane ORDER BY v, user_id) s,
        LATERAL (SELECT s.cap - count(*) AS room FROM tasks b WHERE b.user_id = s.user_id AND ({BUSY})) r
        WHERE r.room > 0 LIMIT :most),
    candidate AS (
        SELECT t.id, o.user_id, o.weight, t.cost,
            o.v + (sum(t.cost) OVER (PARTITION BY o.user_id ORDER BY t.sort_at, t.id) - t.cost) / o.weight AS tag
        FROM open_lane o,
        LATERAL (SELECT t.id, t.cost, t.sort_at FROM tasks t
                 WHERE t.user_id = o.user_id AND {WAITING_IN_QUEUE} ORDER BY t.sort_at, t.id LIMIT o.room) t),
    ranked AS (
        SELECT *, row_number() OVER (ORDER BY tag, id) AS place FROM candidate ORDER BY tag, id LIMIT :most),
    pick AS (  -- into the free slots whoever is next; ahead as long as the next is short: nobody is passed over
        SELECT * FROM (
            SELECT *, bool_and(place <= :free OR cost <= :short) OVER (ORDER BY place) AS fits FROM ranked) r
        WHERE fits),
    locked AS (  -- by its key, whatever the planner thinks of a table that nobody has counted yet
        SELECT t.id FROM pick,
        LATERAL (SELECT id, queue, status, admitted_at, not_before FROM tasks
                 WHERE id = pick.id OFFSET 0 FOR UPDATE SKIP LOCKED) t
        WHERE {WAITING_IN_QUEUE}),
    admitted AS (
        UPDATE tasks t SET admitted_at = clock_timestamp(), ring_wanted = false, rung_at = clock_timestamp(),
            rings = rings + 1
        FROM locked WHERE t.id = locked.id RETURNING t.id, t.user_id, t.celery_task_id, t.tool_id, t.queue),
    paid AS (
        UPDATE lanes l SET vtime = x.v
        FROM (SELECT p.user_id, max(p.tag + p.cost / p.weight) AS v
              FROM pick p JOIN admitted USING (id) GROUP BY p.user_id) x
        WHERE l.user_id = x.user_id),
    tick AS (
        UPDATE admission_clock SET v = greatest(v, (SELECT max(p.tag) FROM pick p JOIN admitted USING (id)))
        WHERE EXISTS (SELECT FROM admitted))
    SELECT a.id, a.user_id, a.celery_task_id, a.tool_id, a.queue
    FROM admitted a JOIN pick USING (id) ORDER BY pick.place
""")  # noqa: S608 (the predicates are our own, the values are bound)


def admit(session: Session, slots: Slots) -> Sequence[Ring]:
    """Admit waiting tasks into the free slots and ahead of them, fairly; their rings, in the order of their turn.

    They are marked as sent, to be sent after the commit. Whoever dies between has sent nothing: rung again in a second.
    """
    left, rings = slots.in_all, list[Ring]()
    for queue, free in slots.by_queue.items():
        now, ahead = min(free, left), slots.ahead.get(queue, 0)
        if now + ahead > 0:
            asked = {"queue": queue, "free": now, "most": now + ahead, "short": SHORT}
            here = [Ring(*row) for row in _ADMIT.all(session, asked)]
            rings, left = rings + here, left - min(now, len(here))
    return rings
