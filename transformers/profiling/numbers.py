"""What the numbers of a column say: quantiles by DuckDB, all else in one pass in the order of the file.

The pass is NumPy's, batch by batch: its sums are added in the same order every time, about the median and scaled to
the range, so that they are stable and the same input gives the same digits. Dates take part as seconds.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import NUMERIC, TEMPORAL, Column, LogicalType
from transformers.cells.semantic_types import SemanticType, names_a_key
from transformers.cells.values import chunks
from transformers.profiling.table_profile import Bin
from transformers.risk.personal_fields import is_hidden
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

CELLS_RANKED = 2_000_000  # doubles DuckDB holds for exact quantiles at a time: 16 MB, once a thread
CELLS_A_BATCH = 400_000  # doubles in one batch of the pass, and in each of its few temporaries: 3 MB
BARS = 20  # in a histogram: as many as can be told apart on a card
CORRELATED_COLUMNS = 100  # pairs grow with the square; a heat map of more says nothing


@dataclass(frozen=True)
class Quantiles:
    """Of the finite values."""

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
class Moments:
    """Power sums about the median, in units of `scale`."""

    n: int
    center: float
    scale: float
    sums: tuple[float, float, float, float]
    zeros: int
    negatives: int
    bins: tuple[Bin, ...]
    outliers: int

    @property
    def mean(self) -> float:
        return self.center + self.scale * self.sums[0] / self.n

    @property
    def central(self) -> tuple[float, float, float]:
        """Second, third and fourth central sums, in scaled units."""
        n, (s1, s2, s3, s4) = self.n, self.sums
        m = s1 / n
        return (
            max(0.0, s2 - n * m**2),
            s3 - 3 * m * s2 + 2 * n * m**3,
            s4 - 4 * m * s3 + 6 * m**2 * s2 - 3 * n * m**4,
        )

    @property
    def variance(self) -> float | None:
        return float(self.central[0] / (self.n - 1) * self.scale * self.scale) if self.n > 1 else None

    @property
    def skewness(self) -> float | None:
        """Adjusted Fisher-Pearson, as in spreadsheets and pandas."""
        n, (m2, m3, _) = self.n, self.central
        if n < 3 or m2 <= 0:  # noqa: PLR2004  two points have no skew
            return None
        return float(n * math.sqrt(n - 1) / (n - 2) * m3 / m2**1.5)

    @property
    def kurtosis(self) -> float | None:
        """Excess, adjusted; nought for a normal distribution."""
        n, (m2, _, m4) = self.n, self.central
        if n < 4 or m2 <= 0:  # noqa: PLR2004  three points have no tails
            return None
        return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * n * m4 / m2**2 - 3 * (n - 1))


def is_code(column: Column) -> bool:
    return column.semantic in {SemanticType.POSTCODE, SemanticType.PHONE_NUMBER} or names_a_key(column.name)


def measurable(columns: Sequence[Column]) -> list[Column]:
    """Numbers and dates; a column of card or telephone numbers measures nothing, and its ends are nobody's business."""
    return [c for c in columns if c.logical in NUMERIC + TEMPORAL and not is_hidden(c.name)]


def as_number(column: Column) -> str:
    """SQL: the value as a finite DOUBLE; a date as seconds since 1970."""
    number = f"epoch(CAST({column.value} AS TIMESTAMP))" if column.logical in TEMPORAL else column.value
    if column.logical in TEMPORAL:
        return f"CASE WHEN isfinite(CAST({column.value} AS TIMESTAMP)) THEN {number} END"
    return f"CASE WHEN isfinite(CAST({number} AS DOUBLE)) THEN CAST({number} AS DOUBLE) END"


