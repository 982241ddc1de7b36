"""Numbers as people write them, as SQL: what is told of a column, and the plain number that a cell says.

1,234 is a thousand in one column and one and a bit in another; the cells that can be read in one way only decide for
the whole column. A number keeps its digits: only signs that are not part of it go.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.cells.kinds import has_form, literal

if TYPE_CHECKING:
    import duckdb

LONGEST = 40
SIGNS = {"US$": "USD", "CA$": "CAD", "AU$": "AUD", "R$": "BRL", "€": "EUR", "£": "GBP"}
SIGNS |= {"₹": "INR", "₽": "RUB", "₩": "KRW", "₺": "TRY", "₫": "VND", "₴": "UAH"}
SHARED = {"$": ("USD", "CAD", "AUD", "NZD", "MXN"), "¥": ("JPY", "CNY"), "KR": ("SEK", "NOK", "DKK"), "ZŁ": ("PLN",)}
CODE = "(?i:usd|eur|gbp|chf|jpy|cny|inr|cad|aud|nzd|sek|nok|dkk|pln|czk|huf|brl|mxn|zar|kr|zł)"
SIGN = r"(?:US\$|CA\$|AU\$|R\$|[$€£¥₹₽₩₺₫₴])"
CURRENCY = f"(?:{SIGN}|{CODE})"
PLAIN = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
COMMA_GROUPS = r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?"
LAKHS = r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]*)?"  # 12,34,567
DOT_GROUPS = r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]*)?"
COMMA_DECIMAL = "[0-9]+,[0-9]+"
LOOSE_GROUPS = r"[1-9][0-9]{0,2}(?:[ '’][0-9]{3})+(?:[.,][0-9]+)?"
_BODY = f"{PLAIN}|{COMMA_GROUPS}|{LAKHS}|{DOT_GROUPS}|{COMMA_DECIMAL}|{LOOSE_GROUPS}"
DRESSED = rf"(?:{CURRENCY} ?)?[(]?[+-]? ?(?:{CURRENCY} ?)?(?:{_BODY})(?: ?{CURRENCY})?(?: ?%)?[)]?-?(?: ?%)?"
SAYS_POINT = (
    r"[0-9]*\.([0-9]{1,2}|[0-9]{4,})(?:[eE].*)?|(?:0|[0-9]{4,})\.[0-9]+"
    r"|[0-9,]+,[0-9]{3}\.[0-9]*|[0-9]+(,[0-9]{2,3}){2,}"
)
SAYS_COMMA = (
    r"[0-9]+,([0-9]{1,2}|[0-9]{4,})|(?:0|[0-9]{4,}),[0-9]+"
    r"|[0-9.]+\.[0-9]{3},[0-9]*|[0-9]{1,3}(\.[0-9]{3}){2,}"
)
NUMBER_SHARE = 0.8
SPELLED_PERCENT = 0.9  # of a column's numbers: then the sign says nothing more
UNTOLD = 0.5  # confidence where a comma before three digits is all there is
DISAGREEMENT = 0.02  # of the telling cells: the rest are mistakes of their own


@dataclass(frozen=True)
class NumberEvidence:
    """Counts over a column's present cells. `points` and `commas` say which of the two is decimal."""

    present: int
    numbers: int
    plain: int
    percents: int
    points: int
    commas: int
    open: int  # cells that either reading fits
    open_commas: int = 0  # of these, the ones with a comma
    round_commas: int = 0  # of these, whole thousands, if they are thousands
    small: int = 0  # whole numbers below 1,000, as they stand among thousands that are grouped
    long: int = 0  # whole numbers above, that are not grouped
    currencies: tuple[str, ...] = ()

    @property
    def is_numbers(self) -> bool:
        return self.present > 0 and self.numbers >= NUMBER_SHARE * self.present

    @property
    def comma_is_decimal(self) -> bool | None:
        """None where the cells contradict each other; a comma before three digits is for thousands if none tells."""
        told = self.points + self.commas
        if not told:
            return False
        if min(self.points, self.commas) > DISAGREEMENT * told:
            return None
        return self.commas > self.points

    @property
    def confidence(self) -> float:
        told = self.points + self.commas
        if not told:
            return UNTOLD if self.guesses_thousands else 1.0
        return max(self.points, self.commas) / told

    @property
    def guesses_thousands(self) -> bool:
        """1,234 and 2,345, and no cell that tells: neither 1,234,567 nor 950, nor many whole thousands."""
        if self.points + self.commas or not self.open_commas:
            return False
        are_round = self.round_commas > 1 and 2 * self.round_commas >= self.open_commas
        return self.small <= self.long and not are_round

    @property
    def unit(self) -> str | None:
        """What all numbers of the column are in, where their signs say so."""
        if self.percents and self.drops_percent:
            return "percent"
        return self.currencies[0] if len(self.currencies) == 1 else None

    @property
    def mixes_units(self) -> bool:
        """100 of one currency are not 100 of another: without its sign the number would be wrong."""
        return len(self.currencies) > 1 or 0 < self.percents < self.numbers

    @property
    def all_can_be_cast(self) -> bool:
        return self.numbers == self.present and self.comma_is_decimal is not None and not self.mixes_units

    @property
    def drops_percent(self) -> bool:
        return self.percents >= SPELLED_PERCENT * self.numbers


