"""Which columns tell which: every single column, then pairs of columns where no single one of them does."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from transformers.dependencies.agreement import NONE, Agreement, agreement, is_support, sharing, together
from transformers.dependencies.dependency import MAX_ERROR, MIN_CONFIDENCE, Dependency
from transformers.dependencies.samples import FEW_VALUES, Sample
from transformers.tables import quoted

if TYPE_CHECKING:
    import duckdb

    from transformers.cells.columns import Column
    from transformers.dependencies.agreement import Codes

MAX_COLUMNS = 40  # the first of them that can take part
MAX_CELLS = 2_000_000  # in a sample: what is counted in some seconds
MAX_ROWS = 100_000
MAX_PAIRS = 150  # pairs of columns tried on the left
PAIR_ROWS = 40_000
PAIR_GAIN = 0.5  # a pair must halve the error of its better half, or the other half says nothing
LONGEST_VALUE = 500  # characters, in the mean: free text determines and follows nothing


def functional_dependencies(
    db: "duckdb.DuckDBPyConnection",
    relation: str,
    columns: "Sequence[Column]",
    *,
    max_error: float = MAX_ERROR,
    min_confidence: float = MIN_CONFIDENCE,
    max_columns: int = MAX_COLUMNS,
    max_rows: int = MAX_ROWS,
    max_pairs: int = MAX_PAIRS,
) -> tuple[Dependency, ...]:
    """The most confident first. `relation` names a table or view that has the columns and SOURCE_ROW.

    More than `max_rows` rows are sampled: one value of the left side in so many, by hash, with all of its rows.
    """
    values = {c.name: f"CASE WHEN NOT {c.is_missing} THEN {c.cell} END" for c in columns if c.present}
    search = Search(max_error=max_error, min_confidence=min_confidence, max_pairs=max_pairs)
    return dependencies_between(db, relation, values, search=search, max_columns=max_columns, max_rows=max_rows)


def dependencies_between(
    db: "duckdb.DuckDBPyConnection",
    relation: str,
    values: Mapping[str, str],
    *,
    search: "Search",
    max_columns: int = MAX_COLUMNS,
    max_rows: int = MAX_ROWS,
) -> tuple[Dependency, ...]:
    """The same for SQL expressions by name, NULL where there is no value."""
    rows, distinct = _sizes(db, relation, values, max_columns)
    taking_part = {name: values[name] for name in distinct}
    if len(taking_part) < 2:  # noqa: PLR2004 - it takes two
        return ()
    most_rows = max(1000, min(max_rows, MAX_CELLS // len(taking_part)))
    sample = Sample(relation, taking_part, rows, most_rows)
    found = list(search.over(db, sample, distinct))
    return tuple(sorted(found, key=lambda d: (-d.confidence, d.error, d.rhs, d.lhs)))


def _sizes(
    db: "duckdb.DuckDBPyConnection", relation: str, values: Mapping[str, str], most: int
) -> tuple[int, dict[str, int]]:
    """The rows, and the columns that can take part with their number of values: no constants, no free text."""
    names = list(values)[: 4 * most]
    asked = ", ".join(f"approx_count_distinct({values[n]}), avg(length({values[n]}))" for n in names)
    [row] = db.execute(f"SELECT count(*){', ' if asked else ''}{asked} FROM {quoted(relation)}").fetchall()
    sizes = {n: (row[1 + 2 * i], row[2 + 2 * i] or 0) for i, n in enumerate(names)}
    fit = {n: int(distinct) for n, (distinct, length) in sizes.items() if distinct > 1 and length <= LONGEST_VALUE}
    return int(row[0]), dict(list(fit.items())[:most])


class Search:
    """What is accepted, and how far the search goes."""

    def __init__(
        self, *, max_error: float = MAX_ERROR, min_confidence: float = MIN_CONFIDENCE, max_pairs: int = MAX_PAIRS
    ) -> None:
        self.max_error, self.min_confidence, self.max_pairs = max_error, min_confidence, max_pairs

    def over(
        self, db: "duckdb.DuckDBPyConnection", sample: Sample, distinct: Mapping[str, int]
    ) -> Iterator[Dependency]:
        rows = sample.of_rows(db)
        singles: dict[tuple[str, str], Agreement] = {}
        for left, values in distinct.items():
            codes = rows if sample.step == 1 or values <= FEW_VALUES else self._of_groups(db, sample, left, _size(rows))
            for right, right_codes in codes.items():
                if right != left:
                    singles[left, right] = agreement(codes[left], right_codes)
        told = {pair for pair, known in singles.items() if self._holds(known, _size(rows))}
        for left, right in sorted(told):
            yield _dependency((left,), right, singles[left, right], sample)
        yield from self._pairs(rows, singles, told, sample)

    def _of_groups(self, db: "duckdb.DuckDBPyConnection", sample: Sample, left: str, rows: int) -> "dict[str, Codes]":
        """Nothing for a near-key: what has no evidence is known from the column alone."""
        alone = sample.of_groups(db, left, (left,))[left]
        return sample.of_groups(db, left) if is_support(sharing(alone), rows) else {}

    def _pairs(
        self,
        rows: "dict[str, Codes]",
        singles: Mapping[tuple[str, str], Agreement],
        told: set[tuple[str, str]],
        sample: Sample,
    ) -> Iterator[Dependency]:
        few = {name: codes[:PAIR_ROWS] for name, codes in rows.items()}
        for first, second in self._worth_pairing(few):
            if (first, second) in told or (second, first) in told:
                continue  # the one says what the other would add
            pair = together(few[first], few[second])
            for right, right_codes in few.items():
                if right in {first, second} or (first, right) in told or (second, right) in told:
                    continue
                known = agreement(pair, right_codes)
                alone = min(singles.get((one, right), NONE).error for one in (first, second))
                if known.error <= alone * PAIR_GAIN and self._holds(known, _size(few)):
                    yield _dependency((first, second), right, known, sample)

    def _worth_pairing(self, rows: "dict[str, Codes]") -> list[tuple[str, str]]:
        """Columns whose values repeat, those with the most values first: near-keys leave nothing to tell."""
        size = _size(rows)
        counted = ((int(codes.max(initial=0)), name) for name, codes in rows.items())
        repeating = [name for _, name in sorted((-n, name) for n, name in counted if 1 < n <= size / 4)]
        return list(combinations(repeating, 2))[: self.max_pairs]

    def _holds(self, known: Agreement, rows: int) -> bool:
        return known.error <= self.max_error and known.confidence >= self.min_confidence and known.is_evidence(rows)


def _size(rows: "dict[str, Codes]") -> int:
    return len(next(iter(rows.values())))


def _dependency(lhs: tuple[str, ...], rhs: str, known: Agreement, sample: Sample) -> Dependency:
    support, groups = known.support * sample.step, known.groups * sample.step
    return Dependency(lhs, rhs, known.error, support, known.confidence, groups, known.dispersion)
