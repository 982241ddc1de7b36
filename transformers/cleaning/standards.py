"""field-standardization's form and plan: one spelling, one unit, one way to write a date, encodings mended.

Repairs of single cells that are sure enough (transformers/repair) come first, then broken encodings, blanks, case,
synonyms, units and dates: each sees what the one before it left, and what the customer has named is left as named.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from backend.errors import BadParameters
from transformers.cells.columns import NUMERIC, TEMPORAL, Column
from transformers.cells.kinds import Kind, literal
from transformers.cells.semantic_types import SemanticType
from transformers.cleaning import dates, mojibake, spelling, units
from transformers.cleaning.casting import NumberEvidence
from transformers.cleaning.date_evidence import DateEvidence, evidence_of
from transformers.cleaning.repairs import PROPOSED, Help, gather_repairs
from transformers.cleaning.rules import CellEdits, CellRule, FlaggedCells, FlagRule, Plan, Stage, Work
from transformers.cleaning.screening import Likely, likely_types
from transformers.cleaning.uncast import uncast_cells
from transformers.findings import Severity
from transformers.naming_columns import known
from transformers.repair.proposals import MIN_CONFIDENCE
from transformers.tool import AgentParameters

EVERY_COLUMN = "*"
ISO_FORMAT = "%Y-%m-%d"
CASE_MATTERS = {SemanticType.URL, SemanticType.JSON, SemanticType.UUID, SemanticType.IBAN}
UPPER_CODES = {SemanticType.COUNTRY_CODE, SemanticType.CURRENCY_CODE}
WITHOUT_BLANKS = {Kind.EMPTY, Kind.DISGUISED, Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN}
MOST_LABELLED = 20  # rows: more are no longer a few that somebody looks through


class FieldStandardizationParameters(AgentParameters):
    case_strategy: Literal["lowercase", "uppercase", "titlecase", "none"] = Field(
        default="none", description="The case of words; none leaves it as it is."
    )
    trim_whitespace: bool = Field(default=True, description="Take blanks from both ends of a cell.")
    normalize_internal_spacing: bool = Field(default=True, description="Leave one blank between words.")
    fix_encoding: bool = Field(default=True, description="Mend text whose encoding was mistaken on its way.")
    apply_synonyms: bool = Field(default=True, description="Replace words as synonym_mappings says.")
    synonym_mappings: dict[str, dict[str, str]] = Field(
        default={}, description="By column (* for all): the word and what stands for it."
    )
    unit_standardization: bool = Field(default=True, description="Convert units as unit_mappings says, flag others.")
    unit_mappings: dict[str, dict[str, units.UnitRule]] = Field(
        default={}, description="By column: the unit and its {factor, target_unit}."
    )
    date_standardization: bool = Field(default=True, description="Write dates as target_date_format says.")
    target_date_format: str = Field(
        default=ISO_FORMAT, min_length=2, max_length=60, description="How dates are written, as strftime has it."
    )
    target_columns: tuple[str, ...] = Field(default=(), description="Columns to look at; empty takes all.")
    preserve_columns: tuple[str, ...] = Field(default=(), description="Columns to leave as they are.")
    repair_values: bool = Field(
        default=True, description="Repair cells that are wrong, where the right value is clear."
    )
    min_repair_confidence: float = Field(
        default=MIN_CONFIDENCE, ge=0, le=1, description="How sure a repair must be to be made."
    )
    labelled_rows: dict[int, dict[str, str]] = Field(
        default={},
        max_length=MOST_LABELLED,
        description="Rows of the file whose right values you know: row → column → value.",
    )
    source_column: str | None = Field(
        default=None, description="Which column names a row's source, where sources may contradict each other."
    )


@dataclass(frozen=True)
class _Dates:
    column: Column
    found: DateEvidence


@dataclass(frozen=True)
class _Mapped:
    """A column with units that the customer names, and how its numbers are written."""

    column: Column
    rules: dict[str, units.UnitRule]
    numbers: NumberEvidence

    def converted(self, cell: str) -> str:
        return units.converted(cell, self.rules, self.numbers)


def plan(work: Work, form: FieldStandardizationParameters) -> Plan:
    columns = _columns(work, form)
    names = [column.name for column in columns]
    likely = likely_types(work)
    dated = list(_dated(work, columns, likely)) if form.date_standardization else []
    work.report_progress(0.3)
    measured = _measured(work, form, columns, {one.column.name for one in dated})
    mapped = _mapped(work, form, columns)
    repairs = _repairs(work, form, columns)
    work.report_progress(0.8)
    broken = mojibake.mojibake_edits(work.db, names) if form.fix_encoding and names else None
    return Plan(
        cells=(
            *repairs,
            *([CellEdits(broken)] if broken else []),
            *_spelling_rules(work, form, [column.name for column in columns if _may_have_blanks(column)]),
            *_case_rules(form, columns, {one.column.name for one in measured}),
            *_synonym_rules(form, names),
            *_unit_rules(mapped),
            *(_date_rule(work, one, form.target_date_format) for one in dated),
        ),
        flags=(*_unit_flags(mapped, measured), *_date_flags(work, dated)),
        data={
            "units": {one.column.name: dict(one.counts) for one in measured},
            "columns_looked_at": names,
        },
    )


def _columns(work: Work, form: FieldStandardizationParameters) -> list[Column]:
    every = work.table.columns
    wanted = known("target_columns", form.target_columns, every) or list(every)
    left_alone = known("preserve_columns", form.preserve_columns, every)
    known("unit_mappings", form.unit_mappings, every)
    known("synonym_mappings", [name for name in form.synonym_mappings if name != EVERY_COLUMN], every)
    by_name = {column.name: column for column in work.columns}
    return [by_name[name] for name in wanted if name not in left_alone and by_name[name].is_text]


def _repairs(work: Work, form: FieldStandardizationParameters, columns: Sequence[Column]) -> list[CellEdits]:
    """Only in the columns that are looked at; the others still bear witness."""
    if not form.repair_values or not columns:
        return []
    names = ", ".join(literal(column.name) for column in columns)
    every = work.table.columns
    known("labelled_rows", [name for cells in form.labelled_rows.values() for name in cells], every)
    known("source_column", [form.source_column] if form.source_column else [], every)
    gather_repairs(work, form.min_repair_confidence, Help(form.labelled_rows, form.source_column))
    return [CellEdits(f'SELECT * FROM {PROPOSED} WHERE "column" IN ({names}) ORDER BY ALL')]


def _may_have_blanks(column: Column) -> bool:
    """Beside words: a plain number or a truth value that needs no trimming has none within either."""
    return column.padded or any(count for kind, count in column.kinds.items() if kind not in WITHOUT_BLANKS)


def _spelling_rules(work: Work, form: FieldStandardizationParameters, names: Sequence[str]) -> Iterator[CellRule]:
    conditions = {
        "trim": f"CASE WHEN {spelling.MAY_NEED_TRIM} THEN {spelling.needs('@', spelling.NEEDS_TRIM)} END",
        "spacing": f"CASE WHEN {spelling.MAY_NEED_SPACING} THEN {spelling.needs('@', spelling.NEEDS_SPACING)} END",
    }
    found = spelling.worn(work.db, names, conditions) if names else {"trim": set(), "spacing": set()}
    if form.trim_whitespace:
        yield from (CellRule("trim_whitespace", name, spelling.trimmed) for name in names if name in found["trim"])
    if form.normalize_internal_spacing:
        yield from (CellRule("internal_spacing", name, spelling.spaced) for name in names if name in found["spacing"])


def _synonym_rules(form: FieldStandardizationParameters, names: Sequence[str]) -> Iterator[CellRule]:
    if not form.apply_synonyms:
        return
    for name in names:
        words = form.synonym_mappings.get(EVERY_COLUMN, {}) | form.synonym_mappings.get(name, {})
        if words:
            yield CellRule("synonym", name, _replacing(words))


def _replacing(words: dict[str, str]) -> Callable[[str], str]:
    return lambda cell: spelling.replaced(cell, words)


def _mapped(work: Work, form: FieldStandardizationParameters, columns: Sequence[Column]) -> list[_Mapped]:
    """The columns for which the customer has named units."""
    if not form.unit_standardization:
        return []
    asked = [one for one in columns if form.unit_mappings.get(one.name)]
    return [_Mapped(one, form.unit_mappings[one.name], units.numbers_of(work, one)) for one in asked]


def _unit_rules(mapped: Sequence[_Mapped]) -> Iterator[CellRule]:
    for one in mapped:
        yield CellRule("unit", one.column.name, one.converted, confidence=round(one.numbers.confidence, 4))


def _measured(
    work: Work, form: FieldStandardizationParameters, columns: Sequence[Column], dated: set[str]
) -> list[units.UnitsFound]:
    if not form.unit_standardization or not columns:
        return []
    asked = [one for one in columns if one.name not in form.unit_mappings and one.name not in dated and one.present]
    return units.units_in(work, asked)


def _unit_flags(mapped: Sequence[_Mapped], measured: Sequence[units.UnitsFound]) -> Iterator[FlagRule]:
    for one in measured:
        if one.is_mixed:
            usual = f"“{one.usual}”" if one.usual else "no unit"
            message = f"Another unit than most of the column's cells have ({usual})."
            yield FlagRule("unit_in_number", one.column.name, one.is_unusual, Severity.MEDIUM, message)
    for each in mapped:
        condition = units.has_unknown_unit(each.column, each.rules, each.numbers)
        message = "No unit, or one without a rule, or a number that can be read in two ways."
        yield FlagRule("unknown_unit", each.column.name, condition, Severity.MEDIUM, message)


def _dated(work: Work, columns: Sequence[Column], likely: Likely) -> Iterator[_Dates]:
    for column in columns:
        if column.name in likely.dates and (found := evidence_of(work.db, column, '"primary"')).is_dates:
            yield _Dates(column, found)


def _date_rule(work: Work, one: _Dates, target: str) -> CellRule:
    _check_format(work, target)
    reading, missing = one.found.reading, one.column.is_missing

    def written(cell: str) -> str:
        iso = dates.iso_text(cell, reading)
        shown = iso if target == ISO_FORMAT else _formatted(iso, target)
        return f"CASE WHEN {missing} THEN {cell} ELSE coalesce({shown}, {cell}) END"

    return CellRule("date_format", one.column.name, written, confidence=round(one.found.confidence, 4))


def _formatted(iso: str, target: str) -> str:
    """The day as the customer wants it; a time of day stays behind it as it is."""
    return f"strftime(TRY_CAST(left({iso}, 10) AS DATE), {literal(target)}) || substr({iso}, 11)"


def _check_format(work: Work, target: str) -> None:
    import duckdb

    try:
        [(shown,)] = work.db.execute("SELECT strftime(DATE '2024-10-31', $1)", [target]).fetchall()
    except duckdb.Error as error:
        raise BadParameters(
            f"target_date_format: {target!r} is no format of a date.", field="target_date_format", detail=str(error)
        ) from error
    if "%" not in target or not any(part in shown for part in ("31", "24", "Oct", "10")):
        raise BadParameters(f"target_date_format: {target!r} shows no date.", field="target_date_format")


def _date_flags(work: Work, dated: Sequence[_Dates]) -> Iterator[FlaggedCells]:
    for number, one in enumerate(dated):
        text = dates.iso_text(one.column.cell, one.found.reading)
        in_doubt = dates.is_ambiguous(one.column.cell, one.found.reading)
        yield from uncast_cells(work, number, one.column, "date", text=text, ambiguous=in_doubt).flags()


def _case_rules(
    form: FieldStandardizationParameters, columns: Sequence[Column], measured: set[str]
) -> Iterator[CellRule]:
    """Numbers and dates have no case; addresses, identifiers and codes only change it where they are asked for."""
    if form.case_strategy == "none":
        return
    for column in columns:
        figures = (
            column.logical in (*NUMERIC, *TEMPORAL) or column.name in measured or column.name in form.unit_mappings
        )
        if column.name in form.target_columns or not (figures or _keeps_case(column, form.case_strategy)):
            yield CellRule(f"case_{form.case_strategy}", column.name, _casing(form.case_strategy))


def _keeps_case(column: Column, strategy: str) -> bool:
    meaning: Any = column.semantic
    if meaning in CASE_MATTERS:
        return True
    if meaning in UPPER_CODES:
        return strategy != "uppercase"
    return meaning is SemanticType.EMAIL and strategy != "lowercase"


def _casing(strategy: str) -> Callable[[str], str]:
    return lambda cell: spelling.cased(cell, strategy)


STAGE = Stage("field-standardization", "Field standardization", FieldStandardizationParameters, plan)
