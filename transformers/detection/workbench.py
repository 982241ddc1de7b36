"""What the rules work on: the table's cells as they are read, and the evidence they leave.

`cells_read(__source_row__, c0, c1 …)`: column i's cell in its column's own form (readings.py), trimmed; NULL where it
is missing. `cell_evidence`: one line for each reason to doubt a cell, with what the rule would put in its place.
Rules see columns by place, so no name of the customer's sways them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

    from transformers.cells.columns import Column

READ = "cells_read"
EVIDENCE = "cell_evidence"
EVIDENCE_OF = "cell_evidence_of"
EXACT = ("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "DATE",
         "TIMESTAMP", "TIME", "DECIMAL")  # fmt: skip
MAX_COLUMNS = 200  # the first columns of a table are looked at; a wider one is rather a matrix


@dataclass(frozen=True)
class Doubt:
    """A reason to doubt every cell of a column with this text. `suggestion` None: the right value is none."""

    text: str
    suggestion: str | None
    confidence: float  # that the cell is wrong
    certainty: float = 0.0  # that the suggestion is right, if the cell is wrong; 0 = no suggestion


@dataclass(frozen=True)
class Workbench:
    db: "duckdb.DuckDBPyConnection"
    table: Table
    columns: "tuple[Column, ...]"
    values: Mapping[int, Mapping[str, int]]  # place → distinct texts (trimmed, present) and how often, where few enough
    words: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # place → words for nothing that are values here
    nothings: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # place → words for nothing as written there
    read: str = READ  # the view of the cells as they are read, or of a stretch of them
    source: int | None = None  # the column that a person says the source of each row is in
    rewritten: dict[int, Mapping[str, str]] = field(default_factory=dict)  # place → text → the form of its column

    @property
    def relation(self) -> str:
        return quoted(self.table.role)

    def text(self, place: int) -> str:
        """SQL: the cell as written, trimmed where one of its column's has to be."""
        column = self.columns[place]
        return quoted(column.name) if column.is_text and not column.padded else f"trim({_as_text(column)})"

    def present(self, place: int) -> str:
        """SQL: the cell as written, trimmed; NULL where it is missing."""
        return f"CASE WHEN NOT {self.missing(place)} THEN {self.text(place)} END"

    def missing(self, place: int) -> str:
        """SQL: true where there is no value. Words that are known are compared: that costs less than their pattern."""
        column, text, kept = self.columns[place], self.text(place), self.words.get(place, ())
        if column.is_text and (place in self.nothings or not column.disguised):
            words = ("", *(word for word in self.nothings.get(place, ()) if word not in kept))
            return f"({text} IS NULL OR {' OR '.join(f'{text} = {literal(word)}' for word in words)})"
        listed = ", ".join(literal(word) for word in kept)
        return f"({column.is_missing} AND coalesce({text}, '') NOT IN ({listed}))" if kept else column.is_missing

    def read_values(self, place: int) -> dict[str, int]:
        """The distinct values in their column's own form."""
        forms = self.rewritten.get(place, {})
        counts: dict[str, int] = {}
        for text, n in self.values.get(place, {}).items():
            counts[forms.get(text, text)] = counts.get(forms.get(text, text), 0) + n
        return counts

    def doubt_texts(self, place: int, kind: str, rule: str, doubts: Sequence[Doubt], source: str | None = None) -> None:
        """Every cell whose text (or whose reading, with `source=READ`) is doubted."""
        if not doubts:
            return
        import pyarrow as pa

        said = pa.table(
            {
                "said": pa.array([d.text for d in doubts], pa.string()),
                "suggestion": pa.array([d.suggestion for d in doubts], pa.string()),
                "confidence": pa.array([d.confidence for d in doubts], pa.float64()),
                "certainty": pa.array([d.certainty for d in doubts], pa.float64()),
            }
        )
        cells = f"SELECT {SOURCE_ROW}, c{place} AS cell FROM {source}" if source else self._texts(place)
        self.db.register("__doubted__", said)
        self.add(
            f"SELECT {SOURCE_ROW}, {place}, {literal(kind)}, {literal(rule)}, confidence, suggestion, certainty"
            f" FROM ({cells}) cells JOIN __doubted__ ON cell = said"
        )
        self.db.unregister("__doubted__")

    def _texts(self, place: int) -> str:
        """SQL: the cells of one column by themselves, so that no header is taken for a name of ours."""
        return f"SELECT {SOURCE_ROW}, {self.text(place)} AS cell FROM {self.relation}"

    def add(self, query: str) -> None:
        """A query of (source_row, place, kind, rule, confidence, suggestion, certainty)."""
        self.db.execute(f"INSERT INTO {EVIDENCE} {query}")


def _as_text(column: "Column") -> str:
    return f"CAST({quoted(column.name)} AS VARCHAR)"


def evidence_is_there(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: "Sequence[Column]", source_column: str | None
) -> bool:
    """Whether the evidence that lies in the database is of this very table, read in this way."""
    made = db.execute(f"SELECT count(*) FROM duckdb_tables() WHERE table_name = '{EVIDENCE_OF}'").fetchall()
    return made == [(1,)] and db.execute(f"SELECT * FROM {EVIDENCE_OF}").fetchall() == [
        (_identity(table, columns, source_column),)
    ]


def sign_evidence(bench: Workbench) -> None:
    """Say which table it is of, once every rule has spoken."""
    source = bench.columns[bench.source].name if bench.source is not None else None
    identity = literal(_identity(bench.table, bench.columns, source))
    bench.db.execute(f"CREATE OR REPLACE TEMP TABLE {EVIDENCE_OF} AS SELECT {identity} AS of")


def _identity(table: Table, columns: "Sequence[Column]", source_column: str | None) -> str:
    return repr((str(table.path), table.rows, [c.name for c in comparable(columns)], source_column))


def comparable(columns: "Sequence[Column]") -> "tuple[Column, ...]":
    """Text, and typed values of which equal ones look equal: no fractions in binary, nothing nested."""
    return tuple(c for c in columns if c.is_text or (c.physical.startswith(EXACT) and not c.physical.endswith("]")))[
        :MAX_COLUMNS
    ]
