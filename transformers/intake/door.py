"""A customer's file in, a table out: sniff what it is, read it cell for cell, say what was mended.

Runs in the agent's child process. Whatever is wrong with the file is a CustomerError with a sentence for the
customer; paths and library messages stay in its `detail`.
"""

from pathlib import Path

from backend.errors import CustomerError
from transformers.intake.formats import accepted_format, sniff_format
from transformers.intake.reading import Reading, SourceFile
from transformers.tables import Table


def read_table(source: Path, *, role: str, name: str, accepted: tuple[str, ...], folder: Path) -> Table:
    """Writes `{role}.parquet` (and `{role}.rejects.parquet` if rows were set aside) into the folder.

    Raises UnsupportedFormat, UnreadableFile and FileTooLarge, with the file's name and role in the context.
    """
    file = SourceFile(path=source, name=name, role=role, folder=folder)
    try:
        file_format = accepted_format(sniff_format(file.path, file.name), accepted)
        reading = _read(file, file_format)
    except CustomerError as error:
        for unfinished in (file.table_path, file.rejects_path):
            unfinished.unlink(missing_ok=True)
        error.context = {"file": name, "role": role, **error.context}
        raise
    finally:
        file.spool_path.unlink(missing_ok=True)
    return _table(file, file_format, reading)


def _read(file: SourceFile, file_format: str) -> Reading:
    if file_format in ("csv", "tsv"):
        from transformers.intake.delimited import read_delimited

        return read_delimited(file)
    if file_format == "jsonl":
        from transformers.intake.json_lines import read_json_lines

        return read_json_lines(file)
    if file_format == "json":
        from transformers.intake.json_documents import read_json

        return read_json(file)
    if file_format == "parquet":
        from transformers.intake.parquet_files import read_parquet

        return read_parquet(file)
    from transformers.intake.workbooks import read_workbook

    return read_workbook(file)


def _table(file: SourceFile, file_format: str, reading: Reading) -> Table:
    return Table(
        role=file.role,
        name=file.name,
        path=file.table_path,
        format=file_format,
        rows=reading.rows,
        columns=reading.columns,
        size_bytes=file.path.stat().st_size,
        encoding=reading.encoding,
        delimiter=reading.delimiter,
        sheet=reading.sheet,
        repairs=reading.repairs,
        rejected_rows=reading.rejected_rows,
        rejects_path=file.rejects_path if reading.rejected_rows else None,
    )
