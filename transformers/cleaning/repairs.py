"""The repairs of a table's wrong cells, as a relation of edits; and what a person can say to help."""

from dataclasses import dataclass, field

from transformers.cells.kinds import literal
from transformers.cleaning.rules import Work
from transformers.cleaning.windows import from_parquet
from transformers.detection import detect_errors
from transformers.detection.marks import Marks
from transformers.repair import propose_repairs
from transformers.repair.examples import Values
from transformers.tables import SOURCE_ROW, quoted

PROPOSED = "proposed_repairs"  # source_row, column, new, rule, confidence
BEGUN, LOOKED, PROPOSED_ALL = 0.3, 0.7, 0.8  # of the plan's time


@dataclass(frozen=True)
class Help:
    """What a person has said: the right values of a few rows' cells, and which column names a row's source."""

    right_values: Values = field(default_factory=dict)
    source_column: str | None = None


def gather_repairs(work: Work, min_confidence: float, help_given: Help) -> None:
    """Fill `proposed_repairs`: as a preview has found them, where it was told the same of the same table."""
    name = work.foreseen.name_of("repairs", work.table, (min_confidence, help_given))
    if path := work.foreseen.answer(name):
        work.db.execute(f"CREATE OR REPLACE TEMP TABLE {PROPOSED} AS SELECT * FROM {from_parquet(path)}")
    else:
        _propose(work, min_confidence, help_given)
    if path := work.foreseen.place(name):
        work.db.execute(f"COPY (SELECT * FROM {PROPOSED}) TO {literal(str(path))} (FORMAT parquet)")
    work.report_progress(PROPOSED_ALL)


def _propose(work: Work, min_confidence: float, help_given: Help) -> None:
    known, told = _tables(work), work.report_progress
    values, source = help_given.right_values, help_given.source_column
    errors = detect_errors(
        work.db,
        work.table,
        work.columns,
        labels=_marks(work, values) or None,
        source_column=source,
        report_progress=lambda done: told(BEGUN + (LOOKED - BEGUN) * done),
    )
    repairs = propose_repairs(
        work.db,
        work.table,
        work.columns,
        errors,
        min_confidence=min_confidence,
        labels=values or None,
        source_column=source,
    )
    work.db.execute(
        f"CREATE OR REPLACE TEMP TABLE {PROPOSED} AS SELECT source_row, \"column\", new, 'repair_' || rule AS rule,"
        f' confidence FROM {repairs} ORDER BY source_row, "column"'
    )
    for kind, name in sorted(_tables(work) - known - {("TABLE", PROPOSED)}):
        work.db.execute(f"DROP {kind} IF EXISTS {quoted(name)}")  # what is left behind is memory for those after


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


def _tables(work: Work) -> set[tuple[str, str]]:
    found = work.db.execute(
        "SELECT 'TABLE', table_name FROM duckdb_tables() WHERE temporary"
        " UNION ALL SELECT 'VIEW', view_name FROM duckdb_views() WHERE temporary AND NOT internal"
    ).fetchall()
    return set(found)
