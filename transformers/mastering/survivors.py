"""Survivorship: for every field of a shared cluster the row whose value survives, the rule that chose it, how sure.

The decisions go to a Parquet file, in order: cluster, column, value, source_row, rule, confidence, told (rows with a
value), values (different ones). Where no row has a value there is nothing to decide and no line. A winner without a
source row says that the field is empty.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import Column
from transformers.mastering.consensus import Cell, Consensus
from transformers.mastering.members import Members, Part
from transformers.mastering.rules import PICK, Rows, Rule, agreement
from transformers.mastering.weighing import ByErrors, ByTrust, Weigher

if TYPE_CHECKING:
    import duckdb

    from transformers.tables import Table

AGREED = "agreed"  # all rows that have a value have this one
ONLY_VALUE = "only_value"  # only one row has any
ONLY_RECORD = "only_record"  # the entity has one row
OF_THE_ROW = "of_the_row"  # tells the row and not the entity (its number, its source): the first row's
TOGETHER = "+together"  # chosen with the fields it belongs to, from one row
LEARNING_CELLS = 100_000  # of shared clusters, from which rates and trust are learned
LONE_CELLS = 30_000  # of rows that match no other: what else the columns hold


@dataclass(frozen=True)
class Policy:
    """What the customer wants: column places, or None."""

    default: Rule
    by_column: Mapping[int, Rule] = field(default_factory=dict)
    source: int | None = None
    timestamp: int | None = None
    priority: Sequence[str] = ()  # sources, the most trusted first
    groups: Sequence[tuple[int, ...]] = ()  # fields that stay together
    of_rows: frozenset[int] = frozenset()  # columns that tell the row and not the entity

    def rule(self, column: int) -> Rule:
        return self.by_column.get(column, self.default)

    def uses(self, rule: Rule) -> bool:
        return rule is self.default or rule in self.by_column.values()


@dataclass(frozen=True)
class Decision:
    """`place` is that of the winning row within the cluster; None where the field stays empty."""

    column: int
    place: int | None
    rule: str
    confidence: float
    told: int
    values: int


class Survivors:
    def __init__(
        self, db: "duckdb.DuckDBPyConnection", table: "Table", columns: Sequence[Column], policy: Policy
    ) -> None:
        self.columns, self.policy = columns, policy
        compared = {Rule.MIN, Rule.MAX, Rule.VALIDATION}
        typed = [i for i in range(len(columns)) if policy.rule(i) in compared]
        self._members = Members(db, table, columns, typed=typed, timestamp=policy.timestamp)
        self._sample = self._members.sample()
        self.weigher = self._learned(db)
        self._of_group = {column: group for group in policy.groups for column in group}

    def _learned(self, db: "duckdb.DuckDBPyConnection") -> Weigher:
        """Trust where sources are named and meet in clusters, else the errors that the columns show."""
        source, every = self.policy.source, range(len(self.columns))
        if source is not None:
            asked = [i for i in every if i not in self.policy.of_rows]
            return ByTrust({i: list(_clusters(self._sample, i, source)) for i in asked})
        shared = any(part.rows for part in self._sample)
        alone: Sequence[Sequence[Cell]] = lone_values(db, self.columns) if shared else [[] for _ in every]
        return ByErrors({i: Consensus([c for c, _ in _clusters(self._sample, i, i)], alone[i]) for i in every})

    @property
    def ranks(self) -> dict[str, int]:
        """The sources in the order the customer gave, else in that of their learned trust."""
        learned = self.weigher.trust.overall() if isinstance(self.weigher, ByTrust) else {}
        ordered = [*self.policy.priority, *sorted(learned, key=lambda source: (-learned[source], source))]
        return {source: rank for rank, source in reversed(list(enumerate(ordered)))}

    def alone(self) -> dict[str, float]:
        """By column: how sure a value is of which there is but one."""
        apart = self.policy.of_rows
        return {c.name: round(self.weigher.alone(i), 4) for i, c in enumerate(self.columns) if i not in apart}

    def write(self, path: Path, progress: Callable[[float], None]) -> None:
        import pyarrow as pa

        from transformers.intake.writing import RowGroupSink

        schema = pa.schema(
            [("cluster", pa.int64()), ("column", pa.string()), ("value", pa.string()), ("source_row", pa.int64()),
             ("rule", pa.string()), ("confidence", pa.float64()), ("told", pa.int32()), ("values", pa.int32())]
        )  # fmt: skip
        with RowGroupSink(path, schema) as sink:
            for share, part in self._members.parts():
                lines = list(self._lines(part))
                lists = [list(values) for values in zip(*lines, strict=True)] or [[] for _ in schema]
                arrays = [pa.array(values, kind) for values, kind in zip(lists, schema.types, strict=True)]
                sink.write(pa.record_batch(arrays, schema=schema))
                progress(share)

    def _lines(self, part: Part) -> Iterator[tuple[Any, ...]]:
        ranks = self.ranks
        for cluster, (start, end) in zip(part.clusters, part.spans, strict=True):
            for found in self._of_cluster(part, start, end, ranks):
                at = None if found.place is None else start + found.place
                value = None if at is None else part.cells[found.column][at]
                row = None if at is None else part.rows[at]
                name = self.columns[found.column].name
                yield cluster, name, value, row, found.rule, round(found.confidence, 4), found.told, found.values

    def _of_cluster(self, part: Part, start: int, end: int, ranks: Mapping[str, int]) -> Iterator[Decision]:
        """In the order of the columns."""
        case = _Case(self, part, start, end, ranks)
        found = {i: case.decide(i) for i in range(len(self.columns))}
        for group in self.policy.groups:
            found |= case.together(group, found)
        yield from (found[i] for i in range(len(self.columns)) if found[i].told)


class _Case:
    """One cluster."""

    def __init__(self, survivors: Survivors, part: Part, start: int, end: int, ranks: Mapping[str, int]) -> None:
        self._policy, self._weigher = survivors.policy, survivors.weigher
        self._part, self._start, self._end, self._ranks = part, start, end, ranks
        self.cells = [column[start:end] for column in part.cells]
        source = self._policy.source
        self._sources: Sequence[Cell] = [None] * (end - start) if source is None else self.cells[source]

    def decide(self, column: int) -> Decision:
        cells = self.cells[column]
        values = {cell for cell in cells if cell is not None}
        told = sum(1 for cell in cells if cell is not None)
        if column in self._policy.of_rows:
            return Decision(column, 0 if cells[0] is not None else None, OF_THE_ROW, 1.0, told, min(1, told))
        rule = self._policy.rule(column)
        weighed = rule is Rule.QUALITY_SCORE
        if not values or (len(values) == 1 and not (weighed and 2 * told < len(cells))):
            return self._unopposed(column, told)
        if weighed:
            place, confidence = self._weighed(column, cells)
        else:
            place = PICK[rule](self._rows(column))
            confidence = agreement(cells, cells[place])
        return Decision(column, place, rule.value, confidence, told, len(values))

    def _unopposed(self, column: int, told: int) -> Decision:
        cells = self.cells[column]
        if not told:
            return Decision(column, None, AGREED, 1.0, 0, 0)
        place = next(i for i, cell in enumerate(cells) if cell is not None)
        confidence = self._weigher.unopposed(column, cells, self._sources)
        return Decision(column, place, AGREED if told > 1 else ONLY_VALUE, confidence, told, 1)

    def _weighed(self, column: int, cells: Sequence[Cell]) -> tuple[int | None, float]:
        import math

        scores = self._weigher.weigh(column, cells, self._sources)
        best = max(scores, key=lambda value: (scores[value], value is not None, value or ""))
        return (None if best is None else self._holder(cells, best)), math.exp(scores[best])

    def _holder(self, cells: Sequence[Cell], value: str) -> int:
        """The row of the most trusted source that says so, else the first."""
        holders = [i for i, cell in enumerate(cells) if cell == value]
        return min(holders, key=lambda i: (self._rank(i), i))

    def _rank(self, place: int) -> int:
        return self._ranks.get(self._sources[place] or "", len(self._ranks))

    def _rows(self, column: int) -> Rows:
        n = range(self._end - self._start)
        return Rows(
            cells=self.cells[column],
            filled=[sum(1 for cells in self.cells if cells[i] is not None) for i in n],
            ranks=[self._rank(i) for i in n],
            times=self._part.times[self._start : self._end],
            keys=self._part.keys.get(column, self._part.cells[column])[slice(self._start, self._end)],
        )

    def together(self, group: Sequence[int], found: Mapping[int, Decision]) -> dict[int, Decision]:
        """The fields of a group from one row, where their winners never stood side by side in any."""
        chosen = [found[i].place for i in group]
        winners = [None if place is None else self.cells[i][place] for i, place in zip(group, chosen, strict=True)]
        whole = [r for r in range(self._end - self._start) if all(self.cells[i][r] is not None for i in group)]
        if not whole or any([self.cells[i][r] for i in group] == winners for r in whole):
            return {}
        row = max(whole, key=lambda r: (sum(self._support(i, r) for i in group), -r))
        rule = {i: found[i].rule for i in group}
        return {
            i: Decision(i, row, rule[i].removesuffix(TOGETHER) + TOGETHER,
                        agreement(self.cells[i], self.cells[i][row]), found[i].told, found[i].values)
            for i in group
        }  # fmt: skip

    def _support(self, column: int, row: int) -> float:
        scores = self._weigher.weigh(column, self.cells[column], self._sources)
        return scores.get(self.cells[column][row], min(scores.values(), default=0.0))


def _clusters(sample: Sequence[Part], column: int, beside: int) -> Iterator[tuple[Sequence[Cell], Sequence[Cell]]]:
    for part in sample:
        for start, end in part.spans:
            yield part.cells[column][start:end], part.cells[beside][start:end]


def lone_values(db: "duckdb.DuckDBPyConnection", columns: Sequence[Column]) -> list[list[Cell]]:
    """Some cells of rows that match no other, by column."""
    from transformers.mastering.clusters import CLUSTERS
    from transformers.mastering.members import known_text
    from transformers.tables import SOURCE_ROW, quoted
    from transformers.tool import PRIMARY

    rows = LONE_CELLS // max(1, len(columns))
    alone = f"SELECT cluster FROM cluster_sizes WHERE n = 1 ORDER BY hash(cluster), cluster LIMIT {rows}"
    query = (
        f"SELECT {', '.join(known_text(c) for c in columns)} FROM {quoted(PRIMARY)}"
        f" WHERE {quoted(SOURCE_ROW)} IN (SELECT source_row FROM {CLUSTERS} WHERE cluster IN ({alone}))"
        f" ORDER BY {quoted(SOURCE_ROW)}"
    )
    found = db.execute(query).fetchall()
    return [list(values) for values in zip(*found, strict=True)] or [[] for _ in columns]
