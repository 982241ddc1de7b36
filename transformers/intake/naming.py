"""Column names that a database can hold: trimmed, never empty, unique whatever their case."""

from collections.abc import Sequence

from transformers.intake.layouts import Layout
from transformers.intake.reading import check_width
from transformers.intake.repairs import RepairLog
from transformers.tables import SOURCE_ROW

NAMES_SHOWN = 5  # in the repair's sentence
LINES_SHOWN = 20
LINE_SHOWN = 300  # characters


def named_columns(layout: Layout, repairs: RepairLog) -> tuple[str, ...]:
    """The names of a table without types of its own; reports what stood above it, or that it has no header."""
    check_width(layout.width)
    if layout.preamble:
        count = len(layout.preamble)
        shown = "; ".join(f"“{line[:LINE_SHOWN]}”" for line in layout.preamble[:LINES_SHOWN] if line)
        message = f"Rows above the table that are not part of it: {count}. They were skipped. {shown}".strip()
        repairs.tell("preamble_skipped", message, count)
    if layout.header is not None and layout.header_rows > 1:
        message = f"The header has {layout.header_rows} rows; the cells of a column were joined to its name."
        repairs.tell("multi_row_header", message, layout.header_rows)
    if layout.header is None:
        repairs.tell("no_header", "The table has no header; its columns were called column_1, column_2 and so on.")
    return unique_names(layout.wanted_names, repairs)


def unique_names(wanted: Sequence[str], repairs: RepairLog) -> tuple[str, ...]:
    """DuckDB's identifiers ignore case, so `Name` and `name` cannot both stay."""
    trimmed = [name.strip() for name in wanted]
    reserved = {name.casefold() for name in trimmed}
    taken = {SOURCE_ROW}
    names = [_free(name, position, taken, reserved) for position, name in enumerate(trimmed, start=1)]
    _report(wanted, names, repairs)
    return tuple(names)


def _free(name: str, position: int, taken: set[str], reserved: set[str]) -> str:
    """The first of name, name_2, name_3 … that nobody has, nor any later column wants for itself."""
    candidate = base = name or f"column_{position}"
    suffix = 1
    while candidate.casefold() in taken or (candidate != name and candidate.casefold() in reserved):
        suffix += 1
        candidate = f"{base}_{suffix}"
    taken.add(candidate.casefold())
    return candidate


def _report(wanted: Sequence[str], names: Sequence[str], repairs: RepairLog) -> None:
    renamed = [f"“{old}” → “{new}”" for old, new in zip(wanted, names, strict=True) if old != new]
    if renamed:
        shown = ", ".join(renamed[:NAMES_SHOWN]) + (", …" if len(renamed) > NAMES_SHOWN else "")
        message = f"Column names that were empty, repeated or padded with spaces: {len(renamed)}. {shown}"
        repairs.tell("renamed_column", message, len(renamed))
