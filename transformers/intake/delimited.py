"""Delimited text to a table: fast where the text is clean, careful where it is not; the cells are the same."""

import io
from collections.abc import Iterator
from functools import partial

from backend.errors import UnreadableFile
from transformers.intake.arrow_csv import TextTable, read_clean
from transformers.intake.dialects import Dialect, parse, sniff_dialect
from transformers.intake.encodings import ESCAPED, Text, as_utf8, unescaped
from transformers.intake.fitting import RowFitter
from transformers.intake.layouts import lay_out
from transformers.intake.naming import named_columns
from transformers.intake.reading import ROW_LIMIT, Reading, SourceFile, check_rows
from transformers.intake.records import EndlessRowError, Record, RecordReader, long_cells
from transformers.intake.repairs import RepairLog
from transformers.intake.writing import RejectWriter, TableWriter

SAMPLE_CHARACTERS = 128 * 1024  # some hundred rows
SAMPLE_LINES = 20  # at least, also where 10,000 columns make a line of 100 KB …
SAMPLE_LIMIT = 4 * 2**20  # … up to here


def read_delimited(file: SourceFile) -> Reading:
    text, repairs = as_utf8(file), RepairLog()
    with long_cells():
        table = _understood(text, repairs)
        rows, rejected = read_clean(file, table), 0
        if rows is None:
            rows, rejected = _read_carefully(file, table, repairs)
    check_rows(rows, rejected)
    _report_text(text, repairs)
    return Reading(table.columns, rows, repairs.repairs(), rejected, text.encoding, table.dialect.delimiter)


def _understood(text: Text, repairs: RepairLog) -> TextTable:
    sample = _sample(text)
    dialect = sniff_dialect(sample)
    rows = _sample_rows(sample, dialect)
    layout = lay_out(rows)
    header = None if layout.header is None else tuple(rows[len(layout.preamble)])
    return TextTable(text, dialect, layout.skipped, named_columns(layout, repairs), header)


def _sample(text: Text) -> str:
    """The first lines, whole ones, mended as the reader will mend them."""
    with text.open() as stream:
        sample = stream.read(SAMPLE_CHARACTERS)
        while sample.count("\n") + sample.count("\r") < SAMPLE_LINES and len(sample) < SAMPLE_LIMIT:
            if not (more := stream.read(SAMPLE_CHARACTERS)):
                break
            sample += more
        if stream.read(1):
            sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    return unescaped(sample).replace("\0", "")


def _sample_rows(sample: str, dialect: Dialect) -> list[list[str]]:
    rows = parse(sample, dialect)
    if not rows:
        raise UnreadableFile("The file is empty: there is no text and no table in it.")
    return rows[:-1] if len(sample) >= SAMPLE_CHARACTERS and len(rows) > 2 else rows  # noqa: PLR2004 (may be cut)


def _read_carefully(file: SourceFile, table: TextTable, repairs: RepairLog) -> tuple[int, int]:
    """Rows kept, rows rejected."""
    seen = set[str]()
    with (
        table.text.open() as stream,
        TableWriter(file.table_path, table.columns) as kept,
        RejectWriter(file.rejects_path) as rejects,
    ):
        records = RecordReader(_mended_lines(stream, table.text, seen), table.dialect, len(table.columns))
        rows = RowFitter(table, kept, rejects, repairs)
        for number, record in _numbered(records, table.skipped, is_list=len(table.columns) == 1):
            if record.is_blank:  # read before: what was done is done to the line behind it
                rows.add(number, record, set())
                continue
            rows.add(number, record, seen)
            seen.clear()
        rows.finish()
    return kept.rows, rejects.rows


def _numbered(records: RecordReader, skipped: int, *, is_list: bool) -> Iterator[tuple[int, Record]]:
    """Rows of data from 1; the preamble and the header have numbers below.

    A blank line is an empty cell of a list, unless it ends the file.
    """
    number, empty, before = -skipped, 0, ""
    try:
        for record in records:
            if is_list and record.is_blank and number >= 0 and before:
                empty += not (record.raw == "\r\n" and before.endswith("\r"))  # \r\r\n ends one line
                before = record.raw
                continue
            if record.is_blank or (number < 0 and not "".join(record.cells[:2]).strip() and len(record.cells) == 1):
                continue
            for _ in range(empty):
                number += 1
                yield number, Record([""], "\n")
            number, empty, before = number + 1, 0, record.raw
            if number > 0:
                yield number, record
    except EndlessRowError as error:
        raise UnreadableFile(
            f"Row {max(number + 1, 0):,} is longer than {ROW_LIMIT // 2**20} MiB: either one of its cells is that "
            "large, or it opens a quotation mark and never closes it.",
            row=number + 1,
        ) from error


def _mended_lines(stream: io.TextIOWrapper, text: Text, seen: set[str]) -> Iterator[str]:
    """Lines without NULs and foreign bytes; `seen` tells whoever takes a line what was done to it."""
    for line in iter(partial(stream.readline, ROW_LIMIT + 1), ""):
        mended = line
        if text.has_nuls and "\0" in line:
            mended = line.replace("\0", "")
            seen.add("nul_removed")
        if text.has_foreign_bytes and not line.isascii() and ESCAPED.search(line):
            mended = unescaped(mended)
            seen.add("mixed_encoding")
        yield mended


def _report_text(text: Text, repairs: RepairLog) -> None:
    if text.replaced:
        message = f"Bytes that {text.encoding} cannot explain: {text.replaced}. They were guessed or marked U+FFFD."
        repairs.tell("undecodable", message, text.replaced)
