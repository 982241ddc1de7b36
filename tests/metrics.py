"""Reading a counter's series in a test."""

from collections.abc import Mapping

from backend.metrics.tally import Counted


def value(counted: Counted, name: str, labels: Mapping[int, str] | None = None) -> float:
    """The sum over a counter's series, with these labels by place."""
    wanted = (labels or {}).items()
    return sum(
        count
        for (of, values), count in counted.counts.items()
        if of == name and all(values[place] == label for place, label in wanted)
    )
