"""Which numbers go together: Pearson's coefficients over the rows where both are there, in one walk over the rows.

NumPy adds up batch by batch in the order of the file, about each column's median and in units of its reach.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import NUMERIC, Column
from transformers.profiling.numbers import NumberFigures, as_double
from transformers.profiling.table_profile import Correlation, CorrelationMatrix, steady
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

CELLS_A_BATCH = 500_000  # doubles in one batch of the walk, and in each of its few temporaries: 4 MB
CORRELATED_COLUMNS = 100  # pairs grow with the square; a heat map of more says nothing
NOTABLE = 0.5  # weaker correlations are many and say little
CORRELATIONS_LISTED = 100
MATRIX_COLUMNS = 30  # a heat map of more cannot be read


def correlations(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: Sequence[Column],
    numbers: Mapping[str, NumberFigures],
    tick: Callable[[float], None] = lambda _done: None,
) -> tuple[tuple[Correlation, ...], CorrelationMatrix]:
    """The notable pairs, the strongest first, and the coefficients of the first columns."""
    chosen = _numeric(columns, numbers)[:CORRELATED_COLUMNS]
    if len(chosen) < 2:  # noqa: PLR2004  a pair
        return (), CorrelationMatrix()
    sums = _Sums([numbers[c.name] for c in chosen])
    for done, matrix in _batches(db, table, chosen):
        sums.add(matrix)
        tick(min(1.0, done / max(table.rows, 1)))
    return _listed([c.name for c in chosen], *sums.coefficients())


def correlation_limits(columns: Sequence[Column], numbers: Mapping[str, NumberFigures]) -> tuple[str, ...]:
    n = len(_numeric(columns, numbers))
    told = f"correlations: the first {CORRELATED_COLUMNS} of {n:,} columns of numbers"
    return (told,) if n > CORRELATED_COLUMNS else ()


def _numeric(columns: Sequence[Column], numbers: Mapping[str, NumberFigures]) -> list[Column]:
    return [column for column in columns if column.logical in NUMERIC and column.name in numbers]


def _batches(db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column]) -> Iterator[tuple[int, Any]]:
    """(rows done, a matrix with a row for each column and NaN for nothing), in the order of the file."""
    import numpy as np

    numbers = ", ".join(f"coalesce({as_double(c, c.own_value)}, 'nan') AS x{i}" for i, c in enumerate(columns))
    size = max(1, CELLS_A_BATCH // len(columns))
    row = quoted(SOURCE_ROW)
    [(last,)] = db.execute(f"SELECT coalesce(max({row}), 0) FROM {quoted(table.role)}").fetchall()
    for start in range(0, last, size):
        part = f"{row} > {start} AND {row} <= {start + size}"
        found = db.execute(f"SELECT {numbers} FROM {quoted(table.role)} WHERE {part}").fetchnumpy()
        yield start + size, np.stack([found[f"x{i}"] for i in range(len(columns))])


class _Sums:
    def __init__(self, numbers: Sequence[NumberFigures]) -> None:
        import numpy as np

        self._center = np.array([[n.known.median] for n in numbers])
        reach = [max(n.known.maximum - n.known.median, n.known.median - n.known.minimum) for n in numbers]
        self._scale = np.array([[r if 0 < r < float("inf") else 1.0] for r in reach])
        self._pairs, self._left, self._squares, self._products = (np.zeros((len(numbers),) * 2) for _ in range(4))

    def add(self, matrix: Any) -> None:
        import numpy as np

        with np.errstate(all="ignore"):  # an overflow shows as infinity, which the summary leaves out
            there = np.isfinite(matrix)
            z = np.where(there, (matrix - self._center) / self._scale, 0.0)
            weights = there.astype(float)
            self._pairs += weights @ weights.T
            self._left += z @ weights.T
            self._squares += (z * z) @ weights.T
            self._products += z @ z.T

    def coefficients(self) -> tuple[Any, Any]:
        """Pearson's coefficients, and how many rows each rests on."""
        import numpy as np

        with np.errstate(all="ignore"):
            n = self._pairs
            covariance = n * self._products - self._left * self._left.T
            spread = n * self._squares - self._left**2
            spread = np.where(spread > n * self._squares * 1e-12, spread, np.nan)  # a constant goes with nothing
            return np.clip(covariance / np.sqrt(spread * spread.T), -1, 1), n


def _listed(names: list[str], coefficients: Any, rows: Any) -> tuple[tuple[Correlation, ...], CorrelationMatrix]:
    pairs = [
        Correlation(left=names[i], right=names[j], coefficient=r, rows=int(rows[i, j]))
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if (r := _rounded(coefficients[i, j])) is not None and abs(r) >= NOTABLE
    ]
    shown = names[:MATRIX_COLUMNS]
    matrix = tuple(tuple(_rounded(coefficients[i, j]) for j in range(len(shown))) for i in range(len(shown)))
    pairs.sort(key=lambda pair: -abs(pair.coefficient))
    return tuple(pairs[:CORRELATIONS_LISTED]), CorrelationMatrix(columns=tuple(shown), coefficients=matrix)


def _rounded(coefficient: float) -> float | None:
    number = steady(coefficient)
    return None if number is None else round(number, 6)
