"""Each row's score over all its quantities together, streamed; and the rows that stand out."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import Column
from transformers.outliers.fences import Fences, number_of
from transformers.outliers.isolation import Forest, grown
from transformers.tables import SOURCE_ROW, quoted

if TYPE_CHECKING:
    import duckdb

SAMPLED_ROWS = 20_000  # each of a hundred trees takes 256 of them
CELLS_A_BATCH = 200_000
COLUMNS_USED = 60
LEAST_ROWS = 100  # below it every row stands alone
ALONE = 0.65  # a score from which a row is told; the paper calls scores well above .5 anomalies
MOST_SHARE = 0.005  # of the rows: an anomaly is rare


def standing_alone(
    db: "duckdb.DuckDBPyConnection", known: Sequence[Fences], rows: int, tick: Callable[[float], None]
) -> tuple[list[tuple[int, float]], float]:
    """([(source row, score)], the score from which a row is told). None where there is too little to compare."""
    import numpy as np

    if rows < LEAST_ROWS or len(known) < 2:  # noqa: PLR2004  one column is what its fences are for
        return [], 1.0
    used = known[:COLUMNS_USED]
    kept = max(1, int(MOST_SHARE * rows))
    found: list[tuple[int, float]] = []
    done = 0
    for places, scores in row_scores(db, used, rows):
        told = np.flatnonzero(scores >= ALONE)
        found += [(int(places[i]), round(float(scores[i]), 4)) for i in told]
        found = sorted(found, key=lambda one: (-one[1], one[0]))[:kept]
        done += len(places)
        tick(done / rows)
    return sorted(found), ALONE


def row_scores(db: "duckdb.DuckDBPyConnection", used: Sequence[Fences], rows: int) -> Iterator[tuple[Any, Any]]:
    """(source rows, scores) in the order of the file. A missing cell is taken to be the column's median."""
    forest = _forest(db, used, rows)
    if forest is None:
        return
    query = f'SELECT {quoted(SOURCE_ROW)} AS r, {_numbers(used)} FROM "primary"'
    for batch in db.sql(query).to_arrow_reader(max(1, CELLS_A_BATCH // len(used))):
        yield batch.column(0).to_numpy(), forest.scores(_matrix(batch, len(used)))


def _forest(db: "duckdb.DuckDBPyConnection", used: Sequence[Fences], rows: int) -> Forest | None:
    row = quoted(SOURCE_ROW)
    chosen = f"hash({row}) % {-(-rows // SAMPLED_ROWS)} = 0" if rows > SAMPLED_ROWS else "true"
    sample: Any = db.sql(
        f'SELECT {row} AS r, {_numbers(used)} FROM "primary" WHERE {chosen} ORDER BY r'
    ).to_arrow_table()
    return grown(_matrix(sample, len(used))) if sample.num_rows > 1 else None


def _numbers(used: Sequence[Fences]) -> str:
    return ", ".join(f"{_number(one.column, one.median)} AS x{i}" for i, one in enumerate(used))


def _number(column: Column, otherwise: float) -> str:
    number = number_of(column, quoted(column.name))
    return f"CASE WHEN isfinite({number}) THEN {number} ELSE {otherwise!r} END"


def _matrix(found: Any, width: int) -> Any:
    import numpy as np

    matrix = np.empty((found.num_rows, width))
    for i in range(width):
        matrix[:, i] = found.column(i + 1).to_numpy(zero_copy_only=False) if width else 0
    return matrix
