"""Answers that are kept for a while, for the same question of the same customer: off unless asked for.

The key is a digest of all that makes an answer, and of whose it is. A question without a scope is never kept.
"""

import asyncio
import hashlib
import json

import structlog

from backend.language_models.questions import Answer, Question, Usage
from db import model_memory
from db.database import DATABASE_ERRORS

log = structlog.get_logger()


def key_of(question: Question) -> str:
    asked = question.model_dump(
        mode="json", exclude={"fallback_models", "timeout_seconds", "cache_seconds"}, exclude_none=False
    )
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


async def recalled(key: str) -> Answer | None:
    """It cost nothing this time. A database that does not answer has kept nothing."""
    try:
        found = await asyncio.to_thread(model_memory.recall_answer, key)
    except DATABASE_ERRORS as error:
        log.warning("model_answer_not_recalled", error=type(error).__name__)
        return None
    return None if found is None else Answer(**found, cached=True, usage=Usage())


async def keep(key: str, answer: Answer, seconds: float) -> None:
    """Except a fallback's, for the first model may be back soon, and what no JSON column holds (NUL)."""
    if answer.fallback:
        return
    kept = answer.model_dump(mode="json", exclude={"usage", "cached", "fallback"})
    if "\\u0000" in json.dumps(kept):
        return
    try:
        await asyncio.to_thread(model_memory.keep_answer, key, kept, seconds)
    except DATABASE_ERRORS as error:
        log.warning("model_answer_not_kept", error=type(error).__name__)
