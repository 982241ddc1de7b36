"""What the numbers of a column say, from its distinct values: quantiles, moments, histogram, fences. All exact.

DuckDB casts each distinct value once; NumPy sorts and adds up in that order, so the same input gives the same digits.
Moments are merged about each part's own mean (Chan, Golub and LeVeque), in units of the column's range, so that they
are stable whatever the offset. Dates take part as seconds.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import MISSING, NUMERIC, TEMPORAL, Column, LogicalType
from transformers.cells.semantic_types import SemanticType, names_a_key
from transformers.profiling.moments import Moments
from transformers.profiling.table_profile import Bin
from transformers.risk.personal_fields import is_hidden
from transformers.tables import Table, quoted

if TYPE_CHECKING:
    import duckdb

VALUES_A_PART = 250_000  # numbers sorted at a time: 4 MB, and 2 MB for each of a dozen temporaries
CUTS = 1000  # values from which the cuts between parts are chosen: parts differ in size by a few percent
BARS = 20  # in a histogram: as many as can be told apart on a card
QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Quantiles:
    """Of the finite values, interpolated between neighbours."""

    minimum: float
    q1: float
    median: float
    q3: float
    maximum: float
    infinite: int

    def fences(self, multiplier: float) -> tuple[float, float]:
        reach = multiplier * (self.q3 - self.q1)
        return self.q1 - reach, self.q3 + reach


@dataclass(frozen=True)
class NumberFigures:
    """`low` and `high` are the fences, infinite where a column has none."""

    known: Quantiles
    moments: Moments
    zeros: int
    negatives: int
    bins: tuple[Bin, ...]
    low: float = -math.inf
    high: float = math.inf
    outliers: int = 0


@dataclass(frozen=True)
class Ends:
    """What is known of a column's numbers before they are read in order."""

    minimum: float
    maximum: float
    n: int
    infinite: int


def is_code(column: Column) -> bool:
    return column.semantic in {SemanticType.POSTCODE, SemanticType.PHONE_NUMBER} or names_a_key(column.name)


def measurable(columns: Sequence[Column]) -> list[Column]:
    """Numbers and dates; a column of card or telephone numbers measures nothing, and its ends are nobody's business."""
    return [c for c in columns if c.logical in NUMERIC + TEMPORAL and not is_hidden(c.name)]


def as_number(column: Column, value: str = "") -> str:
    """SQL: the value (or `value`, which is it) as a finite DOUBLE; a date as seconds since 1970."""
    number = as_double(column, value or column.value)
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def as_double(column: Column, value: str) -> str:
    """SQL: `value`, the column's, as a DOUBLE, which may be infinite; a date, if it is one, as seconds since 1970."""
    if column.logical not in TEMPORAL:
        return f"CAST({value} AS DOUBLE)"
    moment = f"CAST({value} AS TIMESTAMP)"
    return f"CASE WHEN isfinite({moment}) THEN epoch({moment}) END"


def number_figures(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], multiplier: float
) -> dict[str, NumberFigures]:
    """By column name, of those that `cell_values` holds now. A column without a finite number is left out."""
    wanted = set(measurable(columns))
    measured = {place: column for place, column in enumerate(columns) if column in wanted}
    if not measured:
        return {}
    db.execute(f"CREATE OR REPLACE TEMP TABLE numbers AS {' UNION ALL '.join(_sources(table, measured))}")
    ends = _ends(db)
    walks = {place: _Walk(measured[place], ends[place]) for place in ends}
    for place, values, counts in _sorted(db, ends):
        walks[place].add(values, counts)
    fences = {place: _fences(measured[place], walk.quantiles, multiplier) for place, walk in walks.items()}
    outliers = _outside(db, fences)
    db.execute("DROP TABLE numbers")
    return {measured[place].name: walk.figures(*fences[place], outliers.get(place, 0)) for place, walk in walks.items()}


