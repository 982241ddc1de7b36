"""Why a task waits, which place it has, and when it will have ended.

The place is counted in the order in which admission.py would take the tasks if none came and none ended. However many
wait, a bounded number of rows is read: a place far back is an estimate, and said to be one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from db import paces
from db.admission import WAITING_IN_QUEUE
from db.durations import Span, expected
from db.models import BUSY, Task, TaskStatus

MOST_OWN = 10_000  # waiting rows of the task's own customer that are read
MOST_LANES = 1_000  # other customers that are looked at
MOST_ROWS = 5_000  # of all of those together
EXACT = 1_000  # a place up to here is a count, where nothing else was cut short
# A wait is known to a factor: costs are medians, others come in between, and workers come and go.
SOONER, LATER = 0.5, 2.0


class Reason(StrEnum):
    BEHIND_OTHERS = "behind_others"
    OWN_CAP = "own_cap"
    BACK_OFF = "back_off"
    NO_WORKER = "no_worker"
    PAUSED = "paused"
    STARTING = "starting"
    CHILDREN = "children"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why. `position` 1 is next; `until` is when it may go on."""

    reason: Reason
    message: str
    position: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Why a task waits, and the seconds until its end; None where it does not, or nothing is known."""

    waiting: Waiting | None = None
    eta: Span | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """What a task's place depends on besides those before it."""

    weight: float
    cap: int
    v: float
    slots: int  # of live workers that take from its queue and know its tool
    busy: int
    busy_seconds: float  # that those at work, of all customers, will yet need
    own_busy: int
    own_busy_seconds: float


@dataclass(frozen=True, slots=True)
class Ahead:
    """Those that will be taken before it: how many, and their slot-seconds. `about`: they were not all counted."""

    count: int
    seconds: float
    own_count: int
    own_seconds: float
    about: bool


def outlook(session: Session, task: Task, finished: Collection[str], lease: timedelta) -> Outlook:
    """As things are now; `finished` are the agents whose steps are done, well or not."""
    if task.status == TaskStatus.WAITING:
        return Outlook(_for_children(task))
    if task.status not in {TaskStatus.QUEUED, TaskStatus.PROCESSING}:
        return Outlook()
    left = [agent for agent in task.agents if agent not in finished]
    run = expected(left, paces.mebibytes(_sizes(task)), paces.known(session))
    if task.status == TaskStatus.PROCESSING:
        return Outlook(eta=run.less(_elapsed(session, task)))
    return _queued(session, task, run, lease)


def _for_children(task: Task) -> Waiting:
    parts = "1 part of it is" if task.open_children == 1 else f"{task.open_children} parts of it are"
    return Waiting(Reason.CHILDREN, f"{parts} still at work.")


def _sizes(task: Task) -> list[int]:
    return [int(file.get("size") or 0) for files in task.inputs.values() for file in files]


_ELAPSED = text("SELECT extract(epoch FROM clock_timestamp() - CAST(:since AS timestamptz))")


def _elapsed(session: Session, task: Task) -> float:
    """Seconds since the running step began: `claimed_at` is that of the claim or of its last checkpoint."""
    return 0.0 if task.claimed_at is None else max(0.0, _since(session, task.claimed_at))


def _since(session: Session, moment: datetime) -> float:
    return float(session.execute(_ELAPSED, {"since": moment}).scalar_one())


