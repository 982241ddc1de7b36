"""What the row that stays takes over from its duplicates: what it misses, and by vote what they contradict."""

from collections.abc import Sequence

from transformers.cells.kinds import literal
from transformers.cleaning.duplicate_groups import DUPLICATES, ROW, Kind, Sameness
from transformers.cleaning.rules import Work
from transformers.tables import quoted

MEMBERS = "duplicate_members"


def merged_cells(work: Work, same: Sameness, kinds: Sequence[Kind], *, votes: bool) -> str:
    """A relation of edits. A value's weight is how many of the rows say it; what the row says itself wins a tie."""
    differing = [kind for kind in kinds if kind in (Kind.MISSING_VALUES, Kind.CONFLICTING)]
    listed = ", ".join(literal(kind) for kind in differing) or "''"
    pairs = f"SELECT kept_row, source_row FROM {DUPLICATES} WHERE kind IN ({listed})"
    work.db.execute(f"CREATE OR REPLACE TEMP TABLE {MEMBERS} AS {pairs} UNION SELECT kept_row, kept_row FROM ({pairs})")
    tallied = (
        'SELECT kept_row, "column", n, count(*) AS c, min(source_row) AS first_row,'
        f" bool_or(source_row = kept_row) AS own, arg_min(v, source_row) AS v FROM ({_cells(same)}) GROUP BY ALL"
    )
    of_cell = 'OVER (PARTITION BY kept_row, "column")'
    ranked = (
        f"SELECT *, sum(c) {of_cell} AS total, bool_or(own) {of_cell} AS says, row_number() OVER"
        f' (PARTITION BY kept_row, "column" ORDER BY c DESC, own DESC, first_row) AS nth FROM ({tallied})'
    )
    wanted = "nth = 1 AND NOT own" if votes else "nth = 1 AND NOT says"
    rule = "CASE WHEN says THEN 'conflict_vote' ELSE 'fill_from_duplicate' END"
    return (
        f'SELECT kept_row AS source_row, "column", v AS new, {rule} AS rule, c / total AS confidence'
        f" FROM ({ranked}) WHERE {wanted}"
    )


def _cells(same: Sameness) -> str:
    columns = [column for column in same.columns if column.name not in same.keys]
    names = ", ".join(literal(column.name) for column in columns) or "''"
    values = ", ".join(f"CAST(p.{quoted(column.name)} AS VARCHAR)" for column in columns) or "NULL"
    said = ", ".join(f"CAST({same.norm(column, 'p.')} AS VARCHAR)" for column in columns) or "NULL"
    unrolled = f'unnest([{names}]) AS "column", unnest([{values}]) AS v, unnest([{said}]) AS n'
    rows = f'SELECT m.kept_row, m.source_row, {unrolled} FROM {MEMBERS} m JOIN "primary" p ON p.{ROW} = m.source_row'
    return f"SELECT * FROM ({rows}) WHERE n IS NOT NULL"
