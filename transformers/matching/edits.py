"""SQL for the edits between two texts, which are counted only where they may be few.

An edit puts in, takes out or replaces a byte, or turns two neighbours round. DuckDB takes 1 µs and more to count them,
and nearly all pairs are strangers: what is cheap to see keeps them away from it. All that counts here counts bytes.
"""

FEW_EDITS = 2  # more than these are as good as any number: no level asks for them
MANY_EDITS = 9  # stands for all of them
ENDING = 8  # characters of a text's shape: the bytes of a whole number
_LOW_BITS, _HIGH_BITS = 0x7F7F7F7F7F7F7F7F, 0x8080808080808080
_BUT_THE_FIRST = 0x0080808080808080  # what stands before the ending is not known, so its first byte says nothing
ROUNDING = 1e-6


def few_edits(one: str, other: str, most: int = FEW_EDITS, far: str = "false") -> str:
    """SQL: the edits between two texts where they are `most` at most, else MANY_EDITS or the edits.

    Edits with transpositions take DuckDB ten times as long as those without, and nearly all pairs are strangers. An
    edit changes the length by one at most, and is at most two of the plain ones. `far` holds of no pair within `most`.
    """
    return (
        f"CASE WHEN abs(strlen({one}) - strlen({other})) > {most} THEN {MANY_EDITS} WHEN {far} THEN {MANY_EDITS}"
        f" WHEN levenshtein({one}, {other}) > {2 * most} THEN {MANY_EDITS} ELSE damerau_levenshtein({one}, {other}) END"
    )


def shape(text: str) -> str:
    """SQL: the last bytes of a text as a number, for `unlike`; NULL where they do not fit, or there are none."""
    return f"TRY_CAST(TRY_CAST(encode(right({text}, {ENDING})) AS BIT) AS UBIGINT)"


def unlike(one: str, other: str, shapes: tuple[str, str], most: int = FEW_EDITS) -> str:
    """SQL: two texts of one length whose shapes show that more than `most` edits lie between them.

    Where the length stays, an edit leaves at most one place whose byte is neither the one opposite nor the one beside
    it: a text moved along by one that came in agrees with its neighbour until one goes out.
    """
    x, y = shapes
    alone = " & ".join(_differing(bits) for bits in (f"xor({x}, {y})", f"xor({x}, {y} >> 8)", f"xor({x} >> 8, {y})"))
    return f"strlen({one}) = strlen({other}) AND bit_count({alone} & {_BUT_THE_FIRST}::UBIGINT) > {most}"


def _differing(bits: str) -> str:
    """SQL: the highest bit of each byte that is not 0."""
    return f"(((({bits}) & {_LOW_BITS}::UBIGINT) + {_LOW_BITS}::UBIGINT) | ({bits})) & {_HIGH_BITS}::UBIGINT"


def too_unlike(one: str, other: str, alike: str, most: int = FEW_EDITS) -> str:
    """SQL: two texts whose Jaro(–Winkler) similarity is below that of any two within `most` edits.

    Of the n bytes of the longer all but `most` have their like in the other, `most` places away at the furthest, where
    Jaro looks for it from n = 2 · most + 2 on; at worst all of them are out of order.
    """
    n = f"greatest(strlen({one}), strlen({other}))"
    least = f"(2.0 * ({n} - {most}) / {n} + 0.5) / 3 - {ROUNDING}"
    return f"{n} >= {2 * most + 2} AND {alike} < {least}"