_QUEUE = text(f"""
    SELECT l.weight, l.cap, greatest(l.vtime, c.v) AS v, w.slots, b.busy, b.busy_seconds, b.own_busy, b.own_busy_seconds
    FROM lanes l, admission_clock c,
        (SELECT coalesce(sum(slots), 0) AS slots FROM workers
         WHERE seen_at > clock_timestamp() - :lease AND NOT draining
           AND :queue = ANY (queues) AND :tool = ANY (tools)) w,
        (SELECT count(*) FILTER (WHERE queue = :queue) AS busy,
            coalesce(sum(left_over) FILTER (WHERE queue = :queue), 0) AS busy_seconds,
            count(*) FILTER (WHERE user_id = :user) AS own_busy,
            coalesce(sum(left_over) FILTER (WHERE user_id = :user), 0) AS own_busy_seconds
         FROM (SELECT user_id, queue, greatest(cost / 10,
                   cost - run_seconds - coalesce(extract(epoch FROM clock_timestamp() - claimed_at), 0)) AS left_over
               FROM tasks WHERE {BUSY}) at_work) b
    WHERE l.user_id = :user
""")  # noqa: S608 (the predicate is the index's own)


def _queued(session: Session, task: Task, run: Span, lease: timedelta) -> Outlook:
    asked = {"user": task.user_id, "queue": task.queue, "tool": task.tool_id, "lease": lease}
    queue = Queue(**session.execute(_QUEUE, asked).mappings().one())
    if queue.cap == 0:
        return Outlook(Waiting(Reason.PAUSED, "Your tasks are paused; ask an administrator why."))
    if task.not_before is not None:
        seconds = max(0.0, -_since(session, task.not_before))
        sentence = "It met a hiccup, and is tried again by itself."
        waiting = Waiting(Reason.BACK_OFF, sentence, until=task.not_before)
        return Outlook(waiting, run.after(seconds, seconds, seconds) if queue.slots else None)
    if not queue.slots:
        return Outlook(Waiting(Reason.NO_WORKER, "No worker for it is there at this moment; it starts when one comes."))
    if task.admitted_at is not None:
        return Outlook(Waiting(Reason.STARTING, "A worker was called; it starts in a moment."), run)
    return _in_line(_ahead(session, task, queue), queue, run)


def _in_line(ahead: Ahead, queue: Queue, run: Span) -> Outlook:
    seconds = 0.0 if ahead.count < queue.slots - queue.busy else (ahead.seconds + queue.busy_seconds) / queue.slots
    if queue.own_busy >= queue.cap:
        seconds = max(seconds, (ahead.own_seconds + queue.own_busy_seconds) / queue.cap)
        waiting = Waiting(Reason.OWN_CAP, _cap_sentence(queue, ahead), _place(ahead.own_count, ahead))
    else:
        waiting = Waiting(Reason.BEHIND_OTHERS, _place_sentence(ahead), _place(ahead.count, ahead))
    return Outlook(waiting, run.after(seconds * SOONER, seconds, seconds * LATER))


def _place(count: int, ahead: Ahead) -> int:
    return _rounded(count + 1) if ahead.about or count > EXACT else count + 1


def _rounded(count: int) -> int:
    """To two digits: an estimate is worth no more, and so it changes seldom."""
    return round(count, min(0, 2 - len(str(count))))


def _place_sentence(ahead: Ahead) -> str:
    if ahead.count == 0:
        return "It is next."
    if ahead.about or ahead.count > EXACT:
        return f"About {_rounded(ahead.count):,} tasks are before it."
    return "1 task is before it." if ahead.count == 1 else f"{ahead.count:,} tasks are before it."


def _cap_sentence(queue: Queue, ahead: Ahead) -> str:
    at_work = "1 of your tasks is" if queue.own_busy == 1 else f"{queue.own_busy:,} of your tasks are"
    place = "this one is next" if ahead.own_count == 0 else f"this one is number {_place(ahead.own_count, ahead):,}"
    return f"{at_work} at work, as many as you may have at once; {place} of yours."


