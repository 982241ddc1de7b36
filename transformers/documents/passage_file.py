"""Passages on disk, one JSON object a line, so that neither reading nor chunking holds a whole document."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from transformers.documents.passage import Passage


@dataclass(frozen=True, slots=True)
class Extent:
    """How much was written."""

    passages: int
    characters: int


def write_passages(passages: Iterable[Passage], path: Path) -> Extent:
    """Raises what reading the passages raises; then the file is unfinished."""
    count = characters = 0
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for passage in passages:
            stream.write(json.dumps(asdict(passage), ensure_ascii=False) + "\n")
            count, characters = count + 1, characters + len(passage.text)
    return Extent(count, characters)


def read_passages(path: Path) -> Iterator[Passage]:
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            values = json.loads(line)
            yield Passage(**{**values, "headings": tuple(values["headings"])})
