"""What a measure is given and what it brings back: Surroundings in, Figures out. Knows nothing of the product."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from backend.devstack import Stack


@dataclass(frozen=True)
class Surroundings:
    """Where a measure runs: a stack of its own, migrated, whose settings are this process' environment.

    `quick` asks for the smallest work that still says something: seconds, not minutes; `long` for the largest there is,
    however long it takes. `scratch` is the measure's.
    """

    stack: Stack
    quick: bool
    scratch: Path
    long: bool = False


@dataclass(frozen=True)
class Figure:
    """One number of ours, what it is held to, and who stands beside it.

    `id` is its own: a measure's first figure has the measure's, the others say what they are ("P3 p99"). `ours`, `bar`,
    `peers` and `published` are all in `unit`. `missing` are peers without a figure, and why; `published` is what others
    say of themselves, on machines of theirs. `detail` is anything that explains the number, `note` a sentence or two.
    """

    id: str
    title: str
    unit: str
    ours: float
    bar: float | None = None
    less_is_better: bool = True
    peers: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, float] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def held(self) -> bool | None:
        """Whether the bar is; None where there is none."""
        if self.bar is None:
            return None
        return self.ours <= self.bar if self.less_is_better else self.ours >= self.bar

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Measure:
    """One row of the table of what is measured.

    `seconds` is its part of the twenty minutes, `quick_seconds` of the two; None: it has no short form. `peers` are the
    environments of others that it wants, made before the clock starts.
    """

    id: str
    title: str
    run: Callable[[Surroundings], Iterable[Figure]]
    seconds: float
    quick_seconds: float | None = None
    peers: tuple[str, ...] = ()
