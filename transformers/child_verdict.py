"""A verdict on its way from the child to its supervisor: one JSON object within an 8 KB envelope."""

import traceback
from typing import Any

from backend.errors import ErrorClass, Verdict

_DETAIL_KEPT = 4000  # characters; an envelope stays under 8 KB
_CONTEXT_KEPT = 1000


def verdict_to_json(verdict: Verdict, error: BaseException) -> dict[str, Any]:
    """Our own errors bring their detail; a foreign one brings the end of its traceback too."""
    detail = verdict.detail
    if verdict.error_class in {ErrorClass.INTERNAL, ErrorClass.CRASH}:
        detail = "".join(traceback.format_exception(error))
    context = {key: str(value)[:_CONTEXT_KEPT] for key, value in list(verdict.context.items())[:5]}
    return {
        "error_class": verdict.error_class.value,
        "error_code": verdict.error_code,
        "message": verdict.message[:_CONTEXT_KEPT],
        "next_action": verdict.next_action,
        "recoverable": verdict.recoverable,
        "detail": detail[-_DETAIL_KEPT:],
        "context": context,
    }


def verdict_from_json(said: dict[str, Any]) -> Verdict:
    return Verdict(**(said | {"error_class": ErrorClass(said["error_class"])}))