def quantiles(db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column]) -> dict[str, Quantiles]:
    """Exact, interpolated between neighbours. A column without a finite value is left out."""
    found = {}
    for some in chunks(columns, max(1, min(100, CELLS_RANKED // max(table.rows, 1)))):
        numbers = ", ".join(f"{as_number(c)} AS x{i}, {_infinite(c)} AS f{i}" for i, c in enumerate(some))
        asked = ", ".join(
            f"quantile_cont(x{i}, [0, 0.25, 0.5, 0.75, 1]), count(*) FILTER (f{i})" for i in range(len(some))
        )
        [row] = db.execute(f"SELECT {asked} FROM (SELECT {numbers} FROM {quoted(table.role)})").fetchall()
        for i, column in enumerate(some):
            if row[2 * i] is not None:
                low, q1, median, q3, high = row[2 * i]
                found[column.name] = Quantiles(low, q1, median, q3, high, row[2 * i + 1])
    return found


def _infinite(column: Column) -> str:
    return "false" if column.logical in TEMPORAL else f"coalesce(isinf(CAST({column.value} AS DOUBLE)), false)"


def batches(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], tick: Callable[[float], None]
) -> Iterator[tuple[Any, Any]]:
    """(source rows, matrix of doubles with NaN for nothing), in the order of the file."""
    import numpy as np

    numbers = ", ".join(f"{as_number(c)} AS x{i}" for i, c in enumerate(columns))
    query = f"SELECT {quoted(SOURCE_ROW)} AS r, {numbers} FROM {quoted(table.role)}"
    done = 0
    for batch in db.sql(query).to_arrow_reader(max(1, CELLS_A_BATCH // max(len(columns), 1))):
        rows = batch.column(0).to_numpy(zero_copy_only=False)
        matrix = np.empty((len(rows), len(columns)))
        for i in range(len(columns)):
            matrix[:, i] = batch.column(i + 1).to_numpy(zero_copy_only=False)
        done += len(rows)
        tick(done / max(table.rows, 1))
        yield rows, matrix


class Pass:
    """What one walk over the rows adds up."""

    def __init__(self, columns: Sequence[Column], known: Sequence[Quantiles], multiplier: float) -> None:
        import numpy as np

        self.columns = columns
        self.known = known
        self.center = np.array([k.median for k in known])
        reach = np.array([max(k.maximum - k.median, k.median - k.minimum) for k in known])
        self.scale = np.where((reach > 0) & np.isfinite(reach), reach, 1.0)
        fences = [_fences(c, k, multiplier) for c, k in zip(columns, known, strict=True)]
        self.low, self.high = np.array([f[0] for f in fences]), np.array([f[1] for f in fences])
        self.edges = [_edges(c, k) for c, k in zip(columns, known, strict=True)]
        width = len(columns)
        self.n, self.zeros, self.negatives, self.outliers = (np.zeros(width, dtype=np.int64) for _ in range(4))
        self.sums = np.zeros((4, width))
        self.bins = [np.zeros(len(edges) - 1, dtype=np.int64) for edges in self.edges]
        self.correlated = [i for i, c in enumerate(columns) if c.logical in NUMERIC][:CORRELATED_COLUMNS]
        size = len(self.correlated)
        self.pairs, self.left, self.squares, self.products = (np.zeros((size, size)) for _ in range(4))

    def add(self, matrix: Any) -> Any:
        """Take in a batch; the answer is its outliers, a matrix of booleans."""
        import numpy as np

        with np.errstate(all="ignore"):  # an overflow shows as infinity, which the summary leaves out
            there = np.isfinite(matrix)
            z = np.where(there, (matrix - self.center) / self.scale, 0.0)
            z2 = z * z
            self.n += there.sum(axis=0)
            self.sums += np.array([z.sum(axis=0), z2.sum(axis=0), (z2 * z).sum(axis=0), (z2 * z2).sum(axis=0)])
            self.zeros += (matrix == 0).sum(axis=0)
            self.negatives += (matrix < 0).sum(axis=0)
            outside = (matrix < self.low) | (matrix > self.high)
            self.outliers += outside.sum(axis=0)
            for i, edges in enumerate(self.edges):
                self.bins[i] += _counted(matrix[there[:, i], i], edges)
            self._correlate(there[:, self.correlated].astype(float), z[:, self.correlated], z2[:, self.correlated])
        return outside

    def _correlate(self, there: Any, z: Any, z2: Any) -> None:
        self.pairs += there.T @ there
        self.left += z.T @ there
        self.squares += z2.T @ there
        self.products += z.T @ z

    def moments(self, i: int) -> Moments:
        edges = self.edges[i]
        return Moments(
            n=int(self.n[i]),
            center=float(self.center[i]),
            scale=float(self.scale[i]),
            sums=tuple(float(s) for s in self.sums[:, i]),  # type: ignore[arg-type]
            zeros=int(self.zeros[i]),
            negatives=int(self.negatives[i]),
            bins=tuple(
                Bin(low=low, high=high, count=int(n))
                for low, high, n in zip(edges, edges[1:], self.bins[i], strict=False)
            ),
            outliers=int(self.outliers[i]),
        )

    def correlations(self) -> tuple[list[str], Any, Any]:
        """Column names, Pearson's coefficients over the rows where both are there, and those rows' counts."""
        import numpy as np

        with np.errstate(all="ignore"):
            n = self.pairs
            covariance = n * self.products - self.left * self.left.T
            spread = n * self.squares - self.left**2
            spread = np.where(spread > n * self.squares * 1e-12, spread, np.nan)  # a constant correlates with nothing
            coefficients = np.clip(covariance / np.sqrt(spread * spread.T), -1, 1)
        return [self.columns[i].name for i in self.correlated], coefficients, n


def _fences(column: Column, known: Quantiles, multiplier: float) -> tuple[float, float]:
    """No fences where half of the values are one value, nor for dates, codes and keys: they are no quantities."""
    if column.logical in TEMPORAL or known.q3 <= known.q1 or is_code(column):
        return -math.inf, math.inf
    return known.fences(multiplier)


def _counted(values: Any, edges: list[float]) -> Any:
    """How many values fall into each bar of equal width (np.histogram refuses ranges near a float's precision)."""
    import numpy as np

    bars = len(edges) - 1
    places = np.floor((values - edges[0]) / (edges[-1] - edges[0]) * bars)
    return np.bincount(np.clip(np.nan_to_num(places), 0, bars - 1).astype(np.int64), minlength=bars)


def _edges(column: Column, known: Quantiles) -> list[float]:
    """Whole numbers in a narrow range get a bar each."""
    low, high = known.minimum, known.maximum
    if column.logical is LogicalType.INTEGER and high - low < BARS:
        return [low - 0.5 + i for i in range(int(high - low) + 2)]
    if not math.isfinite(high - low):
        return [low, high]  # the range is wider than a float: one bar
    if high <= low:
        return [low - 0.5, low + 0.5]
    return [low + (high - low) * i / BARS for i in range(BARS + 1)]
