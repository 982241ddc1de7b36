"""Which kind of document a file is: its content says so; its name decides between kinds of text, and must agree."""

import re
import zipfile
from enum import StrEnum
from pathlib import Path

from backend.errors import UnreadableFile, UnsupportedFormat
from transformers.intake.encodings import head_of, marked_encoding
from transformers.intake.formats import OLE, ZIP, binary_kind
from transformers.intake.zip_directory import opened_archive


class DocumentFormat(StrEnum):
    TXT = "txt"
    MD = "md"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


SUFFIXES = {
    ".txt": DocumentFormat.TXT, ".text": DocumentFormat.TXT,
    ".md": DocumentFormat.MD, ".markdown": DocumentFormat.MD,
    ".html": DocumentFormat.HTML, ".htm": DocumentFormat.HTML, ".xhtml": DocumentFormat.HTML,
    ".pdf": DocumentFormat.PDF, ".docx": DocumentFormat.DOCX, ".xlsx": DocumentFormat.XLSX,
    ".csv": DocumentFormat.CSV, ".tsv": DocumentFormat.CSV, ".tab": DocumentFormat.CSV,
    ".jsonl": DocumentFormat.JSONL, ".ndjson": DocumentFormat.JSONL,
}  # fmt: skip
PLAIN = frozenset(DocumentFormat) - {DocumentFormat.PDF, DocumentFormat.DOCX, DocumentFormat.XLSX}
PDF_MARK, PDF_MARK_WITHIN = b"%PDF-", 1024  # bytes; Acrobat looks as far for it
# Comments are passed over once and for good: to try each of their ends anew takes 2^n steps.
WEB_PAGE = re.compile(
    r"\s*(?>(?:<!--.*?-->\s*)*)(<\?xml[^>]*>\s*)?(<!doctype\s+html|<html|<head|<body)", re.IGNORECASE | re.DOTALL
)
XML = re.compile(r"\s*<\?xml|\s*<!doctype|\s*<svg", re.IGNORECASE)
MACROS = "xl/vbaProject.bin", "word/vbaProject.bin"


def sniff_document(path: Path, name: str) -> DocumentFormat:
    """Raises UnsupportedFormat for other kinds, UnreadableFile for a file that is empty, locked or misnamed."""
    head = head_of(path)
    if not head.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise UnreadableFile("The document is empty: there is no text in it.")
    suffix = Path(name).suffix.lower()
    named, found = SUFFIXES.get(suffix), _found(path, head)
    if named is None:
        return found or _unnamed_text(head, suffix)
    if found is None and named in PLAIN:
        return named
    if found != named:
        what = "a text file" if found is None else f"a {found.upper()} file"
        raise UnreadableFile(f"The file's name ends in “{suffix}”, but its content is that of {what}.")
    return named


def _found(path: Path, head: bytes) -> DocumentFormat | None:
    """None of a text."""
    if PDF_MARK in head[:PDF_MARK_WITHIN]:
        return DocumentFormat.PDF
    if head.startswith(ZIP):
        return _office_format(path)
    if head.startswith(OLE):
        _refuse_old_office(path)
    if kind := binary_kind(head):
        raise UnsupportedFormat(f"The file looks like {kind}, not like a document with text.")
    return None


def _office_format(path: Path) -> DocumentFormat:
    try:
        with opened_archive(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise UnreadableFile("The file is damaged or incomplete.", detail=repr(error)) from error
    if "word/document.xml" in names:
        return DocumentFormat.DOCX
    if "xl/workbook.xml" in names:
        return DocumentFormat.XLSX
    raise UnsupportedFormat("The file looks like an archive that is neither a Word document nor an Excel workbook.")


def _refuse_old_office(path: Path) -> None:
    if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        raise UnreadableFile("The document is protected by a password. Save it without one and upload it again.")
    raise UnsupportedFormat("The file looks like an old Office document; save it as .docx or .xlsx.")


def _unnamed_text(head: bytes, suffix: str) -> DocumentFormat:
    encoding, start = marked_encoding(head)
    text = head[start:].decode(encoding or "utf-8", errors="replace")
    if WEB_PAGE.match(text):
        return DocumentFormat.HTML
    if XML.match(text) or suffix == ".json":
        kind = "JSON" if suffix == ".json" else "XML"
        raise UnsupportedFormat(f"The file is {kind}; documents may be {', '.join(DocumentFormat)}.", found=kind)
    return DocumentFormat.TXT