def _sources(table: Table, measured: dict[int, Column]) -> Iterator[str]:
    """Text is cast once a distinct cell, by one expression for all columns that are cast alike.

    What is none stays NULL: a filter here would make DuckDB cast twice, and whoever asks `isfinite` passes it over.
    """
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, column in measured.items():
        if column.is_text:
            alike[(column.value_of("v"), as_double(column, "y"))].append(place)
    for (value, number), places in alike.items():
        some = f"c IN ({', '.join(map(str, places))}) AND k NOT IN {MISSING}"
        yield f"SELECT c, {number} AS x, n FROM (SELECT c, {value} AS y, n FROM cell_values WHERE {some})"
    for place, column in measured.items():
        if not column.is_text:
            numbers = f"SELECT {as_double(column, column.value)} AS x FROM {quoted(table.role)}"
            yield f"SELECT {place} AS c, x, count(*) AS n FROM ({numbers}) WHERE x IS NOT NULL GROUP BY x"


def _ends(db: "duckdb.DuckDBPyConnection") -> dict[int, Ends]:
    finite = "FILTER (isfinite(x))"
    rows = db.execute(
        f"SELECT c, min(x) {finite}, max(x) {finite}, (sum(n) {finite})::BIGINT,"
        " coalesce(sum(n) FILTER (isinf(x)), 0)::BIGINT FROM numbers GROUP BY c ORDER BY c"
    ).fetchall()
    return {place: Ends(low, high, n, infinite) for place, low, high, n, infinite in rows if n}


def _sorted(db: "duckdb.DuckDBPyConnection", ends: dict[int, Ends]) -> Iterator[tuple[int, Any, Any]]:
    """(place, ascending finite values, how often each), some values of one column at a time."""
    import numpy as np

    for part in _parts(db, ends):
        found = db.execute(f"SELECT c, x, n::BIGINT AS n FROM numbers WHERE isfinite(x) AND {part}").fetchnumpy()
        places, values, counts = _merged(*(np.asarray(found[name]) for name in "cxn"))
        starts = [0, *(np.flatnonzero(np.diff(places)) + 1).tolist(), len(places)]
        for start, end in pairwise(starts):
            if end > start:
                yield int(places[start]), values[start:end], counts[start:end]


def _merged(places: Any, values: Any, counts: Any) -> tuple[Any, Any, Any]:
    """In order of place and value, each once: 1 and 1.0 are one number, whichever DuckDB gave first."""
    import numpy as np

    if not len(values):
        return places, values, counts
    order = np.lexsort((values, places)) if places.min() < places.max() else np.argsort(values)
    places, values = places[order], values[order]
    firsts = np.concatenate(([0], np.flatnonzero((np.diff(values) != 0) | (np.diff(places) != 0)) + 1))
    return places[firsts], values[firsts], np.add.reduceat(counts[order], firsts)


