"""What the chunker gives: a part of a document's text that is embedded and found as one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from transformers.documents.passage import Scalar


@dataclass(frozen=True, slots=True)
class Chunk:
    """`start` and `end` count characters in the document's cleaned text. Place and metadata are those of the passage
    in which the chunk begins; `last_page` is the page on which it ends.
    """

    id: str
    document: str
    index: int  # from 0, in the document's order
    text: str
    start: int
    end: int
    tokens: int
    page: int | None = None
    last_page: int | None = None
    headings: tuple[str, ...] = ()
    sheet: str | None = None
    row: int | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


def chunk_id(document: str, index: int, content: str) -> str:
    """SHA-256 in hex: the same chunk has the same id in every run, so that a second ingest replaces and adds nothing.

    The lengths keep (a, bc) from (ab, c).
    """
    name = document.encode("utf-8", "surrogatepass")
    text = content.encode("utf-8", "surrogatepass")
    return sha256(b"%d:%b%d:%b" % (len(name), name, index, text)).hexdigest()
