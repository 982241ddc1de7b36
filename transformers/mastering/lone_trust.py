"""How far a record is to be trusted that rests on one row alone, and when that is a matter for people.

Nothing contradicts such a row, so only its source can speak against it: one that others contradicted in entities of
several rows. Any other low figure would say something of the column, and nothing of this record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import Column
from transformers.cells.kinds import words
from transformers.mastering.members import known_text
from transformers.mastering.work_files import left_by
from transformers.tables import quoted
from transformers.tool import Delivery

if TYPE_CHECKING:
    import duckdb

SOURCES = "lone_sources"  # source, and by the place of a column the trust in its cells there: c0, c1 …
BUILDER = "golden-record-builder"
NO_RECORD = "(false)"


@dataclass(frozen=True)
class LoneTrust:
    """By column how sure a value is of which there is but one; by column and source, where sources were disputed."""

    by_column: Mapping[str, float] = field(default_factory=dict)
    source_column: str = ""
    by_source: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    disputed: Sequence[str] = ()  # sources whose cells others contradicted, or confirmed where some did

    @classmethod
    def of(cls, learned: Mapping[str, Any]) -> "LoneTrust":
        """As `Survivors.learned` tells it, and an agent's findings keep it."""
        trust = learned.get("source_trust") or {}
        return cls(
            by_column=learned.get("confidence_alone") or {},
            source_column=learned.get("source_column") or "",
            by_source=trust.get("by_column", {}),
            disputed=sorted(source for source, n in trust.get("disputed_cells", {}).items() if n and source),
        )

    def lay_out(self, db: "duckdb.DuckDBPyConnection", columns: Sequence[Column]) -> None:
        """`lone_sources`, which `mean` looks into."""
        import pyarrow as pa

        known = {"source": pa.array(self.disputed, pa.string())}
        for place, column in enumerate(columns):
            trust = self.by_source.get(column.name, {})
            known[f"c{place}"] = pa.array([trust.get(source) for source in self.disputed], pa.float64())
        db.register("told_sources", pa.table(known))
        db.execute(f"CREATE OR REPLACE TEMP TABLE {SOURCES} AS FROM told_sources")
        db.unregister("told_sources")

    def join(self, alias: str, columns: Sequence[Column]) -> str:
        """SQL: what `mean` needs beside the rows of a table."""
        source = next((column for column in columns if column.name == self.source_column), None)
        if source is None or not self.disputed:
            return ""
        return f" LEFT JOIN {SOURCES} k ON k.source = {_on(alias, source, known_text(source))}"

    def mean(self, alias: str, columns: Sequence[Column]) -> str:
        """SQL: the mean confidence of a row's cells."""
        by_source = bool(self.join(alias, columns))
        told = []
        for place, column in enumerate(columns):
            if column.name in self.by_column:
                sure = f"{self.by_column[column.name]!r}::DOUBLE"
                sure = f"coalesce(k.c{place}, {sure})" if by_source else sure
                told.append(f"CASE WHEN NOT {_on(alias, column, column.is_missing)} THEN {sure} END")
        return f"coalesce(round(list_avg([{', '.join(told)}]), 4), 0.0)" if told else "0.0"

    def speaks_of(self, columns: Sequence[Column]) -> str:
        """SQL: the rows whose source is known by what others said of the same things."""
        source = next((column for column in columns if column.name == self.source_column), None)
        return f"({known_text(source)} IN {words(tuple(self.disputed))})" if source and self.disputed else NO_RECORD


def known_of_lone_rows(earlier: tuple[Delivery, ...]) -> LoneTrust:
    """As the builder of the golden records left it; nothing where it did not run."""
    builder = left_by(earlier, BUILDER)
    return LoneTrust.of(builder.result.data.get("lone_rows", {})) if builder else LoneTrust()


def doubted(trust: str, rows: str, least: float, known: str) -> str:
    """SQL: golden records of too little trust. `known` is true where a single row's source speaks against it.

    `trust` and `rows`, their number, are columns.
    """
    low = f"TRY_CAST({quoted(trust)} AS DOUBLE) < {least!r}::DOUBLE"
    return f"coalesce({low} AND (TRY_CAST({quoted(rows)} AS BIGINT) > 1 OR {known}), false)"


def _on(alias: str, column: Column, sql: str) -> str:
    """What is said of the column, said of one of the tables of a query."""
    return sql.replace(quoted(column.name), f"{alias}.{quoted(column.name)}")
