"""What a customer's regular expression may be: RE2's, which takes time linear in the cell, whatever the pattern.

The form refuses what RE2 certainly does not know, without loading DuckDB; the run asks DuckDB itself.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from backend.errors import BadParameters

if TYPE_CHECKING:
    import duckdb

LONGEST_PATTERN = 1000
_ESCAPED = re.compile(r"\\[^1-9]", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
_NOT_LINEAR = re.compile(r"\(\?(=|!|<=|<!|>|\(|P=)|\\[1-9]|[*+?]\+")

_WRONG_EVERYWHERE = ("missing )", "unbalanced parenthesis", "bad escape (end of pattern)")


def fault_of(pattern: str) -> str | None:
    """Why RE2 will refuse it, as far as that shows from outside; None where it may take it."""
    if len(pattern) > LONGEST_PATTERN:
        return f"is longer than {LONGEST_PATTERN:,} characters"
    if "\0" in pattern:
        return "holds a NUL character"
    bare = _CLASS.sub("x", _ESCAPED.sub("x", pattern))
    if _NOT_LINEAR.search(bare):
        return "looks around, refers back or is possessive, which is not offered: such patterns can take for ever"
    return None if r"\Q" in pattern else _syntax_fault(bare)


def _syntax_fault(bare: str) -> str | None:
    """Only what is wrong in RE2 as it is in Python: it knows signs that Python does not."""
    if "[" in bare:
        return "is not a valid regular expression: a character class has no end"
    try:
        re.compile(bare)
    except re.error as error:
        if error.msg.startswith(_WRONG_EVERYWHERE) or (error.pos == 0 and bare[:1] in set("*+?")):
            return f"is not a valid regular expression: {error.msg}"
    return None


def no_faults(patterns: Mapping[str, str]) -> None:
    """Raises ValueError, for a form's validator."""
    for name, pattern in patterns.items():
        fault = fault_of(pattern)
        if fault:
            raise ValueError(f"the pattern of {name!r} {fault}")


def check(db: "duckdb.DuckDBPyConnection", parameter: str, patterns: Mapping[str, str]) -> None:
    """Raises BadParameters for a pattern that RE2 does not take."""
    import duckdb

    for name, pattern in patterns.items():
        try:
            db.execute("SELECT regexp_full_match('', $1)", [pattern]).fetchall()
        except duckdb.Error as error:
            raise BadParameters(
                f"{parameter}: {name}: {pattern!r} is not a valid regular expression.",
                field=parameter,
                detail=str(error),
            ) from error
