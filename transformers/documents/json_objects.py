"""JSON lines: an object is a passage. Its text or content is the text, the rest is what is known of it."""

import json
from collections.abc import Generator, Iterator, Mapping
from functools import partial
from typing import Any

from backend.errors import UnreadableFile
from transformers.documents.passage import Passage, Scalar
from transformers.intake.encodings import as_utf8, unescaped
from transformers.intake.reading import ROW_LIMIT, SourceFile

TEXT_FIELDS = ("text", "content")  # the first of them that is there and is a text
METADATA_VALUE = 1_000  # characters of one value: it is stored anew with each chunk
METADATA_FIELDS = 100


def read_objects(file: SourceFile) -> Generator[Passage]:
    with as_utf8(file).open() as stream:
        lines = enumerate(iter(partial(stream.readline, ROW_LIMIT + 1), ""), start=1)
        row = 0
        for number, line in lines:
            if line.strip():
                row += 1
                yield _passage(_object(unescaped(line), number), row)


def _object(line: str, number: int) -> dict[str, Any]:
    if len(line) > ROW_LIMIT:
        raise UnreadableFile(f"Line {number:,} is longer than {ROW_LIMIT // 2**20} MiB.", line=number)
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"Line {number:,} is not valid JSON.", detail=repr(error), line=number) from error
    if not isinstance(value, dict):
        raise UnreadableFile(f"Line {number:,} is valid JSON, but not an object.", line=number)
    return value


def _passage(value: Mapping[str, Any], row: int) -> Passage:
    name = next((name for name in TEXT_FIELDS if isinstance(value.get(name), str)), None)
    if name is None:
        return Passage("\n".join(_lines(value)), row=row, stands_alone=True)
    rest = {key: found for key, found in value.items() if key != name}
    return Passage(value[name], row=row, stands_alone=True, metadata=_metadata(rest))


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    for key, found in value.items():
        if found not in (None, "", [], {}):
            yield f"{key}: {found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)}"


def _metadata(values: Mapping[str, Any]) -> dict[str, Scalar]:
    """Scalars as they are, lists and objects as JSON; nulls, and what is too long to be repeated, left out."""
    kept: dict[str, Scalar] = {}
    for key, found in values.items():
        shown = json.dumps(found, ensure_ascii=False) if isinstance(found, (list, dict)) else found
        if shown is not None and len(str(shown)) <= METADATA_VALUE and len(kept) < METADATA_FIELDS:
            kept[key] = shown
    return kept
