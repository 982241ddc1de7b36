"""Numbers, moments and lengths side by side: one ordered set of bins over both tables, every row counted in it.

The bins' edges come from the values of some rows of each table (all, where a table has no more than SAMPLED_ROWS),
closely enough that a KS distance is out by less than a hundredth at most; heavy values have a bin of their own. The
counts are of every row. The baseline's least and greatest value are edges, so what lies beyond them is counted.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import TEMPORAL, Column
from transformers.cells.values import chunks
from transformers.drift.pairs import Family, Pair
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

SAMPLED_ROWS = 50_000  # for edges and the Wasserstein distance: its quantiles are good to half a percent
QUANTILES = 200  # from each side: bins of half a percent
FEW_VALUES = 40  # a column of so few numbers is compared value by value
SAMPLED_CELLS = 4_000_000  # doubles held at a time: 32 MB
CELLS_A_BATCH = 200_000
FIRST_SECOND, PAST_SECOND = -62_135_596_800, 253_402_300_800  # of the years 1 to 9999, since 1970


@dataclass(frozen=True)
class Measure:
    """What is counted of a pair: its value, a moment's hour, or a text's length. `old` and `new` are SQL."""

    pair: Pair
    aspect: str
    old: str
    new: str


@dataclass(frozen=True)
class Counted:
    """Bin i holds values above edges[i - 1], up to and including edges[i]; the first and last are open."""

    measure: Measure
    edges: Any
    old: Any  # counts, one more than edges
    new: Any
    low: float  # the baseline's ends
    high: float
    old_sample: Any
    new_sample: Any

    @property
    def few(self) -> bool:
        """Whether the baseline is compared value by value."""
        import numpy as np

        return bool(np.count_nonzero(self.old) <= FEW_VALUES)


def measures(pairs: Sequence[Pair]) -> Iterator[Measure]:
    for pair in pairs:
        if pair.family in {Family.NUMBER, Family.MOMENT}:
            yield Measure(pair, "value", finite(pair.old), finite(pair.new))
        elif pair.family is Family.TEXT:
            yield Measure(pair, "length", length(pair.old), length(pair.new))


def finite(column: Column) -> str:
    """SQL: the value as a finite DOUBLE; a moment as seconds since 1970; NULL where there is none."""
    if column.logical in TEMPORAL:
        moment = f"CAST({column.value} AS TIMESTAMP)"
        return f"CASE WHEN isfinite({moment}) THEN epoch({moment}) END"
    number = f"CAST({column.value} AS DOUBLE)"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def iso(seconds: float) -> str:
    """Seconds since 1970 as people write them; years that a calendar does not have stay seconds."""
    if not FIRST_SECOND <= seconds < PAST_SECOND:
        return f"{seconds:.6g}"
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")


def length(column: Column) -> str:
    return f"CASE WHEN NOT {column.is_missing} THEN CAST(length({column.cell}) AS DOUBLE) END"


def counted(
    db: "duckdb.DuckDBPyConnection",
    baseline: Table,
    primary: Table,
    asked: Sequence[Measure],
    tick: Callable[[float], None],
) -> Iterator[Counted]:
    done = 0
    for some in chunks(asked, max(1, min(50, SAMPLED_CELLS // SAMPLED_ROWS // 2))):
        olds, news = [m.old for m in some], [m.new for m in some]
        old_samples, new_samples = _samples(db, baseline, olds), _samples(db, primary, news)
        ends = _ends(db, baseline, olds)
        edges = [_edges(*each) for each in zip(old_samples, new_samples, ends, strict=True)]
        old, new = _counts(db, baseline, olds, edges), _counts(db, primary, news, edges)
        for i, measure in enumerate(some):
            yield Counted(measure, edges[i], old[i], new[i], *ends[i], old_samples[i], new_samples[i])
        done += len(some)
        tick(done / len(asked))


def _samples(db: "duckdb.DuckDBPyConnection", table: Table, expressions: Sequence[str]) -> list[Any]:
    """Sorted finite values of the rows whose number's hash falls into the share that is read."""
    import numpy as np

    numbers = ", ".join(f"{expression} AS x{i}" for i, expression in enumerate(expressions))
    every = -(-table.rows // SAMPLED_ROWS) if table.rows else 1
    where = f"WHERE hash({quoted(SOURCE_ROW)}) % {every} = 0" if every > 1 else ""
    found = db.execute(f"SELECT {numbers} FROM {quoted(table.role)} {where}").fetchnumpy()
    columns: list[Any] = [np.ma.filled(np.ma.asarray(found[f"x{i}"], dtype=float), np.nan) for i in range(len(found))]
    return [np.sort(column[np.isfinite(column)]) for column in columns]


def _ends(db: "duckdb.DuckDBPyConnection", table: Table, expressions: Sequence[str]) -> list[tuple[float, float]]:
    asked = ", ".join(f"min({e}), max({e})" for e in expressions)
    [row] = db.execute(f"SELECT {asked} FROM {quoted(table.role)}").fetchall()
    pairs = zip(row[::2], row[1::2], strict=True)
    return [(float("nan"), float("nan")) if low is None else (float(low), float(high)) for low, high in pairs]


def _edges(old: Any, new: Any, ends: tuple[float, float]) -> Any:
    import numpy as np

    points = np.concatenate([_quantiles(old), _quantiles(new)])
    values, times = np.unique(points, return_counts=True)
    heavy = values if len(values) <= 2 * FEW_VALUES else values[times > 1]
    edges = np.concatenate([values, np.nextafter(heavy, -np.inf), np.nextafter(ends[:1], -np.inf), ends[1:]])
    return np.unique(edges[np.isfinite(edges)])


def _quantiles(values: Any) -> Any:
    """Values that occur; all of them, where they are few."""
    import numpy as np

    distinct = np.unique(values)
    if len(distinct) <= FEW_VALUES:
        return distinct
    return values[np.linspace(0, len(values) - 1, QUANTILES + 1).round().astype(int)]


def _counts(
    db: "duckdb.DuckDBPyConnection", table: Table, expressions: Sequence[str], edges: Sequence[Any]
) -> list[Any]:
    import numpy as np

    counts = [np.zeros(len(e) + 1, dtype=np.int64) for e in edges]
    numbers = ", ".join(f"{expression} AS x{i}" for i, expression in enumerate(expressions))
    query = f"SELECT {numbers} FROM {quoted(table.role)}"
    for batch in db.sql(query).to_arrow_reader(max(1, CELLS_A_BATCH // len(expressions))):
        for i in range(len(counts)):
            values = batch.column(i).to_numpy(zero_copy_only=False).astype(float)
            values = values[np.isfinite(values)]
            counts[i] += np.bincount(np.searchsorted(edges[i], values, side="left"), minlength=len(counts[i]))
    return counts
