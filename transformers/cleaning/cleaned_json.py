"""The cleaned table as JSON: a list of objects, or one object a line.

A cell that nobody changed is written with the very text that the source has for it. A changed one is bare, a number or
a truth, only where its whole column is; else a string.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from transformers.cells.columns import LogicalType
from transformers.cells.kinds import has_form, literal
from transformers.cleaning.cleaned_file import Cleaned
from transformers.cleaning.json_as_written import AsWritten, as_written
from transformers.cleaning.windows import Window, from_parquet, windows_over
from transformers.tables import SOURCE_ROW, quoted

JSON_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?"
NO_JSON = "('NaN', 'Infinity', '-Infinity')"  # some writers write them bare; the standard knows no such numbers
BARE_TYPES = (LogicalType.INTEGER, LogicalType.DECIMAL, LogicalType.BOOLEAN)
RESHAPED = {"json_list_used", "no_header"}
Tree = dict[str, "Tree | str"]


def write(cleaned: Cleaned, path: Path) -> None:
    lines = cleaned.original.format == "jsonl"
    between = "\n" if lines else ",\n"
    _tell_what_differs(cleaned)
    with TemporaryDirectory(dir=path.parent) as folder, path.open("w", encoding="utf-8", newline="") as out:
        source = as_written(cleaned.db, cleaned.source, cleaned.original, Path(folder)) if cleaned.source else None
        out.write("" if lines else "[\n")
        first = True
        for line in _lines(cleaned, source):
            out.write(line if first else between + line)
            first = False
        out.write("\n" if lines else "\n]\n")


def _tell_what_differs(cleaned: Cleaned) -> None:
    original = cleaned.original
    if original.encoding not in (None, "utf-8"):
        cleaned.notes.append(f"The file is in UTF-8, as JSON is to be; it came in {original.encoding}.")
    if any(repair.kind in RESHAPED for repair in original.repairs):
        cleaned.notes.append("The file is a list of objects; it came in another shape.")


def _lines(cleaned: Cleaned, source: AsWritten | None) -> Iterator[str]:
    """A window of rows at a time, in their order."""
    line = f"{_object(_tree(cleaned, source))} AS line"
    windows = windows_over([cleaned.table.path])
    for done, window in enumerate(windows, start=1):
        rows = f"SELECT {line} FROM {_rows(cleaned, source, window)} ORDER BY f.{quoted(SOURCE_ROW)}"
        for batch in cleaned.db.sql(rows).to_arrow_reader(10_000):
            yield from batch["line"].to_pylist()
        cleaned.report_progress(done / len(windows))


def _rows(cleaned: Cleaned, source: AsWritten | None, window: Window) -> str:
    """SQL: the final rows f, and beside them what they were (o) and how the source writes that (w)."""
    paths = {"f": cleaned.table.path}
    if source is not None:
        paths |= {"o": cleaned.original.path, "w": source.path}
    parts = [f"(SELECT * FROM {from_parquet(path)} WHERE {window.holds}) {name}" for name, path in paths.items()]
    row = quoted(SOURCE_ROW)
    joins = [f"LEFT JOIN {part} ON f.{row} = {name}.{row}" for part, name in zip(parts[1:], "ow", strict=False)]
    return " ".join([parts[0], *joins])


def _tree(cleaned: Cleaned, source: AsWritten | None) -> Tree:
    """Names with dots become objects again, unless the source itself has such keys, or values beside the object."""
    tree: Tree = {}
    names, flat = set(cleaned.table.columns), []
    bare = source.bare if source else {c.name for c in cleaned.columns if c.logical in BARE_TYPES}
    for name in cleaned.table.columns:
        parts = name.split(".") if source else [name]
        prefixes = {".".join(parts[:end]) for end in range(1, len(parts))}
        own = source is not None and any(f".{key}." in f".{name}." for key in source.dotted)
        if not all(parts) or own or prefixes & names:
            parts = [name]
            flat += [name] if prefixes and not (source and name in source.dotted) else []
        branch = tree
        for part in parts[:-1]:
            branch = branch.setdefault(part, {})  # type: ignore[assignment]
        known = source is not None and name in cleaned.original.columns
        branch[parts[-1]] = _value(name, is_bare=name in bare, known=known)
    if flat:
        cleaned.notes.append(f"Keys written flat, though the source may nest them: {', '.join(flat)}.")
    return tree


def _value(name: str, *, is_bare: bool, known: bool) -> str:
    """SQL: the cell's JSON text; NULL where the source's row has no such key."""
    cell, changed = f"CAST(f.{quoted(name)} AS VARCHAR)", f"CAST(to_json(CAST(f.{quoted(name)} AS VARCHAR)) AS VARCHAR)"
    if is_bare:
        nested = f"({cell}[1] IN ('{{', '[') AND json_valid({cell}))"
        bare = f"{has_form(cell, JSON_NUMBER)} OR {cell} IN ('true', 'false') OR {nested}"
        changed = f"CASE WHEN {bare} THEN {cell} ELSE {changed} END"
    changed = f"coalesce({changed}, 'null')"
    if not known:
        return changed
    written = f"w.{quoted(name)}"
    kept = f"CASE WHEN {written} IN {NO_JSON} THEN '\"' || {written} || '\"' ELSE {written} END"
    same = f"{cell} IS NOT DISTINCT FROM CAST(o.{quoted(name)} AS VARCHAR)"
    return f"CASE WHEN {same} THEN {kept} ELSE {changed} END"


def _object(tree: Tree) -> str:
    return f"'{{' || {_pairs(tree)} || '}}'"


def _pairs(tree: Tree) -> str:
    pairs = [f"{literal(json.dumps(key, ensure_ascii=False) + ':')} || {_branch(one)}" for key, one in tree.items()]
    return f"concat_ws(',', {', '.join(pairs)})" if pairs else "''"


def _branch(one: "Tree | str") -> str:
    """An object of which nothing is there is not written."""
    return f"'{{' || nullif({_pairs(one)}, '') || '}}'" if isinstance(one, dict) else one
