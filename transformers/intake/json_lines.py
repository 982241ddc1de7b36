"""JSON lines: one object a line; a line that is none is set aside with its number and the reason."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from backend.errors import UnreadableFile
from transformers.intake.encodings import Text, as_utf8, unescaped
from transformers.intake.json_values import JsonRows
from transformers.intake.reading import ROW_LIMIT, Reading, SourceFile, check_rows
from transformers.intake.repairs import RepairLog
from transformers.intake.widening import WideningWriter
from transformers.intake.writing import RejectWriter


class NoRowError(ValueError):
    """Why a line is no row, for the rejects file."""


def read_json_lines(file: SourceFile, rows: JsonRows | None = None) -> Reading:
    text, repairs, rows = as_utf8(file), RepairLog(), rows or JsonRows()
    decoder = rows.decoder()
    with WideningWriter(file) as table, RejectWriter(file.rejects_path) as rejects:
        for number, (at, line) in enumerate(_lines(text, rows.trouble), start=1):
            try:
                table.add(number, rows.cells(_object(line, decoder)), len(line))
            except NoRowError as error:
                rejects.add(number, f"Line {at:,}: {error}", line.rstrip("\r\n"))
                rows.trouble.add("rejected")
            while rows.trouble:
                repairs.note(rows.trouble.pop(), number)
        check_rows(table.rows, rejects.rows, "are not JSON objects")
        columns = table.finish(repairs)
    return Reading(columns, table.rows, repairs.repairs(), rejects.rows, text.encoding)


def _lines(text: Text, trouble: set[str]) -> Iterator[tuple[int, str]]:
    """Numbered lines, blank ones left out."""
    with text.open() as stream:
        for at, line in enumerate(iter(partial(stream.readline, ROW_LIMIT + 1), ""), start=1):
            if len(line) > ROW_LIMIT:
                raise UnreadableFile(f"Line {at:,} is longer than {ROW_LIMIT // 2**20} MiB.", line=at)
            mended = unescaped(line).replace("\0", "") if not text.is_clean else line
            if mended.strip():
                if mended != line:
                    trouble.add("nul_removed" if "\0" in line else "mixed_encoding")
                yield at, mended


def _object(line: str, decoder: json.JSONDecoder) -> dict[str, Any]:
    try:
        value = decoder.decode(line)
    except json.JSONDecodeError as error:
        raise NoRowError(f"not valid JSON at column {error.colno:,} ({error.msg}).") from error
    except RecursionError as error:
        raise NoRowError("nested too deeply.") from error
    if not isinstance(value, dict):
        raise NoRowError("valid JSON, but not an object.")
    return value
