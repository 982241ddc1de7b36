"""A verdict on its way from the child to its supervisor: one JSON object within an 8 KB envelope.

What is kept of each part is counted in bytes of JSON: one character may take twelve, and an envelope over 64 KiB
would break the pipe's reader.
"""

import json
import traceback
from typing import Any

from backend.errors import ErrorClass, Verdict

_DETAIL_KEPT = 3500  # bytes, as JSON writes them
_SENTENCE_KEPT = 1000
_CONTEXT_KEPT = 400
_NAME_KEPT = 60
_CONTEXT_NAMES = 5


def verdict_to_json(verdict: Verdict, error: BaseException) -> dict[str, Any]:
    """Our own errors bring their detail; a foreign one brings the end of its traceback too."""
    detail = verdict.detail
    if verdict.error_class in {ErrorClass.INTERNAL, ErrorClass.CRASH}:
        detail = "".join(traceback.format_exception(error))
    return {
        "error_class": verdict.error_class.value,
        "error_code": verdict.error_code,
        "message": _beginning(verdict.message, _SENTENCE_KEPT),
        "next_action": _beginning(verdict.next_action, _SENTENCE_KEPT),
        "recoverable": verdict.recoverable,
        "retry_after": verdict.retry_after,
        "detail": _beginning(detail[::-1], _DETAIL_KEPT)[::-1],
        "context": {
            _beginning(str(name), _NAME_KEPT): _beginning(str(value), _CONTEXT_KEPT)
            for name, value in list(verdict.context.items())[:_CONTEXT_NAMES]
        },
    }


def _beginning(words: str, most_bytes: int) -> str:
    """As many characters as fit between two quotes."""
    room = most_bytes - 2
    for kept, character in enumerate(words):
        room -= len(json.dumps(character)) - 2
        if room < 0:
            return words[:kept]
    return words


def verdict_from_json(said: dict[str, Any]) -> Verdict:
    return Verdict(**(said | {"error_class": ErrorClass(said["error_class"])}))
