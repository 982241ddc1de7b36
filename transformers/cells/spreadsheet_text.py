"""The CSV files that we author: a spreadsheet that opens one computes none of the customer's cells.

Text that would be a formula gets an apostrophe in front, in cells and in headings (OWASP, CSV injection). What is only
a figure stays one: -12.5 and +49 30 1234 call no function and name no cell. Files that are the customer's own data,
given back in its own format, are not written here: there every cell is as it came.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.tables import quoted

if TYPE_CHECKING:
    import duckdb

_BEGINS = r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]"
_FIGURE = r"\s*[-+]* *([0-9][0-9 .,:/()%-]*([eE][-+]?[0-9]+)?)?\s*"


def write_csv(
    db: "duckdb.DuckDBPyConnection", query: str, path: Path, *, header: bool = True, values: Sequence[object] = ()
) -> None:
    """UTF-8, commas. `values` are for the question marks in `query`."""
    described = db.execute(f"DESCRIBE {query}", list(values)).fetchall()
    cells = [
        f"{shielded(quoted(name)) if kind == 'VARCHAR' else quoted(name)} AS {quoted(_shielded_name(name))}"
        for name, kind, *_ in described
    ]
    db.execute(
        f"COPY (SELECT {', '.join(cells)} FROM ({query})) TO {literal(str(path))} (FORMAT csv, HEADER {header})",
        list(values),
    )


def shielded(text: str) -> str:
    """SQL: the text, with an apostrophe where a spreadsheet would compute it."""
    return f"CASE WHEN {_is_formula(text)} THEN '''' || {text} ELSE {text} END"


def unshielded(text: str) -> str:
    """SQL: the text that `shielded` was given, but for one that had the apostrophe already."""
    bare = f"substr({text}, 2)"
    return f"CASE WHEN starts_with({text}, '''') AND {_is_formula(bare)} THEN {bare} ELSE {text} END"


def _is_formula(text: str) -> str:
    return f"(regexp_matches({text}, {literal(_BEGINS)}) AND NOT regexp_full_match({text}, {literal(_FIGURE)}))"


def _shielded_name(name: str) -> str:
    return f"'{name}" if re.search(_BEGINS, name) and not re.fullmatch(_FIGURE, name) else name
