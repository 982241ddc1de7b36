"""Parquet keeps its own types; nested values become JSON text, bytes become text, and every row gets its number."""

import json
from typing import Any

from backend.errors import UnreadableFile
from transformers.intake.naming import unique_names
from transformers.intake.reading import Reading, SourceFile, blames_the_machine, check_width
from transformers.intake.repairs import RepairLog
from transformers.intake.writing import RowGroupSink
from transformers.tables import SOURCE_ROW

BATCH_ROWS = 20_000
READ_AHEAD = 2**20  # bytes a column chunk is read by, instead of all of it at once
EARLIEST, LATEST = -9_223_372_022_400_000_000, 2**63 - 1  # microseconds around 1970: what a database holds
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
OUT_OF_RANGE = "The Parquet file holds values, such as dates, that are out of any range."


def read_parquet(file: SourceFile) -> Reading:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file.path, buffer_size=READ_AHEAD, pre_buffer=False) as parquet:
            return _read(file, parquet)
    except (pa.ArrowException, OSError) as error:
        if blames_the_machine(error):
            raise
        raise UnreadableFile("The Parquet file is damaged or incomplete.", detail=repr(error)) from error


def _read(file: SourceFile, parquet: Any) -> Reading:
    import pyarrow as pa

    fields, repairs = list(parquet.schema_arrow), RepairLog()
    if not parquet.metadata.num_rows or not fields:
        raise UnreadableFile("The Parquet file has no rows.")
    check_width(len(fields))
    columns = unique_names([field.name for field in fields], repairs)
    _report_types(fields, repairs)
    types = [_kept_type(field.type) for field in fields]
    schema = pa.schema([*zip(columns, types, strict=True), (SOURCE_ROW, pa.int64())])
    with RowGroupSink(file.table_path, schema) as sink:
        for batch in parquet.iter_batches(batch_size=max(1, min(BATCH_ROWS, 400_000 // len(fields)))):
            _check_values(batch)
            cells = [_converted(column, kept) for column, kept in zip(batch.columns, types, strict=True)]
            _check_moments(cells)
            numbers = pa.array(range(sink.rows + 1, sink.rows + batch.num_rows + 1), pa.int64())
            sink.write(pa.record_batch([*cells, numbers], schema=schema))
    return Reading(columns, sink.rows, repairs.repairs())


def _check_values(batch: Any) -> None:
    """The reader takes a column's word that it is text, and the first who looks at a cell would fall over it."""
    import pyarrow as pa

    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        raise UnreadableFile(
            "The Parquet file holds values that are none of their column's type, such as text that is not UTF-8. "
            "Write it anew.",
            detail=repr(error),
        ) from error


def _check_moments(cells: list[Any]) -> None:
    """A file may count seconds or milliseconds farther than the agents' database counts microseconds."""
    from pyarrow import types

    for cell in cells:
        if types.is_timestamp(cell.type) and not _is_in_range(cell):
            raise UnreadableFile(OUT_OF_RANGE, detail=f"{cell.type} beyond microseconds of 64 bits")


def _is_in_range(moments: Any) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    unit, counts = moments.type.unit, moments.view(pa.int64())
    if unit == "us":
        counts = counts.filter(pc.not_equal(counts, -LATEST))  # a database's own minus infinity
    ends = [end for end in pc.min_max(counts).as_py().values() if end is not None]
    return all(EARLIEST <= end * PER_SECOND["us"] // PER_SECOND[unit] <= LATEST for end in ends)


def _kept_type(found: Any) -> Any:
    """Its own, if a database has it too; otherwise text."""
    from pyarrow import string, types

    if types.is_dictionary(found):
        return _kept_type(found.value_type)
    if types.is_null(found) or types.is_nested(found) or _is_bytes(found) or _is_rare(found):
        return string()
    return found


def _is_bytes(found: Any) -> bool:
    from pyarrow import types

    return bool(types.is_binary(found) or types.is_large_binary(found) or types.is_fixed_size_binary(found))


def _is_rare(found: Any) -> bool:
    """DuckDB reads durations as plain integers, and has no decimals above 38 digits."""
    from pyarrow import BaseExtensionType, types

    return bool(types.is_duration(found) or types.is_decimal256(found) or isinstance(found, BaseExtensionType))


def _converted(column: Any, kept: Any) -> Any:
    import pyarrow as pa

    found = column.type
    if found == kept:
        return column
    if pa.types.is_dictionary(found):
        return _converted(column.dictionary_decode(), kept)
    if pa.types.is_nested(found) or _is_bytes(found) or _is_rare(found):
        return pa.array(_texts(column), pa.string())
    return column.cast(kept)


def _texts(column: Any) -> list[str | None]:
    try:
        return [_text(value) for value in column.to_pylist()]
    except (OverflowError, ValueError) as error:  # a nested date after the year 9999
        raise UnreadableFile(OUT_OF_RANGE, detail=repr(error)) from error


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return _text_of_bytes(value)
    if isinstance(value, list | dict):
        return json.dumps(value, default=_text, ensure_ascii=False)
    return str(value)


def _text_of_bytes(value: bytes) -> str:
    """Older writers store text as bytes; other bytes are shown in hexadecimal."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _report_types(fields: list[Any], repairs: RepairLog) -> None:
    from pyarrow import types

    nested = [field.name for field in fields if types.is_nested(field.type)]
    if nested:
        repairs.tell("nested_to_json", f"Columns with nested values, now JSON text: {', '.join(nested)}.", len(nested))
    other = [field.name for field in fields if _is_bytes(field.type) or _is_rare(field.type)]
    if other:
        repairs.tell("converted_to_text", f"Columns of bytes or rare types, now text: {', '.join(other)}.", len(other))
