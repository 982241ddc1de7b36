"""The nouns of a measurement: Score, what came out; Measure, what is run for it.

A measure runs in a process of its own: its seconds and its peak of memory are that process's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class Score(BaseModel):
    """One figure. `anchor` is what the best known other reaches, `bar` what we want; None where there is none."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    metric: str  # with its unit: "F1", "peak MB", "seconds above reading"
    ours: float
    anchor: float | None = None
    anchor_name: str = ""  # whose figure it is, and on which terms
    bar: float | None = None
    less_is_better: bool = False
    seed: int | None = None
    note: str = ""  # what falls short, and why

    @property
    def holds(self) -> bool | None:
        if self.bar is None:
            return None
        return self.ours <= self.bar if self.less_is_better else self.ours >= self.bar


class Measured(BaseModel):
    """A score with what it took: seconds and megabytes of the measure that gave it, its data and libraries included."""

    model_config = ConfigDict(frozen=True)

    measure: str
    score: Score
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Measure:
    """`id` is unique over all families; `run` gives its scores, and needs nothing but the public data."""

    id: str
    run: Callable[[], Iterable[Score]]
