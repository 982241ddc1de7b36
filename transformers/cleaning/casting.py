"""Numbers as people write them, as SQL: what is told of a column, and the plain number that a cell says.

1,234 is a thousand in one column and one and a bit in another; the cells that can be read in one way only decide for
the whole column. A number keeps its digits: only signs that are not part of it go.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.cells.kinds import has_form, literal

if TYPE_CHECKING:
    import duckdb

LONGEST = 40
SIGNS = {"US$": "USD", "CA$": "CAD", "AU$": "AUD", "R$": "BRL", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
SIGNS |= {"₹": "INR", "₽": "RUB", "₩": "KRW", "₺": "TRY", "₫": "VND", "₴": "UAH"}
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
        return max(self.points, self.commas) / told if told else 1.0

    @property
    def all_can_be_cast(self) -> bool:
        return (
            self.numbers == self.present
            and self.comma_is_decimal is not None
            and (self.drops_percent or not self.percents)
        )

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
        bodies AS (SELECT t, {_fits("t")} AS fits, {_body("t")} AS b FROM cells)
        SELECT count(*), count(*) FILTER (fits), count(*) FILTER (fits AND {has_form("t", "[+-]?" + PLAIN)}),
               count(*) FILTER (fits AND contains(t, '%')), count(*) FILTER (fits AND {has_form("b", SAYS_POINT)}),
               count(*) FILTER (fits AND {has_form("b", SAYS_COMMA)}), count(*) FILTER (fits AND {_is_open("b")})
        FROM bodies
    """).fetchall()
    return NumberEvidence(*found[0])


def is_number(text: str) -> str:
    """SQL: a text that is a number, in any of its clothes."""
    return _fits(_levelled(text))


def number_text(cell: str, evidence: NumberEvidence) -> str:
    """SQL: the plain number; NULL where the cell is none, or can be read in two ways."""
    text = _levelled(f"trim({cell})")
    body = _body(text)
    percent = "" if evidence.drops_percent else f"WHEN contains({text}, '%') THEN NULL"
    negative = f"contains({text}, '(') OR ends_with(rtrim({text}, ' %'), '-') OR regexp_matches({text}, '^[^0-9]*-')"
    value = f"CASE WHEN {negative} THEN '-' ELSE '' END || {_plain(body, comma_is_decimal=evidence.comma_is_decimal)}"
    return (
        f"CASE WHEN NOT {_fits(text)} THEN NULL {percent}"
        f" WHEN {has_form(text, '[+-]?' + PLAIN)} AND NOT {_is_grouped(text, evidence)} THEN ltrim({text}, '+')"
        f" ELSE {value} END"
    )


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
