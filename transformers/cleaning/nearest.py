"""Imputation from the rows most alike: k nearest neighbours among a bounded, hash-chosen set of reference rows.

Rows are compared over all other columns: numbers in standard deviations, words by whether they are the same. A cell
that is missing on either side takes no part. The confidence is what leaving out each reference row's own value shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import NUMERIC, TEMPORAL, Column
from transformers.cells.kinds import literal
from transformers.cleaning.imputation import decimals, is_number, written
from transformers.cleaning.rules import Work
from transformers.profiling.numbers import as_number
from transformers.tables import SOURCE_ROW, quoted

if TYPE_CHECKING:
    import duckdb

REFERENCE_ROWS = 2000  # whose value is there: the most alike of so many are alike enough, and distances stay cheap
ROWS_AT_ONCE = 1000  # times REFERENCE_ROWS doubles: 16 MB
FEATURES = 40  # columns compared, numbers first
WORDS_COMPARED = 20  # most frequent values of a column of words; its other ones are alike


@dataclass(frozen=True)
class Space:
    """What rows are compared by: SQL for a DOUBLE for each feature, NULL where it is missing."""

    features: tuple[str, ...]


@dataclass(frozen=True)
class Vote:
    """So many neighbours say it, under this rule's name."""

    k: int
    rule: str


def fill_by_nearest(work: Work, target: Column, here: str, vote: Vote, into: str) -> None:
    """Insert an edit `into` that table for each cell of `target` for which `here` is not true."""
    import numpy as np
    import pyarrow as pa

    db = work.db
    space = _space(db, [column for column in work.columns if column.name != target.name])
    rows, known, values = _reference(db, space, target, here)
    if not len(rows) or not space.features:
        return
    scale = np.nan_to_num(_spread(known))
    scale = np.where(scale > 0, scale, 1.0)
    guess = _Guess(known / scale, values, min(vote.k, max(len(values) - 1, 1)), number=is_number(target))
    sure = guess.confidence()
    places = decimals(db, target) if is_number(target) else 0
    for asked, features in _queries(db, space, here):
        found = guess.of(features / scale)
        new = [written(float(v), places) if is_number(target) else str(v) for v in found]
        db.register("knn_batch", pa.table({"source_row": asked, "new": pa.array(new, pa.string())}))
        db.execute(
            f"INSERT INTO {into} SELECT source_row, $1, new, $2, $3 FROM knn_batch", [target.name, vote.rule, sure]
        )
        db.unregister("knn_batch")


def _spread(known: Any) -> Any:
    """Standard deviations; of a feature that no reference row has, none."""
    import numpy as np

    there = np.isfinite(known)
    n = np.maximum(there.sum(axis=0), 1)
    with np.errstate(all="ignore"):
        mean = np.where(there, known, 0.0).sum(axis=0) / n
        return np.sqrt(np.where(there, (known - mean) ** 2, 0.0).sum(axis=0) / n)


def _space(db: "duckdb.DuckDBPyConnection", columns: Sequence[Column]) -> Space:
    numbers = [as_number(c) for c in columns if c.logical in NUMERIC + TEMPORAL and c.present]
    words = [c for c in columns if c.logical not in NUMERIC + TEMPORAL and c.present]
    features = numbers[:FEATURES]
    for column in words[: FEATURES - len(features)]:
        features += _dummies(db, column)
    return Space(tuple(features))


def _dummies(db: "duckdb.DuckDBPyConnection", column: Column) -> Iterator[str]:
    top = db.execute(
        f'SELECT v, count(*) FROM (SELECT {column.cell} AS v FROM "primary" WHERE NOT {column.is_missing})'
        f" GROUP BY v HAVING count(*) > 1 ORDER BY count(*) DESC, v LIMIT {WORDS_COMPARED}"
    ).fetchall()
    for value, _ in top:
        same = f"CAST({column.cell} = {literal(value)} AS DOUBLE)"
        yield f"CASE WHEN NOT {column.is_missing} THEN {same} END"


