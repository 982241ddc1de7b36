"""Numbers with a unit behind them, as SQL: brought to the unit that the customer names, and found where nobody did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from transformers.cells import kinds as forms
from transformers.cells.columns import Column
from transformers.cells.kinds import has_form, literal
from transformers.cells.values import chunks
from transformers.cleaning import casting
from transformers.cleaning.casting import NumberEvidence
from transformers.cleaning.rules import Work
from transformers.cleaning.screening import SAMPLE, SAMPLE_CELLS, SAMPLE_ROWS, is_plain

_GROUPED = "[0-9]{1,3}(?:[ \u00a0\u202f'’][0-9]{3})+(?:[.,][0-9]+)?"
_NUMBER = rf"[+-]?(?:[0-9][0-9,]*\.?[0-9]*|\.[0-9]+|[0-9]{{1,3}}(?:\.[0-9]{{3}})+,[0-9]+|{_GROUPED})"
# How many letters are asked with length(): RE2 writes a repeated \p{L} out, and takes 50 ms for each such pattern.
_LETTERS = r"[\p{L}µΩ]+"
_BELOW = r"/(\p{L}+)"
MEASURED = rf"({_NUMBER}) ?(%|°?{_LETTERS}\.?(?:[²³]|{_BELOW.replace('(', '(?:')})?)"
MOST_LETTERS, MOST_BELOW = 12, 6
_BEFORE_A_UNIT = rf"({_NUMBER}) ?(?:%|°?[\p{{L}}µΩ])"
PLAIN = _NUMBER
LONGEST = 40
MEASURED_SHARE = 0.8  # of the present cells are numbers, with a unit or without
DIGITS = 9  # after the point: a factor is a rounded figure itself


class UnitRule(BaseModel):
    """1 of the unit is `factor` of the target unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    factor: float = Field(gt=0, description="How many of the target unit one of this unit is.")
    target_unit: str = Field(max_length=40, description="The unit that the cell is to have.")


def numbers_of(work: Work, column: Column) -> NumberEvidence:
    """What the numbers before the units tell: whether a comma is decimal."""
    return casting.evidence_of(work.db, column, '"primary"', part=_number_part(column.cell))


def converted(cell: str, rules: Mapping[str, UnitRule], evidence: NumberEvidence) -> str:
    """SQL: the cell in its target unit; as it is where its unit is not named, or its number can be read in two ways."""
    text = f"trim({cell})"
    number = f"TRY_CAST({casting.number_text(_number_part(text), evidence)} AS DOUBLE)"
    unit = f"lower(regexp_extract({text}, {literal(MEASURED)}, 2))"
    whens = " ".join(
        f"WHEN {unit} = {literal(name.strip().lower())} THEN {_shown(f'{number} * {rule.factor!r}')}"
        f" || {literal(f' {rule.target_unit}'.rstrip())}"
        for name, rule in rules.items()
    )
    return f"coalesce(CASE WHEN NOT {_is_measured(text)} THEN {cell} {whens} ELSE {cell} END, {cell})"


def has_unknown_unit(column: Column, rules: Mapping[str, UnitRule], evidence: NumberEvidence) -> str:
    """SQL: a number without a unit, or with one that no rule names, or one that cannot be read."""
    named = {name.strip().lower() for name in rules} | {rule.target_unit.strip().lower() for rule in rules.values()}
    known = forms.words(tuple(sorted(named)))
    text = column.cell
    unit = f"lower(regexp_extract({text}, {literal(MEASURED)}, 2))"
    bare = has_form(text, PLAIN)
    unread = f"{casting.number_text(_number_part(text), evidence)} IS NULL"
    doubtful = f"{_is_measured(text)} AND ({unit} NOT IN {known} OR {unread})"
    return f"(NOT {column.is_missing} AND ({bare} OR ({doubtful})))"


@dataclass(frozen=True)
class UnitsFound:
    """How often each unit stands in a column; '' for none."""

    column: Column
    counts: Mapping[str, int]

    @property
    def usual(self) -> str:
        return max(self.counts, key=lambda unit: (self.counts[unit], unit))

    @property
    def is_mixed(self) -> bool:
        return len(self.counts) > 1

    @property
    def is_unusual(self) -> str:
        """SQL: the cell has another unit than most."""
        text = self.column.cell
        unit = f"lower(regexp_extract({text}, {literal(MEASURED)}, 2))"
        if not self.usual:
            return f"coalesce({_is_measured(text)}, false)"
        other = f"({_is_measured(text)} AND {unit} <> {literal(self.usual)}) OR {has_form(text, PLAIN)}"
        return f"(NOT {self.column.is_missing} AND ({other}))"


def units_in(work: Work, columns: Sequence[Column]) -> list[UnitsFound]:
    """Columns of numbers, some of which have a unit behind them; `type_sample` has to be there."""
    found = []
    for some in chunks([one for one in columns if not is_plain(one)], max(1, SAMPLE_CELLS // SAMPLE_ROWS)):
        likely = [some[place] for place in _likely(work, some)]
        for column, counts in zip(likely, _counts(work, likely), strict=True):
            if sum(counts.values()) >= MEASURED_SHARE * column.present and any(counts):
                found.append(UnitsFound(column, counts))
    return found


def _likely(work: Work, columns: Sequence[Column]) -> list[int]:
    cells = ", ".join(column.cell for column in columns)
    places = ", ".join(map(str, range(len(columns))))
    rows = work.db.execute(f"""
        WITH cells AS (SELECT unnest([{places}]) AS c, unnest([{cells}]) AS t FROM {SAMPLE})
        SELECT c FROM cells WHERE NOT {forms.is_missing("t")} GROUP BY c
        HAVING count(*) FILTER ({_is_measured("t")} OR {has_form("t", PLAIN)}) >= {MEASURED_SHARE / 2} * count(*)
        ORDER BY c
    """).fetchall()
    return [int(place) for (place,) in rows]


def _counts(work: Work, columns: Sequence[Column]) -> list[dict[str, int]]:
    """How often each unit stands in each column: one plan and one expression for all of them."""
    counts: list[dict[str, int]] = [{} for _ in columns]
    if not columns:
        return counts
    places, cells = ", ".join(map(str, range(len(columns)))), ", ".join(column.cell for column in columns)
    unit = f"lower(regexp_extract(t, {literal(MEASURED)}, 2))"
    either = f"CASE WHEN {has_form('t', PLAIN)} THEN '' WHEN {_is_measured('t')} THEN {unit} END"
    rows = work.db.execute(f"""
        WITH cells AS (SELECT unnest([{places}]) AS c, unnest([{cells}]) AS t FROM "primary")
        SELECT c, {either} AS u, count(*) FROM cells WHERE NOT {forms.is_missing("t")} GROUP BY c, u ORDER BY c, u
    """).fetchall()
    for place, name, count in rows:
        if name is not None:
            counts[place][str(name)] = int(count)
    return counts


def _is_measured(text: str) -> str:
    letters, below = literal(_LETTERS), literal(_BELOW)
    return (
        f"(length({text}) <= {LONGEST} AND {has_form(text, MEASURED)}"
        f" AND length(regexp_extract({text}, {letters})) <= {MOST_LETTERS}"
        f" AND length(regexp_extract({text}, {below}, 1)) <= {MOST_BELOW})"
    )


def _number_part(text: str) -> str:
    return f"regexp_extract({text}, {literal(_BEFORE_A_UNIT)}, 1)"


def _shown(value: str) -> str:
    return rf"regexp_replace(CAST(round({value}, {DIGITS}) AS VARCHAR), '\.0$', '')"
