"""All that is measured, one line a measure. A measure's module offers `measure(surroundings)`, which yields Figures."""

from collections.abc import Callable, Iterable
from importlib import import_module

from bench.measure import Figure, Measure, Surroundings


def _in(module: str) -> Callable[[Surroundings], Iterable[Figure]]:
    """Imported by the measure's own process alone: what one needs is none of the others' weight."""

    def run(surroundings: Surroundings) -> Iterable[Figure]:
        found: Iterable[Figure] = import_module(module).measure(surroundings)
        return found

    return run


MEASURES = (
    Measure("P1", "Forty steps, one after the other", _in("bench.steps")),
    Measure("P2", "Share of the time that is the agents' own", _in("bench.share")),
    Measure("P3", "Submit", _in("bench.submit")),
    Measure("P4", "Pickup", _in("bench.pickup")),
    Measure("P5", "Throughput", _in("bench.throughput")),
    Measure("P6", "Fairness", _in("bench.fairness"), quick=False),
    Measure("P7", "Depth of the queue", _in("bench.depth"), quick=False),
    Measure("P8", "Following", _in("bench.follow"), quick=False),
    Measure("P9", "Tables", _in("bench.data"), quick=False),
    Measure("P10", "Idle", _in("bench.idle")),
    Measure("P11", "Start", _in("bench.start")),
)
