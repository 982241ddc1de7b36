"""What the distinct values of a column say: how many, how often, how long, of what shape. Exact unless told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from transformers.cells.columns import MISSING, Column
from transformers.cells.kinds import Kind, position
from transformers.profiling.table_profile import Lengths, Sampled, ValueCount, percent, steady
from transformers.risk.personal_fields import display

if TYPE_CHECKING:
    import duckdb

PRESENT = f"cell_values WHERE k NOT IN {MISSING}"
PATTERNS_SHOWN = 8
SHAPED_VALUES = 10_000  # above it the shapes are those of a sample: they are the costly part, and repeat themselves
SHAPED_IN_FULL = 16  # characters: most codes, dates and numbers
SHOWN_WORDS = 10
LETTERS = ((r"\p{Lu}", "A"), (r"[\p{Ll}\p{Lo}\p{Lt}\p{Lm}]", "a"), (r"\p{Nd}", "9"))
ASCII_LETTERS = (("[A-Z]", "A"), ("[a-z]", "a"), ("[0-9]", "9"))  # the same, compiled in a tenth of the time
LISTED_IN_FULL = 50  # values: what a person would still write down as the allowed ones


@dataclass(frozen=True)
class ValueFigures:
    """`unique` values occur once; entropy is in bits."""

    distinct: int = 0
    unique: int = 0
    entropy: float = 0.0
    top: tuple[ValueCount, ...] = ()
    every: tuple[str, ...] = ()  # value, where there are few
    disguised: tuple[ValueCount, ...] = ()
    patterns: tuple[ValueCount, ...] = ()
    lengths: Lengths | None = None
    sampled: tuple[Sampled, ...] = field(default=())


def value_figures(db: "duckdb.DuckDBPyConnection", columns: Sequence[Column], top_n: int) -> dict[str, ValueFigures]:
    """By column name, of those that `cell_values` holds now."""
    disguised = _disguised(db, columns)
    counts = _counts_of_counts(db, len(columns))
    top = _top(db, columns, counts, max(top_n, LISTED_IN_FULL))
    shaped = [place for place, column in enumerate(columns) if column.is_text]
    lengths, wide = _lengths(db, columns, shaped)
    patterns, sampled = _patterns(db, columns, shaped, counts, ascii_only=not wide)
    return {
        column.name: ValueFigures(
            distinct=sum(counts[place].values()),
            unique=counts[place].get(1, 0),
            entropy=_entropy(counts[place]),
            top=top.get(place, ())[:top_n],
            every=_every(top.get(place, ()), sum(counts[place].values())),
            disguised=disguised.get(place, ()),
            patterns=patterns.get(place, ()),
            lengths=lengths.get(place),
            sampled=sampled.get(place, ()),
        )
        for place, column in enumerate(columns)
    }


def _every(top: tuple[ValueCount, ...], distinct: int) -> tuple[str, ...]:
    return tuple(sorted(entry.value for entry in top)) if len(top) == distinct <= LISTED_IN_FULL else ()


def _disguised(db: "duckdb.DuckDBPyConnection", columns: Sequence[Column]) -> dict[int, tuple[ValueCount, ...]]:
    words = f"SELECT c, v, n FROM cell_values WHERE k = {position(Kind.DISGUISED)} ORDER BY c, n DESC, v"
    found: dict[int, list[ValueCount]] = {}
    for place, word, n in db.execute(words).fetchall():
        found.setdefault(place, []).append(ValueCount(value=word, count=n, percent=percent(n, columns[place].rows)))
    return {place: tuple(listed[:SHOWN_WORDS]) for place, listed in found.items()}


def _counts_of_counts(db: "duckdb.DuckDBPyConnection", columns: int) -> list[dict[int, int]]:
    """For each column: how many values occur once, twice …; few numbers, so that what follows is exact."""
    counts: list[dict[int, int]] = [{} for _ in range(columns)]
    for place, n, values in db.execute(f"SELECT c, n, count(*) FROM {PRESENT} GROUP BY c, n ORDER BY c, n").fetchall():
        counts[place][n] = values
    return counts


def _entropy(counts: dict[int, int]) -> float:
    total = sum(n * values for n, values in counts.items())
    if not total:
        return 0.0
    return steady(abs(math.fsum(-values * (n / total) * math.log2(n / total) for n, values in counts.items()))) or 0.0


def _top(
    db: "duckdb.DuckDBPyConnection", columns: Sequence[Column], counts: Sequence[dict[int, int]], top_n: int
) -> dict[int, tuple[ValueCount, ...]]:
    """The most frequent values, equals in alphabetical order."""
    least = [(place, _least(counted, top_n)) for place, counted in enumerate(counts) if counted]
    if not least:
        return {}
    wanted = f"JOIN (VALUES {', '.join(map(str, least))}) AS least(c, least) USING (c) WHERE k NOT IN {MISSING}"
    frequent = f"SELECT c, v, n FROM cell_values {wanted} AND n > least"
    equal = (
        f"SELECT c, unnest(min(v, {top_n})) AS v, any_value(n) AS n FROM cell_values {wanted} AND n = least GROUP BY c"
    )
    ranked = f"SELECT c, left(v, 200), n FROM ({frequent} UNION ALL {equal}) ORDER BY c, n DESC, v"
    found: dict[int, list[ValueCount]] = {}
    for place, value, n in db.execute(ranked).fetchall():
        share = percent(n, columns[place].present)
        found.setdefault(place, []).append(
            ValueCount(value=display(columns[place].name, value), count=n, percent=share)
        )
    return {place: tuple(entries[:top_n]) for place, entries in found.items()}


def _least(counts: dict[int, int], top_n: int) -> int:
    """How often a value occurs at least, if it is among the first; so that no others need be ranked."""
    ranked = sorted(counts, reverse=True)
    reached = accumulate(counts[n] for n in ranked)
    return next((n for n, values in zip(ranked, reached, strict=True) if values >= top_n), ranked[-1])


def _lengths(
    db: "duckdb.DuckDBPyConnection", columns: Sequence[Column], places: Sequence[int]
) -> tuple[dict[int, Lengths], bool]:
    """By place; and whether a value has characters beyond ASCII."""
    if not places:
        return {}, False
    query = (
        "SELECT c, min(length(v)), max(length(v)), sum(length(v) * n)::DOUBLE, bool_or(strlen(v) <> length(v))"
        f" FROM {PRESENT} AND c IN ({', '.join(map(str, places))}) GROUP BY c"
    )
    rows = db.execute(query).fetchall()
    lengths = {
        place: Lengths(minimum=low, maximum=high, mean=steady(total / columns[place].present) or 0.0)
        for place, low, high, total, _ in rows
    }
    return lengths, any(wide for *_, wide in rows)


def _patterns(
    db: "duckdb.DuckDBPyConnection",
    columns: Sequence[Column],
    places: Sequence[int],
    counts: Sequence[dict[int, int]],
    *,
    ascii_only: bool,
) -> tuple[dict[int, tuple[ValueCount, ...]], dict[int, tuple[Sampled, ...]]]:
    """Values by shape: capital A, small a, digit 9. A long value's runs are drawn together."""
    if not places:
        return {}, {}
    values = sum(sum(counts[place].values()) for place in places)
    step = max(1, math.ceil(values / SHAPED_VALUES))
    source = f"{PRESENT} AND c IN ({', '.join(map(str, places))}) AND hash(v) % {step} = 0"
    shape = _shape("v", ascii_only=ascii_only)
    shapes = f"SELECT c, {shape} AS shape, sum(n)::BIGINT AS n FROM {source} GROUP BY c, shape"
    ranked = (
        f"SELECT c, arg_min({{'v': shape, 'n': n}}, {{'n': -n, 'v': shape}}, {PATTERNS_SHOWN}), sum(n)::BIGINT"
        f" FROM ({shapes}) GROUP BY c"
    )
    found: dict[int, tuple[ValueCount, ...]] = {}
    sampled: dict[int, tuple[Sampled, ...]] = {}
    for place, entries, total in db.execute(ranked).fetchall():
        found[place] = tuple(ValueCount(value=e["v"], count=e["n"], percent=percent(e["n"], total)) for e in entries)
        if step > 1:
            sampled[place] = (
                Sampled(
                    figure=f"patterns of {columns[place].name}",
                    rule=f"cells whose value's hash is divisible by {step}",
                    n=total,
                    of=columns[place].present,
                ),
            )
    return found, sampled


def _shape(text: str, *, ascii_only: bool) -> str:
    """Every other letter than a capital is a small one: scripts without case have a shape too."""
    shape = f"left({text}, 60)"
    runs = shape
    for letters, drawn in ASCII_LETTERS if ascii_only else LETTERS:
        shape = f"regexp_replace({shape}, '{letters}', '{drawn}', 'g')"
        runs = f"regexp_replace({runs}, '{letters}{{2,}}', '{drawn}+', 'g')"  # a run at once: letter by letter is slow
        runs = f"regexp_replace({runs}, '{letters}', '{drawn}', 'g')"
    return f"CASE WHEN length({text}) <= {SHAPED_IN_FULL} THEN {shape} ELSE {runs} END"