def evidence_of(
    db: "duckdb.DuckDBPyConnection", column: Column, relation: str, part: str | None = None
) -> NumberEvidence:
    """Of the column's cells, or of the part of them that is the number."""
    text = _levelled(part or column.cell)
    found = db.execute(f"""
        WITH cells AS (SELECT {text} AS t FROM {relation} WHERE NOT {column.is_missing}),
        bodies AS (SELECT t, {_fits("t")} AS fits, {_body("t")} AS b, {_currency("t")} AS c FROM cells)
        SELECT count(*), count(*) FILTER (fits), count(*) FILTER (fits AND {has_form("t", "[+-]?" + PLAIN)}),
               count(*) FILTER (fits AND contains(t, '%')), count(*) FILTER (fits AND {has_form("b", SAYS_POINT)}),
               count(*) FILTER (fits AND {has_form("b", SAYS_COMMA)}), count(*) FILTER (fits AND {_is_open("b")}),
               count(*) FILTER (fits AND {_is_open("b")} AND contains(b, ',')),
               count(*) FILTER (fits AND {_is_open("b")} AND ends_with(b, ',000')),
               count(*) FILTER (fits AND {has_form("b", "[1-9][0-9]{0,2}")}),
               count(*) FILTER (fits AND {has_form("b", "[1-9][0-9]{3,}")}),
               coalesce(list_sort(list(DISTINCT c) FILTER (fits AND c IS NOT NULL)), [])
        FROM bodies
    """).fetchall()
    evidence = NumberEvidence(*found[0])
    return replace(evidence, currencies=_one_name_each(evidence.currencies))


def _one_name_each(currencies: Sequence[str]) -> tuple[str, ...]:
    """$ beside CAD is the Canadian dollar; beside none, or beside two dollars, it stays what it is."""
    found = set(currencies)
    for sign, codes in SHARED.items():
        if sign in found and len(found & set(codes)) == 1:
            found.remove(sign)
    return tuple(sorted(found))


def is_number(text: str) -> str:
    """SQL: a text that is a number, in any of its clothes."""
    return _fits(_levelled(text))


def number_text(cell: str, evidence: NumberEvidence) -> str:
    """SQL: the plain number; NULL where the cell is none, or can be read in two ways."""
    text = _levelled(f"trim({cell})")
    body = _body(text)
    left = _other_unit(text, evidence)
    negative = f"contains({text}, '(') OR ends_with(rtrim({text}, ' %'), '-') OR regexp_matches({text}, '^[^0-9]*-')"
    value = f"CASE WHEN {negative} THEN '-' ELSE '' END || {_plain(body, comma_is_decimal=evidence.comma_is_decimal)}"
    return (
        f"CASE WHEN NOT {_fits(text)} OR {left} THEN NULL"
        f" WHEN {has_form(text, '[+-]?' + PLAIN)} AND NOT {_is_grouped(text, evidence)} THEN ltrim({text}, '+')"
        f" ELSE {value} END"
    )


