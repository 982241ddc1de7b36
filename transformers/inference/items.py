"""The items of a batch: what one is, and how they are read from the customer's file; everything in it is data.

Read twice: at submit, where whatever is wrong is said to the customer, and by the agent that splits the batch. So it
imports nothing heavy, and takes some 40 ms for 10,000 items.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from backend.errors import UnreadableFile, UnsupportedFormat
from backend.language_models.questions import Message
from transformers.inference.options import Extra, MaxTokens, Temperature

MOST_ITEMS = 10_000
MOST_OBJECTS = 100 * MOST_ITEMS  # what is not a batch by far is not parsed at all
FORMATS = ("json", "jsonl", "csv")
LONGEST_ID = 200
SHOWN = 60  # characters of a customer's id in a sentence

CustomId = Annotated[str, Field(min_length=1, max_length=LONGEST_ID, pattern=r"^[^\x00-\x1f\x7f]+$")]


class BatchItem(BaseModel):
    """One question of many. What it leaves out is said by the form, for all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    custom_id: CustomId | None = None
    user_message: Annotated[str, Field(min_length=1)] | None = None
    messages: Annotated[tuple[Message, ...], Field(min_length=1)] | None = None
    system: str | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    extra: Extra = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_one_thing(self) -> "BatchItem":
        if (self.user_message is None) == (self.messages is None):
            raise ValueError("should have either user_message or messages")
        return self


class PlacedItem(BatchItem):
    """An item, its place in the batch, counted from 0, and its id, given or made."""

    position: int
    custom_id: CustomId


_ITEMS: TypeAdapter[list[BatchItem]] = TypeAdapter(Annotated[list[BatchItem], Field(max_length=MOST_ITEMS)])


def read_items(filename: str, body: bytes) -> list[BatchItem]:
    """The file's items in their order, each with its id; one that has none is called after its position.

    Raises:
        UnreadableFile: none, too many, one that is no item, an id twice; the sentence names the item.
        UnsupportedFormat
    """
    if body.count(b"{") > MOST_OBJECTS:
        _too_many()
    items = _named(list(_READERS.get(filename.rpartition(".")[2].lower(), _unknown)(body)))
    if not items:
        raise UnreadableFile("The batch is empty: the file holds no item.")
    _check_ids(items)
    return items


def _unknown(_body: bytes) -> NoReturn:
    raise UnsupportedFormat(f"A batch is read from {', '.join(FORMATS)}.", formats=list(FORMATS))


def _from_json(body: bytes) -> Sequence[BatchItem]:
    try:
        return _ITEMS.validate_json(body.removeprefix(b"\xef\xbb\xbf"), strict=True)
    except ValidationError as error:
        _refuse(error, None)


def _from_json_lines(body: bytes) -> Iterator[BatchItem]:
    number = 0
    for line in body.removeprefix(b"\xef\xbb\xbf").splitlines():
        if not line.strip():
            continue
        if number >= MOST_ITEMS:
            _too_many()
        try:
            yield BatchItem.model_validate_json(line, strict=True)
        except ValidationError as error:
            _refuse(error, number)
        number += 1


def _from_csv(body: bytes) -> Iterator[BatchItem]:
    """A header names the fields; an empty cell leaves its field out."""
    try:
        rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True, restkey="too many cells")
        for number, row in enumerate(rows):
            if number >= MOST_ITEMS:
                _too_many()
            try:
                yield BatchItem.model_validate({name: cell for name, cell in row.items() if cell not in ("", None)})
            except ValidationError as error:
                _refuse(error, number)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFile("The file is not valid CSV in UTF-8.", detail=str(error)) from None


_READERS = {"json": _from_json, "jsonl": _from_json_lines, "csv": _from_csv}


def _named(items: list[BatchItem]) -> list[BatchItem]:
    return [
        item if item.custom_id is not None else item.model_copy(update={"custom_id": f"item-{position}"})
        for position, item in enumerate(items)
    ]


def _check_ids(items: Sequence[BatchItem]) -> None:
    seen: dict[str | None, int] = {}
    for position, item in enumerate(items):
        if (first := seen.setdefault(item.custom_id, position)) != position:
            sentence = f"Items {first + 1} and {position + 1} have the same custom_id, {str(item.custom_id)[:SHOWN]!r}."
            raise UnreadableFile(sentence, item=position, custom_id=item.custom_id)


def _too_many() -> NoReturn:
    raise UnreadableFile(f"A batch has at most {MOST_ITEMS:,} items; this file holds more.", most=MOST_ITEMS)


def _refuse(error: ValidationError, number: int | None) -> NoReturn:
    """`number` is the item's, from 0; None where the fault itself tells it."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place: list[Any] = list(first["loc"])
    if number is None and place and isinstance(place[0], int):
        number, *place = place
    if number is None:
        _refuse_file(first)
    field = ".".join(str(part) for part in place)
    words = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input ").removesuffix(".")
    said = _SAID_PLAINLY.get(first["type"], words)
    sentence = f"Item {number + 1}: {field}: {said}." if field else f"Item {number + 1}: {said}."
    raise UnreadableFile(sentence, item=number, field=field) from None


def _refuse_file(fault: Mapping[str, Any]) -> NoReturn:
    if fault["type"] == "too_long":
        _too_many()
    if fault["type"] == "json_invalid":
        raise UnreadableFile("The file is not valid JSON.", detail=str(fault["msg"])) from None
    raise UnreadableFile("The file should hold a list of items.") from None


_SAID_PLAINLY = {
    "extra_forbidden": "there is no such field",
    "model_type": "should be an object",
    "model_attributes_type": "should be an object",
    "json_invalid": "is not valid JSON",
    "string_pattern_mismatch": "should hold no control characters",
}
