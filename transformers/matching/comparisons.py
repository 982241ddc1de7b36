"""How alike two records are, field by field: the level of agreement that each kind of field reaches.

A comparison is a list of levels, from the same to nothing in common; the SQL speaks of the two values l0 and r0 of
field 0, and so on, and of their likeness, which is measured once: j0 (Jaro–Winkler), d0 (edits), c0 (cosine), w0 (one
within the other). Level 0 is the last, -1 says that a value is missing on either side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from transformers.matching.edits import few_edits, shape, too_unlike, unlike
from transformers.matching.fields import Field, FieldKind
from transformers.matching.patterns import code_of
from transformers.matching.records import Term
from transformers.matching.text_similarity import TextSimilarity

if TYPE_CHECKING:
    import duckdb


PIECES_AT_ONCE = 1_500_000  # of text, of the pairs compared at a time: some 60 MB
PAIRS_AT_ONCE = 100_000
LEAST_AT_ONCE = 15_000
MANY_VALUES = 30  # with fewer no value is rare
MEASURED_BY: Mapping[FieldKind, tuple[str, ...]] = MappingProxyType(
    {
        FieldKind.NAME: ("j",),
        FieldKind.DATE: ("d",),
        FieldKind.CODE: ("d",),
        FieldKind.EMAIL: ("d", "j"),
        FieldKind.NUMBER: ("d",),
        FieldKind.TEXT: (),
    }
)


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
        i, top = self.field.index, len(self.levels)
        whens = " ".join(f"WHEN {level.test} THEN {top - place}" for place, level in enumerate(self.levels))
        return f"CASE WHEN l{i} IS NULL OR r{i} IS NULL THEN -1 {whens} ELSE 0 END::TINYINT"

    @property
    def values(self) -> str:
        """SQL over the records `l` and `r`: the two values, how common the first is (Term), and what is cheap to see.

        That is how alike they are, or their shapes (x0, y0) where it is the edits that count.
        """
        i, one, other = self.field.index, f"l.{self.field.sql}", f"r.{self.field.sql}"
        said = [f"{one} AS l{i}", f"{other} AS r{i}", f"(l.terms >> {2 * i}) & 3 AS q{i}"]
        if "j" in self._measured:
            said.append(f"CASE WHEN {one} <> {other} THEN jaro_winkler_similarity({one}, {other}) END AS j{i}")
        elif "d" in self._measured:
            said += [f"{shape(one)} AS x{i}", f"{shape(other)} AS y{i}"]
        return ", ".join(said)

    @property
    def edits(self) -> str:
        """SQL over `values`: the edits, where they count; else nothing."""
        i, one, other = self.field.index, f"l{self.field.index}", f"r{self.field.index}"
        if "d" not in self._measured:
            return ""
        by_shape = unlike(one, other, (f"x{i}", f"y{i}"))
        far = too_unlike(one, other, f"j{i}") if "j" in self._measured else by_shape
        return f", CASE WHEN {one} <> {other} THEN {few_edits(one, other, far=far)} END AS d{i}"

    @property
    def _measured(self) -> tuple[str, ...]:
        return MEASURED_BY[self.field.kind]


def comparisons_for(fields: Sequence[Field]) -> tuple[Comparison, ...]:
    return tuple(Comparison(field, tuple(_levels(field, fields))) for field in fields)


def _levels(field: Field, fields: Sequence[Field]) -> list[Level]:
    i = field.index
    if field.kind is FieldKind.NAME:
        return [*_same(field), *_swapped(field, fields), *_name_levels(i)]
    if field.kind is FieldKind.DATE:
        return [*_same(field), *_date_levels(i)]
    if field.kind is FieldKind.CODE:
        return [*_same(field), *_code_levels(i)]
    if field.kind is FieldKind.EMAIL:
        return [*_same(field), *_email_levels(i)]
    if field.kind is FieldKind.TEXT:
        return [*_same(field), *_text_levels(i)]
    return [*_same(field), *_number_levels(i)]


def _same(field: Field) -> list[Level]:
    """To share a rare value tells more than to share a common one (term frequencies, in three steps)."""
    same, q = f"l{field.index} = r{field.index}", f"q{field.index}"
    if field.distinct < MANY_VALUES:
        return [Level("the same", same)]
    return [
        Level("the same rare value", f"{same} AND {q} = {Term.RARE.value}"),
        Level("the same", f"{same} AND {q} = {Term.USUAL.value}"),
        Level("the same common value", same),
    ]


def _swapped(field: Field, fields: Sequence[Field]) -> list[Level]:
    """Given name and family name in each other's place: one the same, the other alike."""
    partners = [other for other in fields if other.kind is FieldKind.NAME and other.index != field.index]
    tests = [_crossed(field.index, other.index, *sides) for other in partners for sides in (("l", "r"), ("r", "l"))]
    return [Level("swapped with another field", " OR ".join(tests))] if tests else []


def _crossed(field: int, partner: int, here: str, there: str) -> str:
    alike = f"jaro_winkler_similarity({here}{partner}, {there}{field}) > 0.85"
    return f"({here}{field} = {there}{partner} AND {alike})"


def _name_levels(i: int) -> list[Level]:
    one, other = f"l{i}", f"r{i}"
    alike, edits = f"j{i}", few_edits(one, other, most=1)
    begins = f"starts_with({one}, {other}) OR starts_with({other}, {one})"
    return [
        Level("a letter apart", f"{alike} >= 0.92 OR ({alike} >= 0.75 AND length({one}) >= 4 AND {edits} = 1)"),
        Level("one begins the other", begins),
        Level("alike", f"{alike} >= 0.8"),
        Level("somewhat alike", f"{alike} >= 0.7"),
    ]


