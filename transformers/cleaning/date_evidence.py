"""What the cells of a column tell about its dates: the shapes they have, the order of day and month, the century.

The order is decided for each separator by the cells that can be read in one way only (31/01 has the day first).
"""

import re
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.cells.kinds import literal
from transformers.cells.semantic_types import names_a_key
from transformers.cleaning.dates import (
    FIGURES,
    LONGEST,
    NUMERIC,
    SPELLED,
    TIMED,
    Reading,
    date_part,
    is_clocked,
    shape_of,
)

if TYPE_CHECKING:
    import duckdb

DATE_SHARE = 0.8  # of the present cells, before a column is one of dates
SPELLED_SHARE = 0.2  # spelled dates beside which a number is a date too (an export of several programs)
ORDER_SHARE = 0.98  # of the telling cells: the rest are mistakes of their own
AHEAD = 10  # years after the last written in full that a two-digit one may mean: contracts end in the future
UNTOLD_LATEST = 2069  # POSIX: 69 is 1969
LATEST_YEAR = 2200  # 9999 stands for nothing
ONLY_OF_DATES = "/"  # a separator: versions, times and codes have the others too
NAMED_LIKE_A_DATE = re.compile(r"(?i)date|time|datum|fecha|stamp|created|updated|birth|dob|(^|_)(at|on)$")
# A time may be written as 12.30.45: its name does not tell that this is a day.
NAMED_LIKE_A_DAY = re.compile(r"(?i)date|datum|fecha|stamp|created|updated|birth|geburt|naiss|dob|(^|_)(at|on|day)$")


@dataclass(frozen=True)
class DateEvidence:
    """Counts over a column's present cells. `sides` by separator: cells with the day, and with the month first."""

    present: int
    shapes: Mapping[str, int]
    clocked: int
    sides: Mapping[str, tuple[int, int, int]]  # day first, month first, either
    latest: int | None
    reading: Reading

    @property
    def share(self) -> float:
        dates = sum(count for shape, count in self.shapes.items() if shape in self.reading.shapes)
        return dates / self.present if self.present else 0.0

    @property
    def timed(self) -> int:
        """Cells with a time of day, also as figures tell it."""
        return self.clocked + sum(self.shapes.get(shape, 0) for shape in TIMED if shape in self.reading.shapes)

    @property
    def is_dates(self) -> bool:
        return self.share >= DATE_SHARE and bool(self.reading.shapes)

    @property
    def confidence(self) -> float:
        """How many of the telling cells agree with the order that was chosen."""
        agree = sum(max(day, month) for day, month, _ in self.sides.values())
        tell = sum(day + month for day, month, _ in self.sides.values())
        return agree / tell if tell else 1.0


def evidence_of(db: "duckdb.DuckDBPyConnection", column: Column, relation: str) -> DateEvidence:
    """Of a text column of this relation."""
    first, second = (f"TRY_CAST(regexp_extract(d, {literal(NUMERIC)}, {group}) AS INTEGER)" for group in (1, 3))
    side = (
        f"CASE WHEN {first} > 12 AND {second} <= 12 THEN 'day' WHEN {second} > 12 AND {first} <= 12 THEN 'month'"
        f" WHEN {first} <> {second} AND {first} <= 12 THEN 'either' END"
    )
    year = "TRY_CAST(regexp_extract(d, '(?:^|[^0-9])([0-9]{4})(?:[^0-9]|$)', 1) AS INTEGER)"
    found = db.execute(f"""
        WITH cells AS (SELECT trim({column.cell}) AS t FROM {relation} WHERE NOT {column.is_missing}),
        clocks AS (SELECT t, length(t) <= {LONGEST} AND {is_clocked("t")} AS clocked FROM cells),
        days AS (SELECT clocked, CASE WHEN length(t) > {LONGEST} THEN '' WHEN clocked THEN {date_part("t")} ELSE t END
                 AS d FROM clocks),
        shaped AS (SELECT d, clocked, {shape_of("d")} AS shape FROM days)
        SELECT shape, clocked, CASE WHEN shape = 'numeric' THEN regexp_extract(d, {literal(NUMERIC)}, 2) END AS sign,
               CASE WHEN shape = 'numeric' THEN {side} END AS side, count(*),
               max(CASE WHEN {year} <= {LATEST_YEAR} THEN {year} END)
        FROM shaped GROUP BY ALL ORDER BY ALL
    """).fetchall()
    shapes, sides, clocked = Counter[str](), dict[str, Counter[str]](), 0
    for shape, has_clock, sign, which, count, _ in found:
        shapes[shape or ""] += count
        clocked += count if has_clock else 0
        if sign:
            sides.setdefault(sign, Counter())[which or ""] += count
    years = [latest for shape, *_, latest in found if shape in SPELLED and latest]
    told = {sign: (count["day"], count["month"], count["either"]) for sign, count in sides.items()}
    latest = max(years, default=None)
    reading = Reading(
        _readable(column, shapes),
        _orders(told),
        _horizon(latest),
        has_clocks=clocked > 0,
        has_short_years=latest is not None or clocked > 0 or _are_days(column, shapes, told),
    )
    return DateEvidence(shapes.total(), shapes, clocked, told, latest, reading)


def _readable(column: Column, shapes: Counter[str]) -> frozenset[str]:
    """Numbers are dates where enough others are, or where the name says so and all of them can be."""
    spelled = sum(shapes[shape] for shape in SPELLED)
    read = {shape for shape in SPELLED if shapes[shape]}
    beside = spelled >= SPELLED_SHARE * shapes.total()
    named = NAMED_LIKE_A_DATE.search(column.name) is not None and not names_a_key(column.name)
    for shape in FIGURES:
        alone = named and shape != "serial" and shapes[shape] >= DATE_SHARE * shapes.total()
        if shapes[shape] and ((beside and spelled) or alone):
            read.add(shape)
    return frozenset(read)


def _are_days(column: Column, shapes: Counter[str], signs: Container[str]) -> bool:
    """Numbers with two-digit years alone (3.11.10) are dates where the name, a month's name or a slash says so."""
    named = NAMED_LIKE_A_DAY.search(column.name) is not None and not names_a_key(column.name)
    return named or ONLY_OF_DATES in signs or any(shapes[shape] for shape in SPELLED if shape != "numeric")


def _orders(sides: Mapping[str, tuple[int, int, int]]) -> dict[str, bool | None]:
    """By its own cells, else by those of the column's other separators; dots alone are always day first."""
    own = {sign: _order(day, month) for sign, (day, month, _) in sides.items()}
    days, months = (sum(side[at] for side in sides.values()) for at in (0, 1))
    others = _order(days, months)
    return {
        sign: known if known is not None or any(sides[sign][:2]) else (True if sign == "." else others)
        for sign, known in own.items()
    }


def _order(day: int, month: int) -> bool | None:
    if not day + month or max(day, month) < ORDER_SHARE * (day + month):
        return None
    return day > month


def _horizon(latest: int | None) -> int:
    return UNTOLD_LATEST if latest is None else latest + AHEAD
