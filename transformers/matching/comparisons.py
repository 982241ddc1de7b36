"""How alike two records are, field by field: the level of agreement that each kind of field reaches.

A comparison is a list of levels, from the same to nothing in common; the SQL speaks of two records `l` and `r`. Level
0 is the last, -1 says that a value is missing on either side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.matching.fields import Field, FieldKind
from transformers.matching.patterns import code_of
from transformers.matching.text_similarity import TextSimilarity

if TYPE_CHECKING:
    import duckdb


MANY_VALUES = 30  # with fewer no value is rare
RARER = 3.0  # than the usual value: a third of its share; common: three times it


@dataclass(frozen=True)
class Level:
    label: str
    test: str  # SQL


@dataclass(frozen=True)
class Comparison:
    """`levels` from the strongest down; the one that is left when none holds is not among them."""

    field: Field
    levels: tuple[Level, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """By the number of the level: 0 is nothing in common."""
        return ("different", *(level.label for level in reversed(self.levels)))

    @property
    def sql(self) -> str:
        f, top = self.field.sql, len(self.levels)
        whens = " ".join(f"WHEN {level.test} THEN {top - place}" for place, level in enumerate(self.levels))
        return f"CASE WHEN l.{f} IS NULL OR r.{f} IS NULL THEN -1 {whens} ELSE 0 END::TINYINT"


def comparisons_for(fields: Sequence[Field], text: TextSimilarity) -> tuple[Comparison, ...]:
    return tuple(Comparison(field, tuple(_levels(field, fields, text))) for field in fields)


def _levels(field: Field, fields: Sequence[Field], text: TextSimilarity) -> list[Level]:
    one, other = f"l.{field.sql}", f"r.{field.sql}"
    if field.kind is FieldKind.NAME:
        return [*_same(field), *_swapped(field, fields), *_name_levels(one, other)]
    if field.kind is FieldKind.DATE:
        return [*_same(field), *_date_levels(one, other)]
    if field.kind is FieldKind.CODE:
        return [*_same(field), *_code_levels(one, other)]
    if field.kind is FieldKind.EMAIL:
        return [*_same(field), *_email_levels(one, other)]
    if field.kind is FieldKind.TEXT:
        return [*_same(field), *_text_levels(field, text)]
    return [*_same(field), *_number_levels(one, other)]


def _same(field: Field) -> list[Level]:
    """To share a rare value tells more than to share a common one (term frequencies, in three steps)."""
    same, q = f"l.{field.sql} = r.{field.sql}", f"l.q{field.index}"
    if field.distinct < MANY_VALUES:
        return [Level("the same", same)]
    usual = 2.0**-field.bits
    return [
        Level("the same rare value", f"{same} AND {q} < {usual / RARER!r}"),
        Level("the same", f"{same} AND {q} < {usual * RARER!r}"),
        Level("the same common value", same),
    ]


def _swapped(field: Field, fields: Sequence[Field]) -> list[Level]:
    """Given name and family name in each other's place: one the same, the other alike."""
    partners = [other for other in fields if other.kind is FieldKind.NAME and other.index != field.index]
    tests = [_crossed(field.sql, other.sql, *sides) for other in partners for sides in (("l", "r"), ("r", "l"))]
    return [Level("swapped with another field", " OR ".join(tests))] if tests else []


def _crossed(field: str, partner: str, here: str, there: str) -> str:
    alike = f"jaro_winkler_similarity({here}.{partner}, {there}.{field}) > 0.85"
    return f"coalesce({here}.{field} = {there}.{partner} AND {alike}, false)"


def _name_levels(one: str, other: str) -> list[Level]:
    alike = f"jaro_winkler_similarity({one}, {other})"
    begins = f"starts_with({one}, {other}) OR starts_with({other}, {one})"
    return [
        Level("a letter apart", f"{alike} >= 0.92 OR (length({one}) >= 4 AND damerau_levenshtein({one}, {other}) = 1)"),
        Level("one begins the other", begins),
        Level("alike", f"{alike} >= 0.8"),
        Level("somewhat alike", f"{alike} >= 0.7"),
    ]


