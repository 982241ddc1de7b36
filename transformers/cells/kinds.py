"""What one cell of text looks like: a closed set of kinds and the SQL that tells them apart.

The kinds are told apart by form first (a regular expression) and by value where form is not enough (there is no
30 February). RE2 evaluates the expressions, so no cell makes one slow.
"""

import re
from enum import StrEnum

MISSING_WORDS = (
    "na", "n/a", "n.a.", "#n/a", "#na", "nan", "-nan", "null", "(null)", "<null>", "nil", "none", "<none>",
    "-", "--", "---", "?", "??", ".", "..", "*", "n/d", "nd", "missing", "unknown", "empty", "undefined",
    "not available", "not applicable", "no data", "#null!", "#ref!", "#div/0!", "#value!", "#name?", "#num!", "nat",
)  # fmt: skip
MISSING_FORM = "(?i)" + "|".join(re.escape(word) for word in MISSING_WORDS)
LONGEST_WORD = max(map(len, MISSING_WORDS))
TRUE_WORDS = ("true", "t", "yes", "y")
FALSE_WORDS = ("false", "f", "no", "n")
LONGEST_DATE = 18  # September 30, 2024
LONGEST_FORM = 64  # no number or date is longer; long text skips every test but the first


class Kind(StrEnum):
    """Order matters: the first kind that fits is the cell's."""

    EMPTY = "empty"
    DISGUISED = "disguised_missing"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    GROUPED = "grouped_number"  # 1,234.50
    COMMA_DECIMAL = "comma_decimal"  # 1.234,50
    CURRENCY = "currency_amount"
    PERCENT = "percentage"
    CODE = "code"  # digits that are no quantity: a leading zero, or more of them than a number holds
    DATE = "date"
    SLASH_DATE = "day_month_date"  # 31/01/2024 or 01/31/2024: the column decides which
    DATETIME = "datetime"
    TIME = "time"
    TEXT = "text"


NUMBER_KINDS = (Kind.INTEGER, Kind.DECIMAL, Kind.GROUPED, Kind.COMMA_DECIMAL, Kind.CURRENCY, Kind.PERCENT)
DATE_KINDS = (Kind.DATE, Kind.SLASH_DATE)

_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_NUMBER = r"([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?"
_CURRENCY = r"(\$|€|£|¥|₹|usd|eur|gbp|chf|jpy|us\$)"
MOST_DIGITS = 18  # of a whole number: so many always fit a 64-bit integer
INTEGER_FORM = f"[+-]?(0|[1-9][0-9]{{0,{MOST_DIGITS - 1}}})"
DECIMAL_FORM = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?|[+-]?(inf|infinity|Inf|Infinity)"
GROUPED_FORM = r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?"
COMMA_DECIMAL_FORM = r"[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+),[0-9]+"
CURRENCY_FORM = rf"(?i)-?{_CURRENCY} ?-?{_NUMBER}|-?{_NUMBER} ?{_CURRENCY}"
PERCENT_FORM = rf"[+-]?{_NUMBER} ?%"
TIME_FORM = r"(?i)([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?( ?[ap]\.?m\.?)?"
ISO_DATE_FORM = "[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}"
SLASH_DATE_FORM = "[0-9]{1,2}[-/.][0-9]{1,2}[-/.]([0-9]{4}|[0-9]{2})"
NAMED_DATE_FORM = rf"(?i)[0-9]{{1,2}}[ -]{_MONTH}[ -][0-9]{{4}}|{_MONTH} [0-9]{{1,2}},? [0-9]{{4}}"
_CLOCK = "[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
_OFFSET = "[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?"
ISO_DATETIME_FORM = f"{ISO_DATE_FORM}[T ]{_CLOCK}( ?([Zz]|UTC|GMT|{_OFFSET}|[AaPp][Mm]))?"
SLASH_DATETIME_FORM = f"{SLASH_DATE_FORM} [0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}})?( ?[AaPp][Mm])?"
_LETTERED = f"(?i)inf|infinity|{NAMED_DATE_FORM}|{_CURRENCY} ?-?{_NUMBER}"  # all that is more than words, from A on
_DRESSED = DECIMAL_FORM + "|" + "|".join(  # one look at a text tells that it is none of them: most are spared a dozen
    f"({form})"
    for form in (
        ISO_DATE_FORM, SLASH_DATE_FORM, NAMED_DATE_FORM, ISO_DATETIME_FORM, SLASH_DATETIME_FORM,
        GROUPED_FORM, COMMA_DECIMAL_FORM, PERCENT_FORM, CURRENCY_FORM, TIME_FORM,
    )
)  # fmt: skip


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def words(listed: tuple[str, ...]) -> str:
    return "(" + ", ".join(literal(word) for word in listed) + ")"


def has_form(text: str, form: str) -> str:
    return f"regexp_full_match({text}, {literal(form)})"


def iso_date(text: str) -> str:
    return f"TRY_CAST(translate({text}, '/.', '--') AS DATE)"


def slash_date(text: str, *, day_first: bool) -> str:
    """%y stands before %Y: it refuses a four-digit year, while %Y would read 24 as the year 24."""
    order = ("%d/%m/%y", "%d/%m/%Y") if day_first else ("%m/%d/%y", "%m/%d/%Y")
    return f"CAST(TRY_STRPTIME(translate({text}, '-.', '//'), {list(order)}) AS DATE)"


def named_date(text: str) -> str:
    formats = ["%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y"]
    return f"CAST(TRY_STRPTIME(replace(replace({text}, '-', ' '), ',', ''), {formats}) AS DATE)"


