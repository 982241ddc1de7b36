"""What a model answered, as it is kept and as a customer downloads it. Its words are data: nobody acts on them."""

import json
from typing import Any

from backend.language_models.questions import Answer
from transformers.waiting_agent import ItemResult


def as_kept(answer: Answer) -> dict[str, Any]:
    """CATALOGUE §6: content, parsed, tool_calls, finish_reason, usage, model; and whether it was the first choice."""
    return answer.model_dump(mode="json")


def line_of(item: ItemResult) -> bytes:
    """An item of a batch as a line of answers.jsonl: always the same keys, the answer's null where there is none."""
    error = None if item.is_ok else {"code": item.error_code, "message": item.error_message}
    line = {"custom_id": item.name, "position": item.position, "ok": item.is_ok, "error": error}
    return json.dumps(line | _NOTHING | (item.answer or {}), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


_NOTHING: dict[str, Any] = dict.fromkeys(Answer.model_fields)
