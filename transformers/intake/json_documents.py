"""A JSON document as a table: a list of objects or of lists, one list inside an object, columns, or a single object."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from backend.errors import FileTooLarge, UnreadableFile
from transformers.intake.encodings import Text, as_utf8
from transformers.intake.json_stream import LONGEST_VALUE, PIECE, JsonStream
from transformers.intake.json_values import JsonRows, json_text
from transformers.intake.reading import Reading, SourceFile, check_rows
from transformers.intake.repairs import RepairLog
from transformers.intake.widening import WideningWriter
from transformers.intake.writing import RejectWriter

Items = Iterator[tuple[Any, int]]


def read_json(file: SourceFile, rows: JsonRows | None = None) -> Reading:
    text, repairs, rows = as_utf8(file), RepairLog(), rows or JsonRows()
    stream = _stream(text, rows)
    if stream.peek() == "[":
        items = _rows_of_lists(stream.items(), repairs)
    elif field := _only_list_of_objects(text):
        message = f"The rows are the list “{field}” of the object; its other fields were left out."
        repairs.tell("json_list_used", message)
        items = _items_of(stream, field)
    else:
        items = _rows_of_object(_whole(stream, text))
    if text.has_foreign_bytes:  # their rows are not known: the text is mended before it is parsed
        repairs.tell("mixed_encoding", "The JSON has bytes that are not UTF-8. They were read as Windows-1252.")
    columns, kept, rejected = _write(file, items, rows, repairs, stream)
    return Reading(columns, kept, repairs.repairs(), rejected, text.encoding)


def _stream(text: Text, rows: JsonRows) -> JsonStream:
    return JsonStream(text.pieces(PIECE), rows.decoder())


def _only_list_of_objects(text: Text) -> str | None:
    """The field's name, if the document is an object with exactly one; looked for in a reading of its own."""
    stream = _stream(text, JsonRows())
    if stream.peek() != "{":
        return None
    found: set[str] = set()
    for field in stream.fields():
        if stream.peek() != "[":
            stream.value()
        elif {type(value) for value, _ in stream.items()} == {dict}:
            found.add(field)
    return found.pop() if len(found) == 1 else None


def _items_of(stream: JsonStream, wanted: str) -> Items:
    for field in stream.fields():
        if stream.peek() != "[":
            stream.value()
        elif field == wanted:
            yield from stream.items()
        else:
            for _ in stream.items():
                pass


def _whole(stream: JsonStream, text: Text) -> tuple[Any, int]:
    if text.path.stat().st_size > LONGEST_VALUE:
        raise FileTooLarge(
            f"A JSON file larger than {LONGEST_VALUE // 2**20} MiB must hold a list of objects, or be JSON lines; "
            "this one is a single object."
        )
    return stream.value()


def _write(
    file: SourceFile, items: Items, rows: JsonRows, repairs: RepairLog, stream: JsonStream
) -> tuple[tuple[str, ...], int, int]:
    with WideningWriter(file) as table, RejectWriter(file.rejects_path) as rejects:
        for number, (value, length) in enumerate(items, start=1):
            if isinstance(value, dict):
                table.add(number, rows.cells(value), length)
            else:
                rejects.add(number, f"Item {number:,} of the list is not an object.", json_text(value))
                rows.trouble.add("rejected")
            while rows.trouble:
                repairs.note(rows.trouble.pop(), number)
        stream.expect_end()
        if not table.rows and not rejects.rows:
            raise UnreadableFile("The JSON holds no rows.")
        check_rows(table.rows, rejects.rows, "are not JSON objects")
        return table.finish(repairs), table.rows, rejects.rows


def _rows_of_lists(items: Items, repairs: RepairLog) -> Items:
    """A list of lists has a header in its first list; a list of plain values is one column."""
    first = next(items, None)
    if first is None:
        return
    if isinstance(first[0], list):
        yield from _from_lists(first, items, repairs)
    elif isinstance(first[0], dict):
        yield from chain([first], items)
    else:
        repairs.tell("no_header", "The JSON is a list of plain values; its column was called value.")
        yield from (
            ({"value": value}, length) if not isinstance(value, dict | list) else (value, length)
            for value, length in chain([first], items)
        )


def _from_lists(first: tuple[Any, int], items: Items, repairs: RepairLog) -> Items:
    header = first[0]
    if not (header and all(type(cell) is str for cell in header) and len(set(header)) == len(header)):
        repairs.tell("no_header", "The lists have no header; the columns were called column_1, column_2 and so on.")
        header, items = [], chain([first], items)
    for value, length in items:
        if isinstance(value, list):
            names = header + [f"column_{at}" for at in range(len(header) + 1, len(value) + 1)]
            yield dict(zip(names, value, strict=False)), length
        else:
            yield value, length


def _rows_of_object(whole: tuple[Any, int]) -> Items:
    """{"a": [1, 2], "b": [3, 4]}, or one row."""
    document, length = whole
    if not isinstance(document, dict):
        raise UnreadableFile("The JSON is a single value, not a list of objects.")
    if not document:
        raise UnreadableFile("The JSON holds no rows.")
    return _from_columns(document, length) if _is_columns(document) else iter([whole])


def _is_columns(document: dict[str, Any]) -> bool:
    """Lists of one length, of plain values."""
    columns = list(document.values())
    if not all(isinstance(column, list) and column for column in columns):
        return False
    plain = not any(isinstance(cell, dict | list) for column in columns for cell in column)
    return plain and len(set(map(len, columns))) == 1


def _from_columns(document: dict[str, Any], length: int) -> Items:
    rows = list(zip(*document.values(), strict=True))
    return ((dict(zip(document, row, strict=True)), length // len(rows)) for row in rows)