def _parts(db: "duckdb.DuckDBPyConnection", ends: dict[int, Ends]) -> Iterator[str]:
    """Conditions that cut the numbers into ascending parts small enough to be sorted in memory.

    DuckDB would sort the whole in 100 MB. The cuts are values of the column, chosen by hash: the same every time.
    """
    sizes = dict(db.execute("SELECT c, count(*) FROM numbers WHERE isfinite(x) GROUP BY c").fetchall())
    if sum(sizes.values()) <= VALUES_A_PART:
        yield "true"
        return
    for place in ends:
        step = max(1, sizes[place] // CUTS)
        some = f"SELECT DISTINCT x FROM numbers WHERE c = {place} AND isfinite(x) AND hash(x) % {step} = 0 ORDER BY x"
        cuts = [x for (x,) in db.execute(some).fetchall()]
        stride = max(1, len(cuts) * VALUES_A_PART // max(sizes[place], 1))
        edges = [-math.inf, *(cuts[stride::stride] if sizes[place] > VALUES_A_PART else ()), math.inf]
        yield from (f"c = {place} AND x > '{low}'::DOUBLE AND x <= '{high}'::DOUBLE" for low, high in pairwise(edges))


class _Walk:
    """One column's numbers, in ascending order, added up part by part."""

    def __init__(self, column: Column, ends: Ends) -> None:
        reach = ends.maximum - ends.minimum
        self._ends = ends
        self._scale = reach if 0 < reach < math.inf else max(abs(ends.maximum), 1.0)
        self._edges = _edges(column, ends)
        self._bins = [0] * (len(self._edges) - 1)
        self._moments = Moments(scale=self._scale)
        self._ranks = [(ends.n - 1) * quarter for quarter in QUARTERS]
        self._at: dict[int, float] = {}  # rank → value, for the ranks beside the quartiles
        self._zeros = self._negatives = 0

    def add(self, values: Any, counts: Any) -> None:
        import numpy as np

        before = self._moments.n
        above = before + np.cumsum(counts)
        for rank in {r for h in self._ranks for r in (math.floor(h), math.ceil(h))}:
            if before <= rank < above[-1]:
                self._at[rank] = float(values[np.searchsorted(above, rank, side="right")])
        self._moments = self._moments.merged(Moments.of(values, counts, self._scale))
        self._zeros += int(counts[values == 0].sum())
        self._negatives += int(counts[values < 0].sum())
        for bar, n in enumerate(_counted(values, counts, self._edges)):
            self._bins[bar] += int(n)

    @property
    def quantiles(self) -> Quantiles:
        ends = self._ends
        q1, median, q3 = (self._between(rank) for rank in self._ranks)
        return Quantiles(ends.minimum, q1, median, q3, ends.maximum, ends.infinite)

    def _between(self, rank: float) -> float:
        low, high = self._at[math.floor(rank)], self._at[math.ceil(rank)]
        part = rank - math.floor(rank)
        return low if low == high or not part else low * (1 - part) + high * part

    def figures(self, low: float, high: float, outliers: int) -> NumberFigures:
        edges = zip(self._edges, self._edges[1:], self._bins, strict=False)
        return NumberFigures(
            known=self.quantiles,
            moments=self._moments,
            zeros=self._zeros,
            negatives=self._negatives,
            bins=tuple(Bin(low=left, high=right, count=n) for left, right, n in edges),
            low=low,
            high=high,
            outliers=outliers,
        )


def _fences(column: Column, known: Quantiles, multiplier: float) -> tuple[float, float]:
    """No fences where half of the values are one value, nor for dates, codes and keys: they are no quantities."""
    if column.logical in TEMPORAL or known.q3 <= known.q1 or is_code(column):
        return -math.inf, math.inf
    return known.fences(multiplier)


def _outside(db: "duckdb.DuckDBPyConnection", fences: dict[int, tuple[float, float]]) -> dict[int, int]:
    """How many finite values lie beyond their column's fences."""
    rows = ", ".join(
        f"({place}, {low!r}::DOUBLE, {high!r}::DOUBLE)"
        for place, (low, high) in fences.items()
        if math.isfinite(low) and math.isfinite(high)
    )
    if not rows:
        return {}
    found = db.execute(
        f"SELECT c, sum(n)::BIGINT FROM numbers JOIN (VALUES {rows}) AS f(c, low, high) USING (c)"
        " WHERE isfinite(x) AND (x < low OR x > high) GROUP BY c"
    )
    return dict(found.fetchall())


def _counted(values: Any, counts: Any, edges: list[float]) -> Any:
    """How many values fall into each bar of equal width (np.histogram refuses ranges near a float's precision)."""
    import numpy as np

    bars = len(edges) - 1
    with np.errstate(all="ignore"):
        places = np.floor((values - edges[0]) / (edges[-1] - edges[0]) * bars)
    places = np.clip(np.nan_to_num(places), 0, bars - 1).astype(np.int64)
    return np.bincount(places, weights=counts, minlength=bars)


def _edges(column: Column, ends: Ends) -> list[float]:
    """Whole numbers in a narrow range get a bar each."""
    low, high = ends.minimum, ends.maximum
    if column.logical is LogicalType.INTEGER and high - low < BARS:
        return [low - 0.5 + i for i in range(int(high - low) + 2)]
    if not math.isfinite(high - low):
        return [low, high]  # the range is wider than a float: one bar
    if high <= low:
        return [low - 0.5, low + 0.5]
    return [low + (high - low) * i / BARS for i in range(BARS + 1)]
