"""Reading a document in one call, and the ways its file is made."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import docx

from backend.errors import CustomerError
from transformers.documents.passage import Passage
from transformers.documents.reading import read_document

BODY = "word/document.xml"
TAGLESS = b"<w:p><w:r><w:t>%b</w:t></w:r></w:p>"


def read(folder: Path, name: str, content: bytes | str) -> list[Passage]:
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_document(path, name, folder))


def text_of(folder: Path, name: str, content: bytes | str) -> str:
    passages = read(folder, name, content)
    return "".join(passage.joint * bool(at) + passage.text for at, passage in enumerate(passages))


def refusal(folder: Path, name: str, content: bytes | str) -> CustomerError:
    try:
        read(folder, name, content)
    except CustomerError as error:
        return error
    raise AssertionError(f"{name} was read")


def word_file(build: Callable[[docx.document.Document], object] = lambda _: None) -> bytes:
    document = docx.Document()
    build(document)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def with_body(xml: bytes) -> bytes:
    """A Word document of these elements."""
    return changed(word_file(), {BODY: lambda part: part.replace(b"<w:body>", b"<w:body>" + xml)})


def changed(
    archive: bytes, parts: Mapping[str, Callable[[bytes], bytes]], new: Mapping[str, bytes] | None = None
) -> bytes:
    """The same archive with some of its parts written anew, and others added."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in old.namelist():
            target.writestr(name, parts.get(name, bytes)(old.read(name)))
        for name, content in (new or {}).items():
            target.writestr(name, content)
    return file.getvalue()
