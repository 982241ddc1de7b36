"""The repairs of a table's wrong cells, a stretch of rows at a time where it is large.

To look for errors takes memory by the row. A stretch is large enough that its rows bear witness to one another; what is
learned from one is not known in the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from transformers.cleaning.rules import Work
from transformers.cleaning.windows import Window
from transformers.detection import detect_errors
from transformers.detection.marks import Marks
from transformers.repair import propose_repairs
from transformers.repair.examples import Values
from transformers.tables import SOURCE_ROW, Table, quoted

PROPOSED = "proposed_repairs"  # source_row, column, new, rule, confidence
STRETCH = "repaired_stretch"  # the role of one
WHOLE_CELLS = 9_000_000  # a table up to this size is looked at as one: half a million rows of 18 columns
STRETCH_CELLS = WHOLE_CELLS // 2  # so that one row more does not make a small stretch


@dataclass(frozen=True)
class Help:
    """What a person has said: the right values of a few rows' cells, and which column names a row's source."""

    right_values: Values = field(default_factory=dict)
    source_column: str | None = None

    def within(self, window: Window) -> Values:
        return {row: cells for row, cells in self.right_values.items() if window.first <= row <= window.last}


def gather_repairs(work: Work, min_confidence: float, help_given: Help) -> list[Window]:
    """Fill `proposed_repairs`; the stretches that were looked at, one after another."""
    work.db.execute(
        f'CREATE OR REPLACE TEMP TABLE {PROPOSED} (source_row BIGINT, "column" VARCHAR, new VARCHAR, rule VARCHAR,'
        " confidence DOUBLE)"
    )
    listed = list(_stretches(work))
    known = _tables(work)
    for done, (window, table) in enumerate(listed, start=1):
        values, source = help_given.within(window), help_given.source_column
        marks = _marks(work, values)
        errors = detect_errors(work.db, table, work.columns, labels=marks or None, source_column=source)
        repairs = propose_repairs(
            work.db,
            table,
            work.columns,
            errors,
            min_confidence=min_confidence,
            labels=values or None,
            source_column=source,
        )
        work.db.execute(
            f"INSERT INTO {PROPOSED} SELECT source_row, \"column\", new, 'repair_' || rule, confidence"
            f' FROM {repairs} ORDER BY source_row, "column"'
        )
        for kind, name in sorted(_tables(work) - known):
            work.db.execute(f"DROP {kind} IF EXISTS {quoted(name)}")  # what is left behind is memory for those after
        work.report_progress(0.3 + 0.5 * done / len(listed))
    return [window for window, _ in listed]


def _marks(work: Work, right: Values) -> Marks:
    """Which of the cells that a person knows are wrong: those that are written otherwise."""
    if not right:
        return {}
    texts_of = {column.name: column.cell for column in work.columns}
    rows = ", ".join(str(row) for row in sorted(right))
    every = ", ".join(f"coalesce({cell}, '')" for cell in texts_of.values())
    found = work.db.execute(
        f'SELECT {quoted(SOURCE_ROW)}, {every} FROM "primary" WHERE {quoted(SOURCE_ROW)} IN ({rows}) ORDER BY 1'
    ).fetchall()
    written = {row: dict(zip(texts_of, texts, strict=True)) for row, *texts in found}
    return {
        row: {name: value.strip() != written[row][name] for name, value in cells.items() if name in written[row]}
        for row, cells in right.items()
        if row in written
    }


def _stretches(work: Work) -> Iterator[tuple[Window, Table]]:
    """Each a view of its own. They follow the file's order, so each reads only its part of it."""
    table, row = work.table, quoted(SOURCE_ROW)
    [(first, last)] = work.db.execute(f'SELECT min({row}), max({row}) FROM "primary"').fetchall()
    cells = table.rows * len(table.columns)
    if cells <= WHOLE_CELLS:
        yield Window(first or 0, last or 0), table
        return
    parts = cells // STRETCH_CELLS
    span = last - first + 1
    for part in range(parts):
        window = Window(first + span * part // parts, first + span * (part + 1) // parts - 1)
        name = f"{STRETCH}_{part}"
        work.db.execute(f'CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM "primary" WHERE {window.holds}')
        [(rows,)] = work.db.execute(f"SELECT count(*) FROM {name}").fetchall()
        if rows:
            yield window, table.model_copy(update={"role": name, "rows": rows})


def _tables(work: Work) -> set[tuple[str, str]]:
    found = work.db.execute(
        "SELECT 'TABLE', table_name FROM duckdb_tables() WHERE temporary"
        " UNION ALL SELECT 'VIEW', view_name FROM duckdb_views() WHERE temporary AND NOT internal"
    ).fetchall()
    return set(found)
