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


def fault_of(pattern: str) -> str | None:
    """Why RE2 will refuse it, as far as that shows from outside; None where it may take it."""
    if len(pattern) > LONGEST_PATTERN:
        return f"is longer than {LONGEST_PATTERN:,} characters"
    if "\0" in pattern:
        return "holds a NUL character"
    if _NOT_LINEAR.search(_CLASS.sub("x", _ESCAPED.sub("x", pattern))):
        return "looks around, refers back or is possessive, which is not offered: such patterns can take for ever"
    return None


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
