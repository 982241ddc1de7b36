"""Dates of many shapes as SQL: what shape a text has, and the date it says in ISO 8601.

A `Reading` is what a column's cells have told (date_evidence.py): which shapes it has, which of 01/02 is the day, what
the century of 24 is. What cannot be told from it stays NULL; nothing is guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from transformers.cells.kinds import has_form, literal
from transformers.cleaning.month_names import MONTHS

LONGEST = 45  # characters: Wednesday, 30th of September 2024, 10:15:30 pm +02:00
_WORD = "[A-Za-zÀ-ÿ]+"  # RE2 takes fifteen times as long for counted letters of all alphabets
_WEEKDAY = rf"(?:{_WORD}\.?,? +)?"
ISO = r"([0-9]{4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,2})"
NUMERIC = r"([0-9]{1,2})([-/. ])([0-9]{1,2})[-/. ]([0-9]{4}|[0-9]{2})"
DAY_MONTH = (
    rf"{_WEEKDAY}([0-9]{{1,2}})(?:st|nd|rd|th|\.)?(?: of| de)?[ /.-]*({_WORD})"
    rf"\.?(?:,| de)?[ /.'-]*([0-9]{{4}}|[0-9]{{2}})"
)
MONTH_DAY = rf"{_WEEKDAY}({_WORD})\.?[ -]*([0-9]{{1,2}})(?:st|nd|rd|th)?[ ,/-]+'?([0-9]{{4}}|[0-9]{{2}})"
YEAR_MONTH_DAY = rf"([0-9]{{4}})[ /.-]({_WORD})\.?[ /.-]([0-9]{{1,2}})"
COMPACT = "((?:19|20)[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
STAMP = rf"{COMPACT}[T ]?([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9])Z?"
EPOCH, EPOCH_MS = "[0-9]{9,10}", "[0-9]{12,13}"
SERIAL = r"[1-9][0-9]{4}(\.[0-9]+)?"
CLOCK = (
    r"[T ,]+(?:at )?([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(?: ?([AaPp])\.?[Mm]\.?)?"
    r"(?: ?(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2}))?$"
)
ISO_AS_IT_IS = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
SPELLED = ("iso", "numeric", "day_month", "month_day", "year_month_day")  # shapes that only a date has
FIGURES = ("compact", "stamp", "epoch", "epoch_ms", "serial")  # and shapes that any number may have
TIMED = ("stamp", "epoch", "epoch_ms")  # of these, the ones that are a time of day as well
_MONTH_OF = "MAP {" + ", ".join(f"{literal(name)}: {number}" for name, number in MONTHS.items()) + "}"


@dataclass(frozen=True)
class Reading:
    """`day_first` by separator, None where the cells do not tell; `latest` is the last year a two-digit one may be.

    Without `has_short_years` nothing tells that 3.11.10 is a date: it may be a version or a time.
    """

    shapes: frozenset[str]
    day_first: Mapping[str, bool | None] = field(default_factory=dict)
    latest: int = 2069
    has_clocks: bool = True
    has_short_years: bool = True

    @property
    def is_iso_already(self) -> bool:
        return self.shapes == {"iso"}


def is_clocked(text: str) -> str:
    return f"regexp_matches({text}, {literal(CLOCK)})"


def date_part(text: str) -> str:
    return f"regexp_replace({text}, {literal(CLOCK)}, '')"


def shape_of(day: str) -> str:
    """SQL: the name of the shape of a text without its clock; NULL where it is no date."""
    tests = {
        "iso": has_form(day, ISO),
        "numeric": has_form(day, NUMERIC),
        "day_month": f"{has_form(day, DAY_MONTH)} AND {_month(day, DAY_MONTH, 2)} IS NOT NULL",
        "month_day": f"{has_form(day, MONTH_DAY)} AND {_month(day, MONTH_DAY, 1)} IS NOT NULL",
        "year_month_day": f"{has_form(day, YEAR_MONTH_DAY)} AND {_month(day, YEAR_MONTH_DAY, 2)} IS NOT NULL",
        "compact": has_form(day, COMPACT),
        "stamp": has_form(day, STAMP),
        "epoch": has_form(day, EPOCH),
        "epoch_ms": has_form(day, EPOCH_MS),
        "serial": has_form(day, SERIAL),
    }
    return "CASE " + " ".join(f"WHEN {test} THEN '{name}'" for name, test in tests.items()) + " END"


def iso_text(cell: str, reading: Reading) -> str:
    """SQL: the date, and the time where there is one, as ISO 8601 writes them; NULL where the cell tells none."""
    text = f"trim({cell})"
    plain = _spelled(text, reading)
    if reading.has_clocks:
        clocked = f"{_spelled(date_part(text), reading)} || ' ' || {_clock(text)}"
        plain = f"CASE WHEN {is_clocked(text)} THEN {clocked} ELSE {plain} END"
    as_it_is = f"WHEN {has_form(text, ISO_AS_IT_IS)} AND {_real(text)} THEN {text}" if reading.is_iso_already else ""
    return f"CASE WHEN length({text}) > {LONGEST} THEN NULL {as_it_is} {_figures(text, reading)} ELSE {plain} END"


def is_ambiguous(cell: str, reading: Reading) -> str:
    """SQL: the cell is a date, and nothing tells which of its numbers is the day; or nothing tells that it is one."""
    day = f"trim({cell})" if not reading.has_clocks else date_part(f"trim({cell})")
    doubts = [] if all(known is not None for known in reading.day_first.values()) else [_either_order(day, reading)]
    if not reading.has_short_years:
        doubts.append(f"length(regexp_extract({day}, {literal(NUMERIC)}, 4)) = 2")
    if "numeric" not in reading.shapes or not doubts:
        return "false"
    return f"({has_form(day, NUMERIC)} AND ({' OR '.join(doubts)}))"


def _either_order(day: str, reading: Reading) -> str:
    first, second = _part(day, NUMERIC, 1), _part(day, NUMERIC, 3)
    open_signs = [sign for sign, known in reading.day_first.items() if known is None]
    unknown = " OR ".join(f"regexp_extract({day}, {literal(NUMERIC)}, 2) = {literal(sign)}" for sign in open_signs)
    either = f"{first} BETWEEN 1 AND 12 AND {second} BETWEEN 1 AND 12 AND {first} <> {second}"
    return f"(({unknown}) AND {either})"


def _real(text: str) -> str:
    """SQL: a text of the form ISO_AS_IT_IS is a day of the calendar, and a time of that day where it says one."""
    is_time = f"TRY_CAST(substr({text}, 12, 8) AS TIME) IS NOT NULL"  # as _clock tells it, without its parts
    return f"TRY_CAST(left({text}, 10) AS DATE) IS NOT NULL AND (length({text}) = 10 OR {is_time})"


def _spelled(day: str, reading: Reading) -> str:
    """The date as text; NULL for 30 February."""
    dates = {
        "iso": (ISO, _made(_part(day, ISO, 1), _part(day, ISO, 2), _part(day, ISO, 3))),
        "numeric": (NUMERIC, _numeric(day, reading)),
        "day_month": (DAY_MONTH, _named(day, DAY_MONTH, (3, 2, 1), reading)),
        "month_day": (MONTH_DAY, _named(day, MONTH_DAY, (3, 1, 2), reading)),
        "year_month_day": (YEAR_MONTH_DAY, _named(day, YEAR_MONTH_DAY, (1, 2, 3), reading)),
    }
    known = [(form, date) for shape, (form, date) in dates.items() if shape in reading.shapes]
    if not known:
        return "CAST(NULL AS VARCHAR)"
    whens = " ".join(f"WHEN {has_form(day, form)} THEN {date}" for form, date in known)
    return f"CAST(CASE {whens} END AS VARCHAR)"


def _figures(text: str, reading: Reading) -> str:
    compact = _made(_part(text, COMPACT, 1), _part(text, COMPACT, 2), _part(text, COMPACT, 3))
    number = f"TRY_CAST({text} AS DOUBLE)"
    seconds = "'%Y-%m-%d %H:%M:%S'"
    fraction = f"CASE WHEN ends_with({text}, '000') THEN '' ELSE '.' || right({text}, 3) END"
    stamp_parts = r"'\1-\2-\3 \4:\5:\6'"
    values = {
        "stamp": (STAMP, f"regexp_replace({text}, {literal(STAMP)}, {stamp_parts})"),
        "compact": (COMPACT, f"CAST({compact} AS VARCHAR)"),
        "epoch": (EPOCH, f"strftime(make_timestamp(CAST({number} * 1000000 AS BIGINT)), {seconds})"),
        "epoch_ms": (EPOCH_MS, f"strftime(make_timestamp(CAST({number} * 1000 AS BIGINT)), {seconds}) || {fraction}"),
        "serial": (SERIAL, _serial(number)),
    }
    return " ".join(
        f"WHEN {has_form(text, form)} THEN {value}"
        for shape, (form, value) in values.items()
        if shape in reading.shapes
    )


def _serial(number: str) -> str:
    """Excel counts days from 30 December 1899; the fraction is the time of day."""
    moment = f"TIMESTAMP '1899-12-30' + to_seconds(round({number} * 86400))"
    whole = f"{number} = floor({number})"
    return f"CASE WHEN {whole} THEN strftime({moment}, '%Y-%m-%d') ELSE strftime({moment}, '%Y-%m-%d %H:%M:%S') END"


def _numeric(day: str, reading: Reading) -> str:
    first, second = _part(day, NUMERIC, 1), _part(day, NUMERIC, 3)
    said = f"regexp_extract({day}, {literal(NUMERIC)}, 4)"
    year = _year(said, reading) if reading.has_short_years else f"CASE WHEN length({said}) = 4 THEN {said}::INTEGER END"
    day_first, month_first = _made(year, second, first), _made(year, first, second)
    sign = f"regexp_extract({day}, {literal(NUMERIC)}, 2)"
    known = " ".join(
        f"WHEN {sign} = {literal(which)} THEN {day_first if is_first else month_first}"
        for which, is_first in reading.day_first.items()
        if is_first is not None
    )
    certain = f"WHEN {first} > 12 OR {first} = {second} THEN {day_first} WHEN {second} > 12 THEN {month_first}"
    return f"CASE {certain} {known} END"


def _named(day: str, form: str, groups: tuple[int, int, int], reading: Reading) -> str:
    """`groups` of the form: the year, the month's name, the day."""
    year, month, number = groups
    said = _year(f"regexp_extract({day}, {literal(form)}, {year})", reading)
    return _made(said, _month(day, form, month), _part(day, form, number))


