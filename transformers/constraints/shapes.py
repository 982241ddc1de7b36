"""Shapes as the profile draws them (AA-99, Aa+ 9+) as regular expressions of the whole cell, in RE2's syntax."""

import re
from collections.abc import Sequence

from transformers.profiling.table_profile import Lengths

DRAWN_IN_FULL = 16  # characters: above it the profile draws runs together
CLASSES = {"A": r"\p{Lu}", "a": r"[\p{Ll}\p{Lo}\p{Lt}\p{Lm}]", "9": r"\p{Nd}"}
PYTHON = {  # the same classes where \p is unknown
    r"\p{Lu}": r"[^\W\d_a-z]",
    r"[\p{Ll}\p{Lo}\p{Lt}\p{Lm}]": r"[^\W\d_A-Z]",
    r"\p{Nd}": r"\d",
}


def pattern_of(shapes: Sequence[str], lengths: Lengths) -> str | None:
    """One expression for all of them; None where it would say too little, or where shapes are not told apart."""
    in_full = lengths.maximum <= DRAWN_IN_FULL
    if not shapes or not (in_full or lengths.minimum > DRAWN_IN_FULL) or lengths.maximum > 60:  # noqa: PLR2004  cut off there
        return None
    if not all(_tells_something(shape, in_full=in_full) for shape in shapes):
        return None
    return "|".join(_one(shape, in_full=in_full) for shape in shapes)


def as_python(pattern: str) -> str:
    for ours, theirs in PYTHON.items():
        pattern = pattern.replace(ours, theirs)
    return f"^(?:{pattern})$"


def _tells_something(shape: str, *, in_full: bool) -> bool:
    """A code has digits or signs; letters and spaces are words."""
    return re.search(r"[^Aa ]" if in_full else r"[^Aa+ ]", shape) is not None


def _one(shape: str, *, in_full: bool) -> str:
    form = r"(.)\1*" if in_full else r"([Aa9])\+|(.)"
    parts = []
    for found in re.finditer(form, shape, re.DOTALL):
        if in_full:
            character, n = found[1], len(found[0])
            parts.append(_class(character) + (f"{{{n}}}" if n > 1 else ""))
        else:
            parts.append(f"{CLASSES[found[1]]}{{2,}}" if found[1] else _class(found[2]))
    return "".join(parts)


def _class(character: str) -> str:
    return CLASSES.get(character) or re.sub(r"([^\w\s])", r"\\\1", character)