def _other_unit(text: str, evidence: NumberEvidence) -> str:
    """Percents among other numbers, other numbers among percents, one of several currencies."""
    percent = f"contains({text}, '%')"
    tests = [f"{_currency(text)} IS NOT NULL"] if len(evidence.currencies) > 1 else []
    if evidence.percents:
        tests.append(f"NOT {percent}" if evidence.drops_percent else percent)
    return f"({' OR '.join(tests)})" if tests else "false"


def is_guessed(cell: str, evidence: NumberEvidence) -> str:
    """SQL: a comma that is taken for one of thousands, while nothing in the column says so."""
    if not evidence.guesses_thousands:
        return "false"
    text = _levelled(f"trim({cell})")
    return f"({_fits(text)} AND {has_form(_body(text), '[1-9][0-9]{0,2},[0-9]{3}')})"


def is_ambiguous(cell: str, evidence: NumberEvidence) -> str:
    """SQL: a number that two readings fit, in a column that follows both."""
    if evidence.comma_is_decimal is not None:
        return "false"
    text = _levelled(f"trim({cell})")
    return f"({_fits(text)} AND {_is_open(_body(text))})"


def _fits(text: str) -> str:
    """One bracket alone is no minus but a mistake."""
    return (
        f"(length({text}) <= {LONGEST} AND {has_form(text, DRESSED)} AND contains({text}, '(') = contains({text}, ')'))"
    )


def _levelled(text: str) -> str:
    """One minus and one space, of the many that Unicode has."""
    return f"translate({text}, '−–\u00a0\u202f\u2007\u2009', '--    ')"


def _body(text: str) -> str:
    """The digits and the points and commas among them: a blank or an apostrophe only ever groups."""
    bare = f"regexp_replace({text}, {literal(CURRENCY + '|[()%]|^ *[+-]|-$')}, '', 'g')"
    return f"translate(trim({bare}, ' +-'), ' ''’', '')"


def _currency(text: str) -> str:
    """SQL: its code, or the sign that several share; NULL where there is none."""
    code = f"upper(regexp_extract({text}, {literal(CODE)}))"
    sign = f"regexp_extract({text}, {literal(SIGN)})"
    signs = "MAP {" + ", ".join(f"{literal(name)}: {literal(meant)}" for name, meant in SIGNS.items()) + "}"
    name = f"coalesce(nullif({code}, ''), {signs}[{sign}], {sign})"
    return f"CASE WHEN regexp_matches({text}, {literal(CURRENCY)}) THEN {name} END"


def _is_open(body: str) -> str:
    return has_form(body, r"[1-9][0-9]{0,2}[.,][0-9]{3}")


def _is_grouped(text: str, evidence: NumberEvidence) -> str:
    """1.234 in a column whose decimals follow a comma."""
    if evidence.comma_is_decimal is False:
        return "false"
    return has_form(text, r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+")


def _plain(body: str, *, comma_is_decimal: bool | None) -> str:
    """A cell that says itself which sign is decimal is believed; the column decides for the others."""
    point = f"replace({body}, ',', '')"
    comma = f"translate({body}, ',.', '.')"
    chosen = {True: comma, False: point, None: "NULL"}[comma_is_decimal]
    return (
        f"CASE WHEN {has_form(body, SAYS_POINT)} THEN {point} WHEN {has_form(body, SAYS_COMMA)} THEN {comma}"
        f" WHEN NOT regexp_matches({body}, '[.,]') THEN {point}"
        f" WHEN {_is_open(body)} THEN {chosen}"
        f" WHEN {has_form(body, PLAIN)} THEN {body} ELSE {chosen} END"
    )
