"""The golden cells of a stretch of records, each compared with the source cell that its line of lineage names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.mastering.clusters import text
from transformers.mastering.lineage_lines import LineStretch
from transformers.mastering.members import TEXT_READ
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)
MOST_SUPPORTERS = 20  # source rows listed beside a cell's own


@dataclass(frozen=True)
class Traced:
    """A golden column: its place, its name in the source (None: an agent has added it), whether a log speaks of it."""

    place: int
    name: str
    source: str | None
    logged: bool

    @property
    def cell(self) -> str:
        return f"left(trim(CAST(g.{quoted(self.name)} AS VARCHAR)), {TEXT_READ})"

    @property
    def source_cell(self) -> str:
        return "NULL" if self.source is None else f"left(trim(CAST(s.{quoted(self.source)} AS VARCHAR)), {TEXT_READ})"

    def agrees(self, value: str, told: str) -> str:
        """SQL: whether a cell is as its source says, or as the last change of it does."""
        said = value if self.source is None else f"CASE WHEN changed THEN new ELSE {told} END"
        return f"coalesce({value}, '') = coalesce({said}, '')"

    def changes(self, rows: str) -> str:
        """SQL: source_row, new, rules: the last change of the rows' cells, and every rule that changed them."""
        return (
            f"(SELECT source_row, left(trim(last(new ORDER BY stage)), {TEXT_READ}) AS new,"
            f" string_agg(rule, ', ' ORDER BY stage) AS rules FROM logged WHERE \"column\" = {literal(self.name)}"
            f" AND source_row IN ({rows}) GROUP BY source_row)"
        )


def check_whole(
    db: "duckdb.DuckDBPyConnection",
    golden: Table,
    columns: Sequence[Traced],
    stretch: LineStretch,
    counts: dict[str, list[int]],
) -> None:
    """Records that are one source row as it stands: compared side by side, all columns at once."""
    [(low, high)] = db.execute("SELECT min(source_row), max(source_row) FROM lines WHERE whole").fetchall()
    cells = "".join(f", {c.cell} AS v{c.place}, {c.source_cell} AS s{c.place}" for c in columns)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE whole AS SELECT l.record, l.source_row{cells} FROM lines l"
        f" JOIN {quoted(golden.role)} g ON g.{ROW} = l.record"
        f" LEFT JOIN (SELECT * FROM source_rows WHERE {ROW} BETWEEN {low or 0} AND {high or 0}) s"
        f" ON s.{ROW} = l.source_row WHERE l.whole AND {stretch.holds('g.' + ROW)}"
    )
    for column in columns:
        value, told = f"v{column.place}", f"s{column.place}"
        new, changed, joined = "NULL::VARCHAR", "false", ""
        if column.logged:
            new, changed = "c.new", "c.source_row IS NOT NULL"
            joined = f" LEFT JOIN {column.changes('SELECT source_row FROM whole')} c ON c.source_row = w.source_row"
        found = (
            f"SELECT w.record, w.source_row, {value}, {told}, {new} AS new, {changed} AS changed FROM whole w{joined}"
        )
        explained = f"({column.agrees(value, told)} OR (source_row IS NULL AND {value} IS NULL))"
        _count(db, column, f"SELECT record, {value} AS value, changed, {explained} AS explained FROM ({found})", counts)
    db.execute("DROP TABLE whole")


def _count(db: "duckdb.DuckDBPyConnection", column: Traced, found: str, counts: dict[str, list[int]]) -> None:
    """`found` gives record, value, changed, explained."""
    present = "value IS NOT NULL"
    [(cells, unchanged, changed, wrong)] = db.execute(
        f"SELECT count(value), count(*) FILTER ({present} AND explained AND NOT changed),"
        f" count(*) FILTER ({present} AND explained AND changed), count(*) FILTER (NOT explained) FROM ({found})"
    ).fetchall()
    sums = counts[column.name]
    sums[:] = [a + b for a, b in zip(sums, (cells, unchanged, changed, wrong), strict=True)]
    if wrong:
        db.execute(f"INSERT INTO unexplained SELECT record, {literal(column.name)} FROM ({found}) WHERE NOT explained")