# Admission's own order: a lane's virtual time, and the costs before a task in it over the lane's weight, are its tag.
# `depth` shares the rows that are read among the lanes. A lane all of whose rows read are before this task has more of
# them, which are guessed from those, and are no more than a short lane has.
_AHEAD = text(f"""
    WITH RECURSIVE mine AS (
        SELECT count(*) AS n, coalesce(sum(cost), 0) AS seconds, :v + coalesce(sum(cost), 0) / :weight AS tag
        FROM (SELECT t.cost FROM tasks t
              WHERE t.user_id = :user AND {WAITING_IN_QUEUE} AND (t.sort_at, t.id) < (:sort_at, :id)
              ORDER BY t.sort_at, t.id LIMIT :most_own) own),
    w (user_id) AS (  -- a loose scan: the customers who have something waiting
        (SELECT t.user_id FROM tasks t WHERE {WAITING_IN_QUEUE} ORDER BY t.user_id LIMIT 1)
        UNION ALL
        SELECT (SELECT t.user_id FROM tasks t
                WHERE {WAITING_IN_QUEUE} AND t.user_id > w.user_id ORDER BY t.user_id LIMIT 1)
        FROM w WHERE w.user_id IS NOT NULL),
    seen AS MATERIALIZED (SELECT user_id FROM w WHERE user_id IS NOT NULL LIMIT :most_lanes),
    rival AS MATERIALIZED (
        SELECT l.user_id, l.weight, greatest(l.vtime, c.v) AS v, mine.tag
        FROM seen JOIN lanes l USING (user_id), admission_clock c, mine
        WHERE l.user_id <> :user AND l.cap > 0 AND greatest(l.vtime, c.v) <= mine.tag),
    depth AS MATERIALIZED (SELECT greatest(5, :most_rows / greatest(1, count(*))) AS rows FROM rival),
    read AS MATERIALIZED (
        SELECT r.user_id, x.n, x.seconds, r.weight * (r.tag - r.v) AS until_tag, x.n = depth.rows AS cut
        FROM depth, rival r, LATERAL (
            SELECT count(*) AS n, coalesce(sum(cost), 0) AS seconds
            FROM (SELECT t.id, t.cost, r.v + (sum(t.cost) OVER (ORDER BY t.sort_at, t.id) - t.cost) / r.weight AS tag
                  FROM (SELECT t.id, t.cost, t.sort_at FROM tasks t WHERE t.user_id = r.user_id AND {WAITING_IN_QUEUE}
                        ORDER BY t.sort_at, t.id LIMIT (SELECT rows FROM depth)) t) tagged
            WHERE (tagged.tag, r.user_id) < (r.tag, :user)) x),
    other AS (
        SELECT n, seconds, cut FROM read WHERE NOT cut
        UNION ALL
        SELECT whole.n, seconds * whole.n / r.n, cut FROM read r, depth, LATERAL (
            SELECT least(CASE WHEN count(*) < 4 * depth.rows THEN count(*) END,
                greatest(r.n, r.until_tag * r.n / nullif(r.seconds, 0))) AS n
            FROM (SELECT FROM tasks t WHERE t.user_id = r.user_id AND {WAITING_IN_QUEUE}
                  LIMIT (SELECT 4 * rows FROM depth)) its_rows) whole
        WHERE cut)
    SELECT mine.n AS own_count, mine.seconds AS own_seconds, mine.n + coalesce(sum(o.n), 0) AS in_all,
        mine.seconds + coalesce(sum(o.seconds), 0) AS seconds,
        coalesce(bool_or(cut), false) OR mine.n = :most_own OR (SELECT count(*) FROM seen) = :most_lanes AS about
    FROM mine LEFT JOIN other o ON true GROUP BY mine.n, mine.seconds
""")  # noqa: S608 (the predicates are our own, the values are bound)


def _ahead(session: Session, task: Task, queue: Queue) -> Ahead:
    asked = {
        "user": task.user_id, "queue": task.queue, "v": queue.v, "weight": queue.weight,
        "sort_at": task.sort_at, "id": task.id,
        "most_own": MOST_OWN, "most_lanes": MOST_LANES, "most_rows": MOST_ROWS,
    }  # fmt: skip
    row = session.execute(_AHEAD, asked).one()
    return Ahead(round(row.in_all), float(row.seconds), row.own_count, float(row.own_seconds), about=row.about)