def _date_levels(i: int) -> list[Level]:
    one, other = f"l{i}", f"r{i}"
    turned = f"left({other}, 4) || substr({other}, 7, 2) || substr({other}, 5, 2)"
    year, month, day = (f"substr({one}, {at}, {n}) = substr({other}, {at}, {n})" for at, n in ((1, 4), (5, 2), (7, 2)))
    two = f"({year})::TINYINT + ({month})::TINYINT + ({day})::TINYINT = 2"
    years = f"abs(TRY_CAST(left({one}, 4) AS INTEGER) - TRY_CAST(left({other}, 4) AS INTEGER))"
    return [
        Level("day and month swapped", f"{one} = {turned}"),
        Level("a digit apart", f"d{i} <= 1"),
        Level("two of year, month, day", two),
        Level("two digits apart", f"d{i} <= 2"),
        Level("the same year", year),
        Level("a year apart", f"{years} <= 1"),
        Level("within ten years", f"{years} <= 10"),
    ]


def _code_levels(i: int) -> list[Level]:
    one, other = f"l{i}", f"r{i}"
    apart = f"d{i}"
    return [
        Level("a character apart", f"{apart} <= 1"),
        Level("two characters apart", f"{apart} <= 2 AND least(length({one}), length({other})) >= 5"),
        Level("the same beginning", f"left({one}, 3) = left({other}, 3)"),
    ]


def _email_levels(i: int) -> list[Level]:
    one, other = f"l{i}", f"r{i}"
    local = [f"split_part({side}, '@', 1)" for side in (one, other)]
    domain = f"split_part({one}, '@', 2) = split_part({other}, '@', 2)"
    return [
        Level("two characters apart", f"d{i} <= 2"),
        Level("the same before the @", f"{local[0]} = {local[1]}"),
        Level("alike", f"j{i} >= 0.92"),
        Level("alike before the @", f"jaro_winkler_similarity({local[0]}, {local[1]}) >= 0.88"),
        Level("the same domain", domain),
    ]


def _text_levels(i: int) -> list[Level]:
    cosine, contained = f"c{i}", f"w{i}"
    return [
        Level("nearly the same", f"{cosine} >= 0.85"),
        Level("very alike", f"{cosine} >= 0.65"),
        Level("one within the other", f"{contained} >= 0.9"),
        Level("alike", f"{cosine} >= 0.5"),
        Level("somewhat alike", f"{cosine} >= 0.35"),
        Level("a little alike", f"{cosine} >= 0.2"),
    ]


def _number_levels(i: int) -> list[Level]:
    one, other = f"l{i}", f"r{i}"
    x, y = f"CAST({one} AS DOUBLE)", f"CAST({other} AS DOUBLE)"
    apart = f"abs({x} - {y})"
    return [
        Level("next to each other", f"{apart} <= 1 OR {apart} <= 0.005 * greatest(abs({x}), abs({y}))"),
        Level("a digit apart", f"d{i} <= 1"),
        Level("within a tenth", f"{apart} <= 0.1 * greatest(abs({x}), abs({y}))"),
    ]


def compare(
    db: "duckdb.DuckDBPyConnection", pairs: str, compared: str, comparisons: Sequence[Comparison], text: TextSimilarity
) -> None:
    """Fill the temporary table `compared`: a, b and code, the pattern of their levels; some pairs at a time."""
    db.execute(f"CREATE OR REPLACE TEMP TABLE {compared} (a INTEGER, b INTEGER, code BIGINT)")
    [(count,)] = db.execute(f"SELECT count(*) FROM {pairs}").fetchall()
    at_once = int(min(max(PIECES_AT_ONCE / max(text.pieces, 1.0), LEAST_AT_ONCE), PAIRS_AT_ONCE))
    for first in range(0, count, at_once):
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE er_some AS SELECT a, b FROM {pairs}"
            f" WHERE rowid >= {first} AND rowid < {first + at_once}"
        )
        _compare_some(db, comparisons, text)
        db.execute(f"INSERT INTO {compared} SELECT a, b, code FROM er_coded")
    db.execute("DROP TABLE IF EXISTS er_some; DROP TABLE IF EXISTS er_coded; DROP TABLE IF EXISTS er_shared")


def _compare_some(db: "duckdb.DuckDBPyConnection", comparisons: Sequence[Comparison], text: TextSimilarity) -> None:
    """`er_coded` of the pairs `er_some`: the short fields at once, then each text in a pass of its own."""
    short = [one for one in comparisons if one.field.kind is not FieldKind.TEXT]
    joined = "JOIN er_records l ON l.r = p.a JOIN er_records r ON r.r = p.b"
    values = "".join(f", {comparison.values}" for comparison in short)
    edits = "".join(comparison.edits for comparison in short)
    code = code_of({comparison.field.index: comparison.sql for comparison in short})
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE er_coded AS SELECT a, b, {code} AS code"
        f" FROM (SELECT *{edits} FROM (SELECT p.a, p.b{values} FROM er_some p {joined}))"
    )
    for field in text.fields:
        text.measure(db, field, "er_some")
        [one] = [comparison for comparison in comparisons if comparison.field is field]
        alike = f"coalesce(s.c, 0) AS c{field.index}, coalesce(s.w, 0) AS w{field.index}"
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE er_coded AS SELECT a, b, code + {code_of({field.index: one.sql})} AS code"
            f" FROM (SELECT p.a, p.b, p.code, {one.values}, {alike} FROM er_coded p {joined}"
            " LEFT JOIN er_shared s ON s.a = p.a AND s.b = p.b)"
        )
