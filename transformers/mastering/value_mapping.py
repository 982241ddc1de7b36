"""Values onto standard ones: what the customer gives, and words for genders and countries where a column is that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import Column
from transformers.cells.kinds import literal
from transformers.mastering.clusters import text
from transformers.mastering.mapping import ColumnMapping
from transformers.mastering.ordered_files import table_stretches, write_in_order
from transformers.mastering.vocabulary import STANDARD_VALUES
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)


@dataclass(frozen=True)
class ValueMapping:
    """A text column's new values by old, trimmed and in lower case; how many cells they change, and how sure."""

    column: str
    values: Mapping[str, str]
    confidence: float
    cells: int
    rule: str

    @property
    def summary(self) -> dict[str, Any]:
        return {
            "column": self.column, "rule": self.rule, "confidence": self.confidence, "cells": self.cells,
            "values": dict(sorted(self.values.items())[:50]),
        }  # fmt: skip


def standard_values(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: Sequence[Column],
    mappings: Sequence[ColumnMapping],
    given: Mapping[str, Mapping[str, str]],
    *,
    least: float,
) -> list[ValueMapping]:
    """Found ones only where nearly all of a column's values are known words: their share is the confidence."""
    found = []
    by_column = {m.column: m.field for m in mappings}
    for column in columns:
        if not column.is_text:
            continue
        if column.name in given:
            rules = {old.strip().casefold(): new for old, new in given[column.name].items()}
            found.append(_counted(db, table, column, rules, rule="custom_value", confidence=1.0))
        elif by_column.get(column.name) in STANDARD_VALUES:
            words = _words(STANDARD_VALUES[by_column[column.name]])
            share = _share(db, table, column, words)
            if share >= least:
                used = {old: new for old, new in words.items() if old != new}
                found.append(_counted(db, table, column, used, rule="standard_value", confidence=round(share, 4)))
    return found


def _words(standard: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {word.casefold(): new for new, words in standard.items() for word in (new, *words)}


def _share(db: "duckdb.DuckDBPyConnection", table: Table, column: Column, words: Mapping[str, str]) -> float:
    """Of the cells with a value, how many are one of the words."""
    known = ", ".join(literal(word) for word in words)
    query = (
        f"SELECT count(*) FILTER (lower({column.cell}) IN ({known})), count(*) FROM {quoted(table.role)}"
        f" WHERE NOT {column.is_missing}"
    )
    [(fit, present)] = db.execute(query).fetchall()
    return fit / present if present else 0.0


def _counted(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    column: Column,
    values: Mapping[str, str],
    *,
    rule: str,
    confidence: float,
) -> ValueMapping:
    mapping = ValueMapping(column.name, values, confidence, 0, rule)
    query = f"SELECT count(*) FROM {quoted(table.role)} WHERE {_differs(mapping)}"
    [(cells,)] = db.execute(query).fetchall() if values else [(0,)]
    return ValueMapping(column.name, values, confidence, cells, rule)


def _new(mapping: ValueMapping) -> str:
    cell = quoted(mapping.column)
    if not mapping.values:
        return cell
    whens = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in sorted(mapping.values.items()))
    return f"CASE lower(trim({cell})) {whens} ELSE {cell} END"


def _differs(mapping: ValueMapping) -> str:
    return f"{quoted(mapping.column)} IS DISTINCT FROM {_new(mapping)}"


def carried_out(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    names: Mapping[str, str],
    mappings: Sequence[ValueMapping],
    *,
    path: Path,
    log: Path,
) -> tuple[Table, dict[str, int]]:
    """The table with its new names and values, and the log of its cells (under their new names)."""
    new = {mapping.column: _new(mapping) for mapping in mappings}
    parts = [f"{new.get(name, quoted(name))} AS {quoted(names.get(name, name))}" for name in table.columns]
    rows = f"SELECT {', '.join([*parts, ROW])} FROM {quoted(table.role)}"
    write_in_order(
        db,
        path,
        table_stretches(db, table),
        lambda above, upto: f"{rows} WHERE {ROW} > {above} AND {ROW} <= {upto} ORDER BY {ROW}",
    )
    changed = [mapping for mapping in mappings if mapping.cells]
    if changed:
        lines = " UNION ALL ".join(_lines(table, names, place, mapping) for place, mapping in enumerate(changed))
        listed = f'SELECT source_row, "column", old, new, rule, confidence FROM ({lines}) ORDER BY source_row, place'
        db.execute(f"COPY ({listed}) TO {text(log)} (FORMAT parquet, COMPRESSION zstd)")
    known = {"path": path, "columns": tuple(names.get(name, name) for name in table.columns)}
    after = table.model_copy(update=known | {"size_bytes": path.stat().st_size, "repairs": ()})
    return after, {names.get(mapping.column, mapping.column): mapping.cells for mapping in changed}


def _lines(table: Table, names: Mapping[str, str], place: int, mapping: ValueMapping) -> str:
    name = literal(names.get(mapping.column, mapping.column))
    return (
        f'SELECT {place} AS place, {ROW} AS source_row, {name} AS "column", {quoted(mapping.column)} AS old,'
        f" {_new(mapping)} AS new, {literal(mapping.rule)} AS rule, {mapping.confidence!r}::DOUBLE AS confidence"
        f" FROM {quoted(table.role)} WHERE {_differs(mapping)}"
    )
