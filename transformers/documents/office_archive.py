"""Is it safe to open this .docx or .xlsx? It is a ZIP of XML, which can be a bomb twice over.

The ZIP's own figures can lie, so every part is unpacked here once, in small pieces, and counted. Nothing in an
honest one has a document type: entities, which grow without end or name other files, are declared nowhere else.
"""

import re
import zipfile
from pathlib import Path

from backend.errors import FileTooLarge, UnreadableFile
from transformers.intake.reading import blames_the_machine
from transformers.intake.workbook_archive import DAMAGE, PIECE, RATIO_LIMIT, RATIO_MATTERS
from transformers.intake.zip_directory import EXCELS_WAYS, opened_archive

MOST_PARTS = 10_000  # a document of a thousand images has two thousand
XML_LIMIT = 30 * 2**20  # bytes of one part that becomes a tree in memory, of ten times its size: a book has five MiB
UNPACKED_LIMIT = 200 * 2**20  # bytes of all parts of a document; python-docx holds them all, the images too
DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
LONGEST_MARK = 64  # bytes kept from the piece before, so that a mark cut in two is seen
XML_SUFFIXES = (".xml", ".rels", ".vml")


def check_office_archive(path: Path, *, unpacked_limit: int, xml_limit: int) -> None:
    """Raises FileTooLarge for a bomb, UnreadableFile for a damaged or locked archive and for XML with a DTD."""
    try:
        with opened_archive(path) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS:
                raise FileTooLarge(f"The document has {len(parts):,} parts; {MOST_PARTS:,} may be opened.")
            _check_size(parts, path, unpacked_limit)
            for part in parts:
                _check_part(archive, part, xml_limit)
    except DAMAGE as error:
        if blames_the_machine(error):
            raise
        raise UnreadableFile("The document is damaged or incomplete.", detail=repr(error)) from error
    except RuntimeError as error:  # zipfile's way to say that a part is encrypted
        raise UnreadableFile(
            "The document is protected by a password. Save it without one and upload it again.", detail=repr(error)
        ) from error


def _check_size(parts: list[zipfile.ZipInfo], path: Path, unpacked_limit: int) -> None:
    packed, unpacked = max(1, path.stat().st_size), sum(part.file_size for part in parts)
    if unpacked > unpacked_limit or (unpacked > RATIO_MATTERS and unpacked > RATIO_LIMIT * packed):
        raise FileTooLarge(
            f"The document unpacks from {packed / 2**20:,.1f} MiB to {unpacked / 2**20:,.0f} MiB, which is more than "
            "is safe to open.",
            unpacked_bytes=unpacked,
        )


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, xml_limit: int) -> None:
    """Python stops at the declared size and then finds the checksum wrong if more was hidden."""
    if part.compress_type not in EXCELS_WAYS:
        raise zipfile.BadZipFile("it is packed in a way that Office does not know")
    is_xml = part.filename.lower().endswith(XML_SUFFIXES)
    tail = b""
    with archive.open(part) as stream:
        piece = stream.read(PIECE)
        if part.file_size > xml_limit and (is_xml or _looks_like_xml(piece)):
            raise FileTooLarge(f"The document has {part.file_size / 2**20:,.0f} MiB of text and layout; split it.")
        while piece:
            shown = tail + piece.replace(b"\0", b"")  # XML in UTF-16, which Office does not write, hides nothing
            if is_xml and DOCTYPE.search(shown):
                raise UnreadableFile("The document's XML declares entities, which no honest one does: it is not read.")
            tail, piece = shown[-LONGEST_MARK:], stream.read(PIECE)


def _looks_like_xml(start: bytes) -> bool:
    """The document's own list of contents may say that a part of any name is XML, and python-docx believes it."""
    return start.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<")
