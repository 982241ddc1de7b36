"""The repairs of a table's wrong cells, a stretch of rows at a time where it is large.

To look for errors takes memory by the row. A stretch is large enough that its rows bear witness to one another; what is
learned from one is not known in the next.
"""

from collections.abc import Iterator

from transformers.cleaning.rules import Work
from transformers.cleaning.windows import Window
from transformers.detection import detect_errors
from transformers.repair import propose_repairs
from transformers.tables import SOURCE_ROW, Table, quoted

PROPOSED = "proposed_repairs"  # source_row, column, new, rule, confidence
STRETCH = "repaired_stretch"  # the role of one
WHOLE_CELLS = 9_000_000  # a table up to this size is looked at as one: half a million rows of 18 columns
STRETCH_CELLS = WHOLE_CELLS // 2  # so that one row more does not make a small stretch


def gather_repairs(work: Work, min_confidence: float) -> list[Window]:
    """Fill `proposed_repairs`; the stretches that were looked at, one after another."""
    work.db.execute(
        f'CREATE OR REPLACE TEMP TABLE {PROPOSED} (source_row BIGINT, "column" VARCHAR, new VARCHAR, rule VARCHAR,'
        " confidence DOUBLE)"
    )
    listed = list(_stretches(work))
    known = _tables(work)
    for done, (_, table) in enumerate(listed, start=1):
        errors = detect_errors(work.db, table, work.columns)
        repairs = propose_repairs(work.db, table, work.columns, errors, min_confidence=min_confidence)
        work.db.execute(
            f"INSERT INTO {PROPOSED} SELECT source_row, \"column\", new, 'repair_' || rule, confidence"
            f' FROM {repairs} ORDER BY source_row, "column"'
        )
        for kind, name in sorted(_tables(work) - known):
            work.db.execute(f"DROP {kind} IF EXISTS {quoted(name)}")  # what is left behind is memory for those after
        work.report_progress(0.3 + 0.5 * done / len(listed))
    return [window for window, _ in listed]


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