def _date_levels(one: str, other: str) -> list[Level]:
    turned = f"left({other}, 4) || substr({other}, 7, 2) || substr({other}, 5, 2)"
    year, month, day = (f"substr({one}, {at}, {n}) = substr({other}, {at}, {n})" for at, n in ((1, 4), (5, 2), (7, 2)))
    two = f"({year})::TINYINT + ({month})::TINYINT + ({day})::TINYINT = 2"
    years = f"abs(TRY_CAST(left({one}, 4) AS INTEGER) - TRY_CAST(left({other}, 4) AS INTEGER))"
    return [
        Level("day and month swapped", f"{one} = {turned}"),
        Level("a digit apart", f"damerau_levenshtein({one}, {other}) <= 1"),
        Level("two of year, month, day", two),
        Level("two digits apart", f"damerau_levenshtein({one}, {other}) <= 2"),
        Level("the same year", year),
        Level("a year apart", f"{years} <= 1"),
        Level("within ten years", f"{years} <= 10"),
    ]


def _code_levels(one: str, other: str) -> list[Level]:
    apart = f"damerau_levenshtein({one}, {other})"
    return [
        Level("a character apart", f"{apart} <= 1"),
        Level("two characters apart", f"{apart} <= 2 AND least(length({one}), length({other})) >= 5"),
        Level("the same beginning", f"left({one}, 3) = left({other}, 3)"),
    ]


def _email_levels(one: str, other: str) -> list[Level]:
    local = [f"split_part({side}, '@', 1)" for side in (one, other)]
    domain = f"split_part({one}, '@', 2) = split_part({other}, '@', 2)"
    return [
        Level("two characters apart", f"damerau_levenshtein({one}, {other}) <= 2"),
        Level("the same before the @", f"{local[0]} = {local[1]}"),
        Level("alike", f"jaro_winkler_similarity({one}, {other}) >= 0.92"),
        Level("alike before the @", f"jaro_winkler_similarity({local[0]}, {local[1]}) >= 0.88"),
        Level("the same domain", domain),
    ]


def _text_levels(field: Field, text: TextSimilarity) -> list[Level]:
    cosine, contained = text.cosine(field), text.contained(field)
    return [
        Level("nearly the same", f"{cosine} >= 0.85"),
        Level("very alike", f"{cosine} >= 0.65"),
        Level("one within the other", f"{contained} >= 0.9"),
        Level("alike", f"{cosine} >= 0.5"),
        Level("somewhat alike", f"{cosine} >= 0.35"),
        Level("a little alike", f"{cosine} >= 0.2"),
    ]


def _number_levels(one: str, other: str) -> list[Level]:
    x, y = f"CAST({one} AS DOUBLE)", f"CAST({other} AS DOUBLE)"
    apart = f"abs({x} - {y})"
    return [
        Level("next to each other", f"{apart} <= 1 OR {apart} <= 0.005 * greatest(abs({x}), abs({y}))"),
        Level("a digit apart", f"damerau_levenshtein({one}, {other}) <= 1"),
        Level("within a tenth", f"{apart} <= 0.1 * greatest(abs({x}), abs({y}))"),
    ]


def compare(
    db: "duckdb.DuckDBPyConnection", pairs: str, compared: str, comparisons: Sequence[Comparison], text: TextSimilarity
) -> None:
    """Fill the temporary table `compared`: a, b and code, the pattern of their levels."""
    text.measure(db, pairs)
    code = code_of([comparison.sql for comparison in comparisons])
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {compared} AS SELECT p.a, p.b, {code} AS code FROM {pairs} p"
        f" JOIN er_records l ON l.r = p.a JOIN er_records r ON r.r = p.b {text.joined}"
    )
