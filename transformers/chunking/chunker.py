"""Passages in, chunks out: deterministic, in the document's order, holding no more than one flow of text at once."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from transformers.chunking.chunk import Chunk, chunk_id
from transformers.chunking.splitting import by_sentence, fixed, recursive
from transformers.chunking.windows import Window
from transformers.documents.passage import Passage

SMALLEST_SIZE = 32  # tokens: less is no context, and no word is longer
LARGEST_SIZE = 8_191  # tokens that OpenAI's embedding models read; others read less
FLOW = 500_000  # characters joined at once: the splitter's time per character grows beyond a million


class ChunkerForm(StrEnum):
    RECURSIVE = "recursive"
    SENTENCE = "sentence"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Chunker:
    """How a collection's documents are cut; sizes in tokens. Raises ValueError for sizes that make no chunks."""

    form: ChunkerForm = ChunkerForm.RECURSIVE
    size: int = 512
    overlap: int = 50

    def __post_init__(self) -> None:
        if not SMALLEST_SIZE <= self.size <= LARGEST_SIZE:
            raise ValueError(f"A chunk's size must be between {SMALLEST_SIZE} and {LARGEST_SIZE:,} tokens.")
        if not 0 <= self.overlap <= self.size // 2:
            raise ValueError("Chunks may overlap by at most half of their size.")

    def chunks(self, document: str, passages: Iterable[Passage]) -> Iterator[Chunk]:
        """Of one document, whose passages come as `read_document` gives them."""
        index = 0
        for flow in _flows(passages):
            for window in self._windows(flow):
                yield flow.chunk(document, index, window)
                index += 1

    def _windows(self, flow: "_Flow") -> Iterator[Window]:
        match self.form:
            case ChunkerForm.FIXED:
                return fixed(flow.text, self.size, self.overlap)
            case ChunkerForm.SENTENCE:
                return by_sentence(flow.text, self.size, self.overlap)
            case ChunkerForm.RECURSIVE:
                is_markdown = flow.passages[0].is_markdown
                return recursive(flow.text, self.size, self.overlap, is_markdown=is_markdown)


@dataclass(slots=True)
class _Flow:
    """Passages that are cut as one text, which begins at `offset` of the document's."""

    offset: int
    passages: list[Passage] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    text: str = ""

    def chunk(self, document: str, index: int, window: Window) -> Chunk:
        start, end, tokens = window
        first = self.passages[bisect_right(self.starts, start) - 1]
        last = self.passages[bisect_right(self.starts, end - 1) - 1]
        text = self.text[start:end]
        return Chunk(
            id=chunk_id(document, index, text),
            document=document,
            index=index,
            text=text,
            start=self.offset + start,
            end=self.offset + end,
            tokens=tokens,
            page=first.page,
            last_page=last.page,
            headings=first.headings,
            sheet=first.sheet,
            row=first.row,
            metadata=first.metadata,
        )


def _flows(passages: Iterable[Passage]) -> Iterator[_Flow]:
    """A new one for each row, and where one has grown long."""
    waiting: list[Passage] = []
    offset = length = 0
    for passage in passages:
        if waiting and (passage.stands_alone or waiting[0].stands_alone or length > FLOW):
            flow = _joined(waiting, offset)
            yield flow
            offset += len(flow.text) + len(passage.joint)
            waiting, length = [], 0
        waiting.append(passage)
        length += len(passage.text)
    if waiting:
        yield _joined(waiting, offset)


def _joined(passages: list[Passage], offset: int) -> _Flow:
    parts: list[str] = []
    starts: list[int] = []
    length = 0
    for passage in passages:
        joint = passage.joint if parts else ""
        starts.append(length + len(joint))
        parts += (joint, passage.text)
        length += len(joint) + len(passage.text)
    return _Flow(offset, passages, starts, "".join(parts))
