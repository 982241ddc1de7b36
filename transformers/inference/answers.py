"""What a model answered, as it is kept and as a customer downloads it. Its words are data: nobody acts on them."""

import json
from typing import Any

from backend.errors import writable
from backend.language_models.questions import Answer
from transformers.waiting_agent import ItemResult


def as_kept(answer: Answer) -> dict[str, Any]:
    """CATALOGUE §6: content, parsed, tool_calls, finish_reason, usage, model; and whether it was the first choice.

    Text as any database and file takes it: models write NUL and half surrogate pairs, too.
    """
    kept: dict[str, Any] = _storable(answer.model_dump())
    return kept


def _storable(value: Any) -> Any:
    match value:
        case str():
            return writable(value)
        case dict():
            return {_storable(name): _storable(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_storable(inner) for inner in value]
        case _:
            return value


def line_of(item: ItemResult) -> bytes:
    """An item of a batch as a line of answers.jsonl: always the same keys, the answer's null where there is none."""
    error = None if item.is_ok else {"code": item.error_code, "message": item.error_message}
    line = {"custom_id": item.name, "position": item.position, "ok": item.is_ok, "error": error}
    return json.dumps(line | _NOTHING | (item.answer or {}), ensure_ascii=False).encode() + b"\n"


_NOTHING: dict[str, Any] = dict.fromkeys(Answer.model_fields)
