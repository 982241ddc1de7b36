"""The cleaned table as JSON: a list of objects, or one object a line; what was a number in the source is one again."""

import re
from pathlib import Path

from transformers.cells.columns import LogicalType
from transformers.cells.kinds import has_form, literal
from transformers.cleaning.cleaned_file import Cleaned
from transformers.intake.encodings import head_of
from transformers.tables import quoted

JSON_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?"
BARE_TYPES = (LogicalType.INTEGER, LogicalType.DECIMAL, LogicalType.BOOLEAN)
Tree = dict[str, "Tree | str"]


def write(cleaned: Cleaned, path: Path) -> None:
    head = head_of(cleaned.source).decode("utf-8", errors="replace") if cleaned.source else ""
    lines = cleaned.original.format == "jsonl"
    between = "\n" if lines else ",\n"
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write("" if lines else "[\n")
        first = True
        for rows in cleaned.batches(f"{_object(_tree(cleaned, head))} AS line"):
            for line in rows["line"].to_pylist():
                out.write(line if first else between + line)
                first = False
        out.write("\n" if lines else "\n]\n")


def _tree(cleaned: Cleaned, head: str) -> Tree:
    """Names with dots become objects again, unless the source itself has such a name."""
    tree: Tree = {}
    names = set(cleaned.table.columns)
    bare = {column.name for column in cleaned.columns if column.logical in BARE_TYPES}
    for name in cleaned.table.columns:
        parts = name.split(".")
        prefixes = {".".join(parts[:end]) for end in range(1, len(parts))}
        if f'"{name}"' in head or not all(parts) or prefixes & names or not cleaned.source:
            parts = [name]
        branch = tree
        for part in parts[:-1]:
            branch = branch.setdefault(part, {})  # type: ignore[assignment]
        branch[parts[-1]] = _value(name, was_bare=_was_bare(head, parts[-1], name in bare))
    return tree


def _was_bare(head: str, key: str, by_type: bool) -> bool:  # noqa: FBT001 (what the column's type says)
    """Whether the source writes this key's values without quotes; the type decides where its beginning has none."""
    values = set(re.findall(rf'"{re.escape(key)}"\s*:\s*([-0-9tf\[{{"])', head))
    return '"' not in values if values else by_type


def _value(name: str, *, was_bare: bool) -> str:
    cell = f"CAST({quoted(name)} AS VARCHAR)"
    if not was_bare:
        return f"to_json({cell})"
    bare = f"{has_form(cell, JSON_NUMBER)} OR {cell} IN ('true', 'false')"
    nested = f"({cell}[1] IN ('{{', '[') AND json_valid({cell}))"
    return f"CASE WHEN {bare} OR {nested} THEN CAST({cell} AS JSON) ELSE to_json({cell}) END"


def _object(tree: Tree) -> str:
    pairs = (f"{literal(key)}, {_object(one) if isinstance(one, dict) else one}" for key, one in tree.items())
    return f"json_object({', '.join(pairs)})"
