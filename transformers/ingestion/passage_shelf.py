"""The text of a collection's documents on disk between two steps: one JSON line a passage, document after document."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, TextIO

from transformers.documents.passage import Passage

KIND = "passages"


class ShelfWriter:
    """Takes documents one by one; of one that cannot be read to its end nothing stays."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def add(self, document: str, passages: Iterable[Passage]) -> int:
        """How many characters of text it has. Raises what reading the passages raises."""
        begin, characters = self._stream.tell(), 0
        whole = False
        try:
            for passage in passages:
                line = {"document": document, **asdict(passage)}
                self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
                characters += len(passage.text)
            whole = True
        finally:
            if not whole:
                self._stream.seek(begin)
                self._stream.truncate()
        return characters


def shelved(path: Path) -> Iterator[tuple[str, Iterator[Passage]]]:
    """Each document's name and passages, in order; the passages are to be read before the next document is."""
    with path.open(encoding="utf-8", newline="\n") as stream:
        for document, lines in groupby(map(json.loads, stream), lambda line: str(line["document"])):
            yield document, map(_passage, lines)


def _passage(line: dict[str, Any]) -> Passage:
    values = {name: value for name, value in line.items() if name != "document"}
    return Passage(**{**values, "headings": tuple(values["headings"])})
