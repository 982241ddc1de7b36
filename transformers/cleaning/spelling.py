"""How a text is spelled, as SQL: blanks, case, and words that stand for other words."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.cells.values import chunks
from transformers.tables import quoted

if TYPE_CHECKING:
    import duckdb

_UNSEEN = r"[\x{200B}\x{FEFF}\x{2060}]"
_OUTER = r"^[\s\p{Z}]+|[\s\p{Z}]+$"
_INNER = r"[ \t\p{Zs}]+"
NEEDS_TRIM = rf"^[\s\p{{Z}}]|[\s\p{{Z}}]$|{_UNSEEN}"
NEEDS_SPACING = r"[ \t\p{Zs}]{2,}|[\t\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]"
OTHER_THAN_ASCII = "strlen(@) <> length(@)"
# What has none of these needs none of the two: such a comparison costs a third of a pattern.
MAY_NEED_TRIM = f"({OTHER_THAN_ASCII} OR @ < '!' OR @[-1] <= ' ')"
MAY_NEED_SPACING = f"({OTHER_THAN_ASCII} OR contains(@, '  ') OR contains(@, chr(9)))"
_WORDS = r"[\p{L}\p{M}\p{N}'’]+|[^\p{L}\p{M}\p{N}'’]+"
COLUMNS_A_QUERY = 40


def trimmed(cell: str) -> str:
    """Without blanks of any kind at its ends, and without characters that nobody sees."""
    bare = f"regexp_replace(regexp_replace({cell}, {literal(_UNSEEN)}, '', 'g'), {literal(_OUTER)}, '', 'g')"
    return f"CASE WHEN {needs(cell, NEEDS_TRIM)} THEN {bare} ELSE {cell} END"


def spaced(cell: str) -> str:
    """One blank between words; lines stay lines."""
    single = f"regexp_replace({cell}, {literal(_INNER)}, ' ', 'g')"
    return f"CASE WHEN {needs(cell, NEEDS_SPACING)} THEN {single} ELSE {cell} END"


def needs(cell: str, pattern: str) -> str:
    return f"regexp_matches({cell}, {literal(pattern)})"


def cased(cell: str, strategy: str) -> str:
    if strategy == "lowercase":
        return f"lower({cell})"
    if strategy == "uppercase":
        return f"upper({cell})"
    words = f"regexp_extract_all(lower({cell}), {literal(_WORDS)})"
    return f"array_to_string(list_transform({words}, lambda word: upper(word[1]) || word[2:]), '')"


def replaced(cell: str, words: Mapping[str, str]) -> str:
    """Whole cells, whatever their case and the blanks around them."""
    known = {said.strip().lower(): meant for said, meant in words.items()}
    pairs = ", ".join(f"{literal(said)}: {literal(meant)}" for said, meant in sorted(known.items()))
    return f"coalesce(MAP {{{pairs}}}[lower(trim({cell}))], {cell})"


def worn(db: "duckdb.DuckDBPyConnection", columns: Sequence[str], conditions: Mapping[str, str]) -> dict[str, set[str]]:
    """For each condition, with @ for the cell: the columns of `primary` that have a cell for which it holds."""
    found: dict[str, set[str]] = {name: set() for name in conditions}
    for some in chunks(columns, COLUMNS_A_QUERY):
        asked = [(name, column) for column in some for name in conditions]
        holds = ", ".join(f"bool_or({conditions[name].replace('@', quoted(column))})" for name, column in asked)
        [answers] = db.execute(f'SELECT {holds} FROM "primary"').fetchall()
        for (name, column), holds_somewhere in zip(asked, answers, strict=True):
            if holds_somewhere:
                found[name].add(column)
    return found
