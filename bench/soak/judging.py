"""What a run is held to: readings and counts in, verdicts out. Nothing here looks at a process.

Memory by each process that lived long enough, and by all of a kind together; open files and threads the same way; what
is outside by two looks at a deployment that has nothing to do, one after the warm-up and one at the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.soak.census import OURS, Found, Kind
from bench.soak.figures import LONG_ENOUGH, MEGABYTE, Recorded, figures, slope_over
from bench.soak.outside import Counts

MEMORY_BAR = 1.0  # MB a minute
FILES_BAR = 3.0  # more at the end of the judged time than at its beginning: pools fill late
THREADS_BAR = 2.0
CONNECTIONS_BAR = 4
REST_CONNECTIONS_BAR = 10  # of a dozen processes, whose pools of five are filled when they are needed
# What a killed worker had been sent is nobody's until CELERY_VISIBILITY_TIMEOUT is over, here a minute; then it is
# brought once more, and found to be done.
LOST_MESSAGES_BAR = 3
AT_REST = {  # what a deployment with nothing to do may hold more of than after the warm-up
    "database_connections": REST_CONNECTIONS_BAR,
    "open_transactions": 1,
    "oldest_transaction": 1,
    "notifications": 0,
    "broker_connections": REST_CONNECTIONS_BAR,
    "endless_keys": 3,
    "unacked": LOST_MESSAGES_BAR,
    "queued": 1,
    "store_sockets": REST_CONNECTIONS_BAR,
    "unclosed_sockets": 0,
    "scratch_files": 4,
    "temporary_files": 0,
    "shared_memory_files": 0,
}
LEFT = {"unacked": LOST_MESSAGES_BAR}
ERRANDS = {Kind.JANITOR: 3, Kind.COURIER: 3}  # each worker may have one, and has it while there is something to do
IN_THE_END = (
    "database_connections", "open_transactions", "broker_connections", "unacked", "store_sockets", "scratch_files",
    "temporary_files", "shared_memory_files",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """One bar: what was seen, and the most there may be."""

    what: str
    seen: float
    bar: float
    unit: str
    note: str = ""

    @property
    def held(self) -> bool:
        return self.seen <= self.bar


def verdicts(recorded: Recorded) -> list[Verdict]:
    """What was seen while the load went on."""
    minutes = (recorded.judged[1] - recorded.judged[0]) / 60
    found = [*_growth(recorded, minutes), *_connections(recorded, minutes)]
    return found + [
        Verdict(f"memory of all {one.kind} processes, of each at least", one.total_slope.least, MEMORY_BAR, "MB/min")
        for one in figures(recorded)
        if one.kind in OURS and one.total_slope is not None
    ]


def _growth(recorded: Recorded, minutes: float) -> Iterator[Verdict]:
    """Of each process that lived long enough."""
    for identity, readings in recorded.series().items():
        if identity.kind not in OURS or readings[-1].at - readings[0].at < LONG_ENOUGH * 60 * minutes:
            continue
        who, seconds = f"{identity.kind} {identity.pid}", 60 * minutes
        lived = (readings[-1].at - readings[0].at) / 60
        memory = slope_over([(one.at, one.memory / MEGABYTE) for one in readings], seconds)
        files = slope_over([(one.at, one.files) for one in readings], seconds)
        threads = slope_over([(one.at, one.threads) for one in readings], seconds)
        if memory is not None and files is not None and threads is not None:
            if (
                identity.kind is not Kind.AGENT
            ):  # that one is replaced once it has grown by 200 MB: judged with its kind
                yield Verdict(f"memory of {who}", memory.median, MEMORY_BAR, "MB/min")
            yield Verdict(f"open files of {who}", files.median * lived, FILES_BAR, "more")
            yield Verdict(f"threads of {who}", threads.median * lived, THREADS_BAR, "more")


def _connections(recorded: Recorded, minutes: float) -> Iterator[Verdict]:
    """Of the whole deployment, while it works."""
    began, ended = recorded.judged
    for name in ("database_connections", "broker_connections", "store_sockets"):
        points = [(one.at, float(getattr(one, name))) for one in recorded.counts if began <= one.at <= ended]
        found = slope_over(points, 60 * minutes)
        if found is not None:
            values = [value for _, value in points]
            note = f"{min(values):g} to {max(values):g}"
            yield Verdict(
                f"{name.replace('_', ' ')} under load, at least", found.least * minutes, CONNECTIONS_BAR, "more", note
            )


def at_rest(before: tuple[Counts, Found], after: tuple[Counts, Found]) -> list[Verdict]:
    """Two looks at a deployment that has nothing to do."""
    (first, families), (second, later) = before, after
    found = [
        Verdict(f"{name.replace('_', ' ')} at rest", getattr(second, name) - getattr(first, name), more, "more",
                f"{getattr(first, name):g} → {getattr(second, name):g}")
        for name, more in AT_REST.items()
    ]  # fmt: skip
    for kind in OURS:
        number, then = _number(families, kind), _number(later, kind)
        more = ERRANDS.get(kind, 0)
        found.append(Verdict(f"{kind} processes at rest", then - number, more, "more", f"{number} → {then}"))
    found.append(Verdict("orphaned processes at rest", len(later.orphans), 0, "", "; ".join(later.orphans)))
    return found


def _number(found: Found, kind: Kind) -> int:
    return sum(identity.kind is kind for identity in found.readings)


def in_the_end(counts: Counts, found: Found) -> list[Verdict]:
    """When the deployment has ended as an operator ends it: nothing of it is left."""
    left = [str(identity.kind) for identity in found.readings if identity.kind in OURS]
    return [
        Verdict("processes after the end", len(left) + len(found.orphans), 0, "", "; ".join((*left, *found.orphans))),
        *(
            Verdict(f"{name.replace('_', ' ')} after the end", getattr(counts, name), LEFT.get(name, 0), "")
            for name in IN_THE_END
        ),
    ]
