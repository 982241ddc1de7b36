"""Survivorship: for every field of a shared cluster the row whose value survives, the rule that chose it, how sure.

The decisions go to a Parquet file, in order: cluster, column, value, source_row, rule, confidence, told (rows with a
value), values (different ones). Where no row has a value there is nothing to decide and no line. A winner without a
source row says that the field is empty.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import Column
from transformers.mastering.consensus import Cell, Consensus
from transformers.mastering.deciding import Deciding
from transformers.mastering.decision import Policy
from transformers.mastering.members import Members, Part
from transformers.mastering.rules import Rule
from transformers.mastering.weighing import ByErrors, ByTrust, Weigher

if TYPE_CHECKING:
    import duckdb

    from transformers.tables import Table

LEARNING_CELLS = 100_000  # of shared clusters, from which rates and trust are learned
LONE_CELLS = 30_000  # of rows that match no other: what else the columns hold


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

    def _learned(self, db: "duckdb.DuckDBPyConnection") -> Weigher:
        """Trust where sources are named and meet in clusters, else the errors that the columns show."""
        source, every = self.policy.source, range(len(self.columns))
        if source is not None:
            asked = [i for i in every if i not in self.policy.of_rows]
            return ByTrust({i: list(_clusters(self._sample, i, source)) for i in asked})
        shared = any(len(part.rows) for part in self._sample)
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

    def learned(self) -> dict[str, Any]:
        """What an agent's findings keep of it: how sure single values are, and how far each source is trusted."""
        source = self.policy.source
        return {
            "confidence_alone": self.alone(),
            "source_column": None if source is None else self.columns[source].name,
            "source_trust": self._source_trust(),
        }

    def _source_trust(self) -> dict[str, Any]:
        """Each source's learned accuracy, overall and by column."""
        if not isinstance(self.weigher, ByTrust):
            return {}
        trust = self.weigher.trust
        by_column: dict[str, dict[str, float]] = {}
        for (place, source), known in sorted(trust.of.items()):
            by_column.setdefault(self.columns[place].name, {})[source] = round(known, 4)
        overall = {source: round(known, 4) for source, known in trust.overall().items()}
        return {"overall": overall, "by_column": by_column, "disputed_cells": dict(sorted(trust.disputed.items()))}

    def write(self, path: Path, progress: Callable[[float], None]) -> None:
        import pyarrow as pa

        from transformers.intake.writing import RowGroupSink

        schema = pa.schema(
            [("cluster", pa.int64()), ("column", pa.string()), ("value", pa.string()), ("source_row", pa.int64()),
             ("rule", pa.string()), ("confidence", pa.float64()), ("told", pa.int32()), ("values", pa.int32())]
        )  # fmt: skip
        deciding, names = Deciding(self.policy, self.weigher, self.ranks), [column.name for column in self.columns]
        with RowGroupSink(path, schema) as sink:
            for share, part in self._members.parts(path.parent):
                sink.write(deciding.fields(part).lines(names, schema))
                progress(share)


def _clusters(sample: Sequence[Part], column: int, beside: int) -> Iterator[tuple[Sequence[Cell], Sequence[Cell]]]:
    for part in sample:
        for rows in part.spans:
            yield part.cells[column][rows], part.cells[beside][rows]


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