def _reference(db: "duckdb.DuckDBPyConnection", space: Space, target: Column, here: str) -> tuple[Any, Any, Any]:
    """(source rows, matrix, values) of the rows whose value is there, chosen by the hash of their number."""
    import numpy as np

    value = as_number(target) if is_number(target) else f"CAST({quoted(target.name)} AS VARCHAR)"
    row = quoted(SOURCE_ROW)
    chosen = f'SELECT * FROM "primary" WHERE {here} AND {value} IS NOT NULL ORDER BY hash({row}), {row}'
    names = ", ".join(f"{feature} AS f{i}" for i, feature in enumerate(space.features)) or "0.0 AS f0"
    found: Any = db.sql(
        f"SELECT {row} AS r, {value} AS y, {names} FROM ({chosen} LIMIT {REFERENCE_ROWS}) ORDER BY r"
    ).to_arrow_table()
    kind: Any = float if is_number(target) else object
    values = np.array(found["y"].to_pylist(), dtype=kind)
    return found["r"].to_numpy(), _matrix(found, len(space.features)), values


def _queries(db: "duckdb.DuckDBPyConnection", space: Space, here: str) -> Iterator[tuple[Any, Any]]:
    names = ", ".join(f"{feature} AS f{i}" for i, feature in enumerate(space.features))
    row = quoted(SOURCE_ROW)
    wanted = f'SELECT {row} AS r, {names} FROM "primary" WHERE NOT {here} ORDER BY r'
    db.execute(f"CREATE OR REPLACE TEMP TABLE knn_asked AS {wanted}")
    last = 0
    while True:
        following = f"SELECT * FROM knn_asked WHERE r > {last} ORDER BY r LIMIT {ROWS_AT_ONCE}"
        found: Any = db.sql(following).to_arrow_table()
        if not found.num_rows:
            break
        rows = found["r"].to_numpy()
        last = int(rows[-1])
        yield rows, _matrix(found, len(space.features))
    db.execute("DROP TABLE knn_asked")


def _matrix(found: Any, width: int) -> Any:
    import numpy as np

    matrix = np.full((found.num_rows, width), np.nan)
    for i in range(width):
        matrix[:, i] = found[f"f{i}"].to_numpy()
    return matrix


class _Guess:
    def __init__(self, known: Any, values: Any, k: int, *, number: bool) -> None:
        import numpy as np

        self.there = np.isfinite(known).astype(float)
        self.known = np.nan_to_num(known)
        self.values, self.k, self.number = values, k, number

    def of(self, asked: Any) -> list[Any]:
        return self._vote(self._distances(asked))

    def confidence(self) -> float:
        import numpy as np

        with np.errstate(all="ignore"):  # what overflows is no confidence
            return self._confidence()

    def _confidence(self) -> float:
        """Right answers for words; for numbers the share of the variance that is explained. Each without itself."""
        import numpy as np

        if len(self.values) <= self.k:
            return 0.0
        some = np.arange(min(len(self.values), ROWS_AT_ONCE))
        apart = self._distances(np.where(self.there[some] > 0, self.known[some], np.nan))
        apart[some, some] = np.inf
        guessed, true = self._vote(apart), self.values[some]
        if not self.number:
            return round(float(np.mean([g == t for g, t in zip(guessed, true, strict=True)])), 4)
        spread = true.var()
        left = np.mean((np.array(guessed, dtype=float) - true) ** 2)
        explained = 1 - left / spread if spread > 0 else 1.0
        return round(float(max(0.0, explained)), 4) if np.isfinite(explained) else 0.0

    def _distances(self, asked: Any) -> Any:
        """Squared, over the features that both rows have, scaled up to all of them."""
        import numpy as np

        there = np.isfinite(asked).astype(float)
        asked = np.nan_to_num(asked)
        squares = (asked**2) @ self.there.T - 2 * asked @ self.known.T + there @ (self.known**2).T
        shared = there @ self.there.T
        with np.errstate(all="ignore"):
            return np.where(shared > 0, np.maximum(squares, 0) * asked.shape[1] / shared, np.inf)

    def _vote(self, apart: Any) -> list[Any]:
        import numpy as np

        nearest = np.argsort(apart, axis=1, kind="stable")[:, : self.k]
        chosen = self.values[nearest]
        if self.number:
            return [float(value) for value in (chosen / self.k).sum(axis=1)]
        return [max(dict.fromkeys(row), key=list(row).count) for row in chosen.tolist()]
