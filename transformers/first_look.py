"""What the first and last bytes of an uploaded file say, before its task is queued: the same as intake says later.

Nothing is refused here that intake could read; what only the whole file shows is left to intake.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from backend.errors import CustomerError, UnreadableFile, UnsupportedFormat
from transformers.intake.encodings import HEAD
from transformers.intake.formats import OLE, PARQUET, ZIP, accepted_format, archive_format, binary_kind, sniff_head
from transformers.tool import InputRole

HEAD_BYTES = HEAD  # as many as intake looks at
_PDF_WITHIN = 1024  # bytes; where readers look for its mark
_CONTAINERS = {PARQUET: "a Parquet file", ZIP: "an archive or workbook", OLE: "an old Office file"}
_PACKED: Mapping[str, Callable[[bytes], bool]] = {  # documents that are no plain text, and how they begin
    "pdf": lambda head: b"%PDF-" in head[:_PDF_WITHIN],
    "docx": lambda head: head.startswith(ZIP),
    "xlsx": lambda head: head.startswith(ZIP),
}


def format_of(role: InputRole, filename: str, head: bytes) -> str:
    """What the file is by its first HEAD_BYTES, in the role's words: csv, xlsx …

    Raises:
        UnsupportedFormat, UnreadableFile: with the file's name in the sentence, and the role in the context.
    """
    with _named(role, filename):
        if role.is_table:
            return accepted_format(sniff_head(head, filename), role.formats)
        return _document_format(role, head, filename)


def look_into(role: InputRole, filename: str, file: IO[bytes]) -> str:
    """What the file is by all that can be seen without reading it through. Raises as `format_of` does."""
    found = format_of(role, filename, file.read(HEAD_BYTES))
    with _named(role, filename):
        if found == "xlsx":
            accepted_format(archive_format(file), role.formats)
        elif found == "parquet":
            _check_parquet_end(file)
    return found


def _document_format(role: InputRole, head: bytes, filename: str) -> str:
    """The agents read it as they like; but it is a text, or what its name says, where the role takes such."""
    if not head.strip():
        raise UnreadableFile("The file is empty: there is no text in it.")
    named = Path(filename).suffix.lower().removeprefix(".")
    if named in role.formats and (is_kind := _PACKED.get(named)) is not None:
        if not is_kind(head):
            raise UnreadableFile(f"The file is called .{named}, but its content is something else.")
        return named
    container = next((kind for signature, kind in _CONTAINERS.items() if head.startswith(signature)), None)
    if kind := container or binary_kind(head):
        raise UnsupportedFormat(f"The file looks like {kind}, not like a text.")
    return named


def _check_parquet_end(file: IO[bytes]) -> None:
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(0, size - len(PARQUET)))
    if size <= 2 * len(PARQUET) or file.read() != PARQUET:
        raise UnreadableFile("The Parquet file is damaged or incomplete.", detail="it does not end in PAR1")


@contextmanager
def _named(role: InputRole, filename: str) -> Iterator[None]:
    """A task may have several files: the sentence says which one is meant."""
    try:
        yield
    except CustomerError as error:
        sentence = str(error).replace("The file", repr(filename), 1)
        about = {"role": role.name, "filename": filename, **error.context}
        raise type(error)(sentence, detail=error.detail, **about) from error
