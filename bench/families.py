"""All that is measured, one line a measure. A measure's module offers `measure(surroundings)`, which yields Figures."""

from collections.abc import Callable, Iterable
from importlib import import_module

from bench.measure import Figure, Measure, Surroundings

# The eight whose tasks are set beside ours.
QUEUES = ("celery", "relier", "dramatiq", "taskiq", "arq", "procrastinate", "pgqueuer", "dbos")

# Those whose own work is a table.
TABLES = ("pandas", "ydata-profiling", "skrub", "splink")


def _in(module: str) -> Callable[[Surroundings], Iterable[Figure]]:
    """Imported by the measure's own process alone: what one needs is none of the others' weight."""

    def run(surroundings: Surroundings) -> Iterable[Figure]:
        found: Iterable[Figure] = import_module(module).measure(surroundings)
        return found

    return run


# Seconds of the whole run and of the quick one, the start and the end of a stack (some 5 s) in each.
MEASURES = (
    Measure("P1", "Forty steps, one after the other", _in("bench.steps"), 35, 14, ("dbos", "celery", "relier")),
    Measure("P2", "Share of the time that is the agents' own", _in("bench.share"), 60, 14, ("dbos", "celery")),
    Measure("P3", "Submit", _in("bench.submit"), 45, 12),
    Measure("P4", "Pickup", _in("bench.pickup"), 90, 14),
    Measure("P5", "Throughput", _in("bench.throughput"), 258, 26, QUEUES),
    Measure("P6", "Fairness", _in("bench.fairness"), 115),
    Measure("P7", "Depth of the queue", _in("bench.depth"), 65),
    Measure("P8", "Following", _in("bench.follow"), 60),
    Measure("P9", "Tables", _in("bench.data"), 355, None, TABLES),
    Measure("P10", "Idle", _in("bench.idle"), 55, 20),
    Measure("P11", "Start", _in("bench.start"), 60, 12),
)
