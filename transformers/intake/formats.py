"""What a file is, told from its content; its name only decides between look-alikes.

Raises UnsupportedFormat, naming what the file looks like, and UnreadableFile for an empty or locked one.
"""

import json
import re
import zipfile
from pathlib import Path
from typing import IO

from backend.errors import UnreadableFile, UnsupportedFormat
from transformers.intake.encodings import head_of, marked_encoding
from transformers.intake.zip_directory import LongDirectoryError, opened_archive

SIGNATURES = (
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a Linux program"),
    (b"MZ\x90\0", "a Windows program"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ\0", "an xz archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"ARROW1", "an Arrow file"),
    (b"FEA1", "a Feather file"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"{\\rtf", "an RTF document"),
)
# Of these the letters alone may begin a header (ORCID); what such a file holds behind them is no text.
LETTERS_ONLY = {b"GIF8", b"BZh", b"Rar!", b"ARROW1", b"FEA1", b"ORC"}
MARKUP = re.compile(r"\s*(<!doctype\s|<html|<\?xml|<head|<svg)", re.IGNORECASE)
LOOK_ALIKES = {"tsv": "csv", "csv": "tsv", "jsonl": "json", "json": "jsonl"}
PARQUET = b"PAR1"
ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# A text has hardly any; 26 is DOS's end of file, and 1 is a delimiter.
CONTROL = bytes({0, *range(2, 9), *range(14, 26), *range(28, 32), 127})
CONTROL_SHARE = 0.09  # a stray NUL in every tenth cell is still text; an image or a program has a fifth and more


def sniff_format(path: Path, name: str = "") -> str:
    """csv, tsv, json, jsonl, xlsx, xls or parquet. Delimited text is `tsv` only when its name says so."""
    found = sniff_head(head_of(path), name or path.name)
    if found == "xlsx":
        return archive_format(path)
    return _ole_format(path) if found == "xls" else found


def sniff_head(head: bytes, name: str) -> str:
    """As `sniff_format`, from the first HEAD bytes alone: of an archive or an old Office file they cannot say what is
    in it, so that it is taken for a workbook.
    """
    if not head.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise UnreadableFile("The file is empty: there is no text and no table in it.")
    if head.startswith(PARQUET) and (_controls(head) or head.endswith(PARQUET)):
        return "parquet"
    if head.startswith(ZIP):
        return "xlsx"
    if head.startswith(OLE):
        return "xls"
    _refuse_binary(head)
    return _text_format(_decoded(head), Path(name).suffix.lower())


def accepted_format(found: str, accepted: tuple[str, ...]) -> str:
    """What is found, or its look-alike: csv and tsv, json and jsonl, where only one of the two is taken."""
    if found in accepted:
        return found
    if LOOK_ALIKES.get(found) in accepted:
        return LOOK_ALIKES[found]
    raise UnsupportedFormat(
        f"The file is {found.upper()}; here one of these is needed: {', '.join(accepted)}.", found=found
    )


def archive_format(file: Path | IO[bytes]) -> str:
    """xlsx, or what the archive is instead is refused."""
    try:
        with opened_archive(file) as archive:
            names = set(archive.namelist())
    except LongDirectoryError as error:
        raise UnsupportedFormat(
            "The file looks like a ZIP archive of more files than a workbook has, which this tool does not read.",
            detail=repr(error),
        ) from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnreadableFile(
            "The file is a workbook or archive that is damaged or incomplete.", detail=repr(error)
        ) from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    raise UnsupportedFormat(f"The file looks like {_zip_kind(names)}, which this tool does not read.")


def _zip_kind(names: set[str]) -> str:
    if "xl/workbook.bin" in names:
        return "an Excel binary workbook (.xlsb)"
    if "content.xml" in names:
        return "an OpenDocument file (.ods, .odt)"
    if "word/document.xml" in names:
        return "a Word document"
    if "ppt/presentation.xml" in names:
        return "a PowerPoint presentation"
    return "a ZIP archive"


def _ole_format(path: Path) -> str:
    """The old Office container names its streams in UTF-16; which one is there tells what it is."""
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise UnreadableFile("The workbook is protected by a password. Save it without one and upload it again.")
    if any(stream.encode("utf-16-le") in content for stream in ("Workbook", "Book")):
        return "xls"
    raise UnsupportedFormat("The file looks like an old Office document that is no workbook.")


def _refuse_binary(head: bytes) -> None:
    if kind := binary_kind(head):
        raise UnsupportedFormat(f"The file looks like {kind}, not like a table.")


def binary_kind(head: bytes) -> str | None:
    """What a file is that is no text; None of a text."""
    kind = next((kind for signature, kind in SIGNATURES if _is_signed(head, signature)), None)
    if kind is None and marked_encoding(head)[0] in (None, "utf-8"):
        kind = "binary data" if _controls(head) > CONTROL_SHARE * len(head) else None
    return kind


def _is_signed(head: bytes, signature: bytes) -> bool:
    return head.startswith(signature) and (signature not in LETTERS_ONLY or _controls(head) > 0)


def _controls(head: bytes) -> int:
    return len(head) - len(head.translate(None, CONTROL))


def _decoded(head: bytes) -> str:
    encoding, start = marked_encoding(head)
    return head[start:].decode(encoding or "utf-8", errors="replace").replace("\0", "")


def _text_format(head: str, suffix: str) -> str:
    if MARKUP.match(head):
        raise UnsupportedFormat("The file looks like a web page or XML, not like a table.")
    if _begins_json(head):
        return _json_format(head, suffix)
    if suffix in (".json", ".jsonl", ".ndjson"):
        return "jsonl" if suffix != ".json" else "json"  # broken from the start: the reader says where
    return "tsv" if suffix in (".tsv", ".tab") else "csv"


def _begins_json(head: str) -> bool:
    """`[` alone may begin a CSV header too, so what follows must be JSON as well."""
    return re.match(r'\s*(\{\s*("|\}|$)|\[\s*([\[{"\]\d-]|true\b|false\b|null\b|$))', head) is not None


def _json_format(head: str, suffix: str) -> str:
    """One whole JSON value on the first line and another below it: JSON lines."""
    first, _, rest = head.lstrip().partition("\n")
    if rest.lstrip().startswith(("{", "[")) and _is_json(first):
        return "jsonl"
    one_line = suffix in (".jsonl", ".ndjson") and first.startswith("{")
    return "jsonl" if one_line else "json"


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