def check_cells(
    db: "duckdb.DuckDBPyConnection",
    golden: Table,
    columns: Sequence[Traced],
    within: tuple[LineStretch, Path],
    counts: dict[str, list[int]],
) -> None:
    """Cells with a line of their own, column by column; they and their supporters go to `traced`."""
    _lay_members(db, golden, columns, *within)
    for column in columns:
        _trace(db, column)
        found = "SELECT record, value, changed, explained FROM cells_of_column"
        _count(db, column, found, counts)
        db.execute(
            f"INSERT INTO traced SELECT record, {column.place}, golden_id, {literal(column.name)}, value, source_row,"
            f" {'NULL' if column.source is None else literal(column.source)}, source_value, supporters, rule, rules,"
            " confidence, explained FROM cells_of_column"
        )
    for name in ("cells_of_column", "members", "shared_golden"):
        db.execute(f"DROP TABLE {name}")


def _lay_members(
    db: "duckdb.DuckDBPyConnection", golden: Table, columns: Sequence[Traced], stretch: LineStretch, references: Path
) -> None:
    """`shared_golden`: the records with lines of their own; `members`: all the source rows of these entities."""
    ours = "SELECT DISTINCT record, golden_id FROM lines WHERE NOT whole"
    cells = "".join(f", {c.cell} AS v{c.place}" for c in columns)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE shared_golden AS SELECT l.record, l.golden_id{cells} FROM ({ours}) l"
        f" JOIN {quoted(golden.role)} g ON g.{ROW} = l.record WHERE {stretch.holds('g.' + ROW)}"
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE member_rows AS SELECT x.source_row, x.golden_id"
        f" FROM read_parquet({text(references)}) x JOIN ({ours}) l ON l.golden_id = x.golden_id"
    )
    told = "".join(f", {c.source_cell} AS s{c.place}" for c in columns)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE members AS SELECT m.source_row, m.golden_id{told} FROM member_rows m"
        f" JOIN source_rows s ON s.{ROW} = m.source_row"
    )
    db.execute("DROP TABLE member_rows")


def _trace(db: "duckdb.DuckDBPyConnection", column: Traced) -> None:
    """`cells_of_column`: the cells with what was told of them, and the first rows that say what their source says."""
    value, told = f"v{column.place}", f"s{column.place}"
    new, changed, rules, joined = "NULL::VARCHAR", "false", "NULL::VARCHAR", ""
    if column.logged:
        new, changed, rules = "c.new", "c.source_row IS NOT NULL", "c.rules"
        joined = f" LEFT JOIN {column.changes('SELECT source_row FROM members')} c ON c.source_row = l.source_row"
    mine = f'(SELECT * FROM lines WHERE "column" = {literal(column.name)})'
    supporters = (
        f"SELECT l.golden_id, list(m.source_row ORDER BY m.source_row)[1:{MOST_SUPPORTERS}] AS supporters"
        f" FROM {mine} l JOIN members s ON s.source_row = l.source_row"
        f" JOIN members m ON m.golden_id = l.golden_id AND m.{told} = s.{told} GROUP BY l.golden_id"
    )
    found = (
        f"SELECT l.record, l.golden_id, g.{value} AS value, l.told, l.source_row, s.{told} AS source_value,"
        f" p.supporters, l.rule, {rules} AS rules, l.confidence, {new} AS new, {changed} AS changed FROM {mine} l"
        " JOIN shared_golden g ON g.record = l.record LEFT JOIN members s ON s.source_row = l.source_row"
        f" LEFT JOIN ({supporters}) p ON p.golden_id = l.golden_id{joined}"
    )
    explained = (
        f"{column.agrees('value', 'source_value')} AND coalesce(value, '') = coalesce(told, '')"
        " OR (source_row IS NULL AND value IS NULL)"
    )
    db.execute(f"CREATE OR REPLACE TEMP TABLE cells_of_column AS SELECT *, ({explained}) AS explained FROM ({found})")
