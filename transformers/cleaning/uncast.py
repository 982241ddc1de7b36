"""Cells that cannot be cast, or can be read in two ways: looked for once, told row by row."""

from collections.abc import Iterator
from dataclasses import dataclass

from transformers.cells.columns import Column
from transformers.cells.kinds import literal
from transformers.cleaning.rules import FlaggedCells, Work
from transformers.findings import Severity
from transformers.tables import SOURCE_ROW, quoted


@dataclass(frozen=True)
class Uncast:
    """`none` cells cannot be cast, `doubt` cells can be read in two ways; both are left as they are."""

    column: Column
    kind: str
    relation: str
    none: int
    doubt: int
    several_units: bool = False

    def flags(self) -> Iterator[FlaggedCells]:
        if self.none:
            message = f"Not a {self.kind}, as the column's other values are; left as it is."
            if self.several_units:
                message = "No number, or one of several units that the column mixes; left as it is."
            yield FlaggedCells("not_cast", Severity.MEDIUM, self._cells("NOT doubt", message))
        if self.doubt:
            what = "date" if self.kind in ("date", "datetime") else "number"
            readings = "Two dates or none" if what == "date" else "Two numbers"
            message = f"{readings} can be read here, and the column does not tell which is meant; left as it is."
            yield FlaggedCells(f"ambiguous_{what}", Severity.MEDIUM, self._cells("doubt", message))

    def _cells(self, which: str, message: str) -> str:
        return (
            f'SELECT source_row, {literal(self.column.name)} AS "column", value, {literal(message)} AS message'
            f" FROM {self.relation} WHERE {which}"
        )


def uncast_cells(
    work: Work, number: int, column: Column, kind: str, *, text: str, ambiguous: str, several_units: bool = False
) -> Uncast:
    """`text` is SQL that is NULL where the cell cannot be cast; `number` tells the columns' tables apart."""
    relation = f"uncast_{number}"
    work.db.execute(
        f"CREATE OR REPLACE TEMP TABLE {relation} AS SELECT {quoted(SOURCE_ROW)} AS source_row, {column.cell} AS value,"
        f' coalesce({ambiguous}, false) AS doubt FROM "primary" WHERE NOT {column.is_missing} AND ({text}) IS NULL'
    )
    counts = f"SELECT count(*) FILTER (NOT doubt), count(*) FILTER (doubt) FROM {relation}"
    [(none, doubt)] = work.db.execute(counts).fetchall()
    return Uncast(column, kind, relation, int(none), int(doubt), several_units)