def iso_datetime(text: str) -> str:
    """In UTC where a zone is told. Cast to TIMESTAMP alone, DuckDB 2.0 minds nothing that stands behind the clock."""
    clocks = [f"%Y-%m-%d {clock}" for clock in ("%I:%M %p", "%I:%M%p", "%I:%M:%S %p", "%I:%M:%S%p")]
    half_day = f"TRY_STRPTIME(upper(translate({text}, '/.Tt', '--  ')), {clocks})"
    zoned = f"TRY_CAST(replace(regexp_replace({text}, ' ?([+-])([0-9]{{2}}):?([0-9]{{2}})$', '\\1\\2:\\3'), '/', '-')"
    return (
        f"CASE WHEN {text} ILIKE '%m' THEN {half_day}"
        f" WHEN contains(substr({text}, 12), '+') OR contains(substr({text}, 12), '-')"
        f" THEN make_timestamp(epoch_us({zoned} AS TIMESTAMPTZ)))"
        f" ELSE TRY_CAST({text} AS TIMESTAMP) END"
    )


def slash_datetime(text: str, *, day_first: bool) -> str:
    order = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    formats = [f"{order} {clock}" for clock in ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")]
    return f"TRY_STRPTIME(upper(translate({text}, '-.', '//')), {formats})"


def is_missing(text: str) -> str:
    """True for NULL, blank and the words that stand for nothing."""
    return f"({text} IS NULL OR {text} = '' OR {_is_missing_word(text)})"


def _is_missing_word(text: str) -> str:
    """A regular expression, not IN: DuckDB plans a long IN list in a filter as a join, one for each column."""
    return f"(length({text}) <= {LONGEST_WORD} AND {has_form(text, MISSING_FORM)})"


def kind_of(text: str) -> str:
    """An SQL expression: the position in `Kind` of what `text` (trimmed) looks like.

    A look at the first character and the length spares most cells most of the regular expressions. Moments, whole
    numbers and words stand first, since they are many: no other kind has their form.
    """
    plain = f"{text} = '0' OR ({text} >= '1' AND strlen({text}) <= {MOST_DIGITS})"  # of digits alone: INTEGER_FORM
    frequent = " ".join(_when(test, kind, plain) for kind, test in _frequent(text))
    others = " ".join(_when(test, kind, has_form(text, INTEGER_FORM)) for kind, test in _others(text).items())
    return f"CASE {frequent} {others} ELSE {position(Kind.TEXT)} END"


def _when(test: str, kind: Kind, is_integer: str) -> str:
    """Digits are a whole number or a code; every other test tells its kind."""
    digits = f"CASE WHEN {is_integer} THEN {position(Kind.INTEGER)} ELSE {position(Kind.CODE)} END"
    return f"WHEN {test} THEN {digits if kind is Kind.CODE else position(kind)}"


def _frequent(text: str) -> list[tuple[Kind, str]]:
    digit_first, long_enough = f"{text} >= '0' AND {text} < ':'", f"length({text}) BETWEEN 12 AND {LONGEST_FORM}"
    is_moment = has_form(text, ISO_DATETIME_FORM)
    return [
        (Kind.EMPTY, f"{text} IS NULL OR {text} = ''"),
        (Kind.DATETIME, f"{digit_first} AND {long_enough} AND {is_moment} AND {iso_datetime(text)} IS NOT NULL"),
        (Kind.CODE, f"{digit_first} AND {has_form(text, '[0-9]+')}"),
        (Kind.DISGUISED, f"NOT ({digit_first}) AND {_is_missing_word(text)}"),
        (Kind.BOOLEAN, f"{text} >= 'A' AND length({text}) < 6 AND lower({text}) IN {words(TRUE_WORDS + FALSE_WORDS)}"),
        (Kind.TEXT, f"{text} >= 'A' AND NOT {has_form(text, _LETTERED)}"),
    ]


def _others(text: str) -> dict[Kind, str]:
    return {
        Kind.TEXT: (
            f"NOT {has_form(text, _DRESSED)}"
            f" OR (length({text}) > {LONGEST_FORM} AND NOT {has_form(text, '[+-][0-9]+')})"
        ),
        Kind.CODE: f"{text} < '0' AND {has_form(text, '[+-][0-9]+')}",
        Kind.DECIMAL: has_form(text, DECIMAL_FORM),
        Kind.DATE: (
            f"length({text}) <= {LONGEST_DATE} AND (({has_form(text, ISO_DATE_FORM)} AND {iso_date(text)} IS NOT NULL)"
            f" OR ({has_form(text, NAMED_DATE_FORM)} AND {named_date(text)} IS NOT NULL))"
        ),
        Kind.DATETIME: (
            f"{has_form(text, SLASH_DATETIME_FORM)} AND coalesce({slash_datetime(text, day_first=True)},"
            f" {slash_datetime(text, day_first=False)}) IS NOT NULL"
        ),
        Kind.SLASH_DATE: (
            f"{has_form(text, SLASH_DATE_FORM)} AND coalesce({slash_date(text, day_first=True)},"
            f" {slash_date(text, day_first=False)}) IS NOT NULL"
        ),
        Kind.GROUPED: has_form(text, GROUPED_FORM),
        Kind.COMMA_DECIMAL: has_form(text, COMMA_DECIMAL_FORM),
        Kind.PERCENT: has_form(text, PERCENT_FORM),
        Kind.CURRENCY: has_form(text, CURRENCY_FORM),
        Kind.TIME: has_form(text, TIME_FORM),
    }


def position(kind: Kind) -> int:
    return list(Kind).index(kind)