def _year(text: str, reading: Reading) -> str:
    short = f"{reading.latest} - (({reading.latest} - TRY_CAST({text} AS INTEGER)) % 100)"
    return f"CASE WHEN length({text}) = 2 THEN {short} ELSE TRY_CAST({text} AS INTEGER) END"


def _month(day: str, form: str, group: int) -> str:
    return f"{_MONTH_OF}[lower(strip_accents(regexp_extract({day}, {literal(form)}, {group})))]"


def _part(day: str, form: str, group: int) -> str:
    return f"TRY_CAST(regexp_extract({day}, {literal(form)}, {group}) AS INTEGER)"


def _made(year: str, month: str, day: str) -> str:
    return f"TRY_CAST(printf('%04d-%02d-%02d', {year}, {month}, {day}) AS DATE)"


def _clock(text: str) -> str:
    """HH:MM:SS, the fraction and the zone as far as they are said; NULL for 25:00."""

    def part(group: int) -> str:
        return f"regexp_extract({text}, {literal(CLOCK)}, {group})"

    hour = f"TRY_CAST({part(1)} AS INTEGER)"
    half = f"lower({part(5)})"
    hours = (
        f"CASE WHEN {half} = '' THEN {hour} WHEN {hour} NOT BETWEEN 1 AND 12 THEN NULL"
        f" WHEN {half} = 'p' THEN {hour} % 12 + 12 ELSE {hour} % 12 END"
    )
    second = f"CASE WHEN {part(3)} = '' THEN '00' ELSE {part(3)} END"
    fraction = f"CASE WHEN {part(4)} = '' THEN '' ELSE '.' || {part(4)} END"
    zone = (
        f"CASE WHEN {part(6)} = '' THEN '' WHEN {part(6)} IN ('Z', 'UTC', 'GMT') THEN '+00:00'"
        f" ELSE left({part(6)}, 3) || ':' || CASE WHEN length({part(6)}) = 3 THEN '00' ELSE right({part(6)}, 2) END END"
    )
    time = f"printf('%02d', {hours}) || ':' || {part(2)} || ':' || {second}"
    return f"CASE WHEN TRY_CAST({time} AS TIME) IS NOT NULL THEN {time} || {fraction} || {zone} END"
