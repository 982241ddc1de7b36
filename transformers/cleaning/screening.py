"""Which columns of text are worth a close look: those of which a sample's cells are mostly numbers, or dates.

One query for many columns, so that a table of a thousand costs a few.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers.cells import kinds as forms
from transformers.cells.columns import Column
from transformers.cells.kinds import Kind
from transformers.cells.values import chunks
from transformers.cleaning import casting, dates
from transformers.cleaning.date_evidence import NAMED_LIKE_A_DATE
from transformers.cleaning.rules import Work
from transformers.tables import SOURCE_ROW, quoted

SAMPLE, SAMPLE_ROWS = "type_sample", 2_000
SAMPLE_CELLS = 200_000  # of a chunk of columns
LIKELY = 0.5  # of the sample's present cells
PLAIN_KINDS = {Kind.EMPTY, Kind.DISGUISED, Kind.INTEGER, Kind.DECIMAL}


@dataclass(frozen=True)
class Likely:
    """Names of columns."""

    dates: frozenset[str]
    numbers: frozenset[str]


def likely_types(work: Work) -> Likely:
    row = quoted(SOURCE_ROW)
    work.db.execute(
        f'CREATE OR REPLACE TEMP TABLE {SAMPLE} AS SELECT * FROM "primary" ORDER BY hash({row}), {row}'
        f" LIMIT {SAMPLE_ROWS}"
    )
    asked = [column for column in work.columns if column.is_text and column.present and _is_open(column)]
    found_dates, found_numbers = set(), set()
    for some in chunks(asked, max(1, SAMPLE_CELLS // SAMPLE_ROWS)):
        for place, present, spelled, figures, numbers in _counted(work, some):
            column = some[place]
            dated = spelled + (figures if spelled or NAMED_LIKE_A_DATE.search(column.name) else 0)
            if not present or dated >= LIKELY * present:
                found_dates.add(column.name)
            if not present or numbers >= LIKELY * present:
                found_numbers.add(column.name)
    return Likely(frozenset(found_dates), frozenset(found_numbers))


def is_plain(column: Column) -> bool:
    """Every cell is a plain number already."""
    return not {kind for kind, count in column.kinds.items() if count} - PLAIN_KINDS


def _is_open(column: Column) -> bool:
    """A column of plain numbers is one of dates only where its name says so."""
    return not is_plain(column) or NAMED_LIKE_A_DATE.search(column.name) is not None


def _counted(work: Work, columns: Sequence[Column]) -> list[tuple[int, int, int, int, int]]:
    """(place, present, spelled dates, figures that can be dates, numbers); a place without cells counts nothing."""
    cells = ", ".join(column.cell for column in columns)
    places = ", ".join(map(str, range(len(columns))))
    short = f"length(t) <= {dates.LONGEST}"
    day = f"CASE WHEN NOT ({short}) THEN '' WHEN {dates.is_clocked('t')} THEN {dates.date_part('t')} ELSE t END"
    spelled = ", ".join(map(forms.literal, dates.SPELLED))
    found: list[tuple[int, int, int, int, int]] = work.db.execute(f"""
        WITH cells AS (SELECT unnest([{places}]) AS c, unnest([{cells}]) AS t FROM {SAMPLE}),
        days AS (SELECT c, t, {day} AS d FROM cells WHERE NOT {forms.is_missing("t")}),
        shaped AS (SELECT c, t, {dates.shape_of("d")} AS shape FROM days)
        SELECT c, count(*), count(*) FILTER (shape IN ({spelled})), count(*) FILTER (shape NOT IN ({spelled})),
               count(*) FILTER ({casting.is_number("t")})
        FROM shaped GROUP BY c ORDER BY c
    """).fetchall()
    missing = set(range(len(columns))) - {place for place, *_ in found}
    return [*found, *((place, 0, 0, 0, 0) for place in sorted(missing))]
