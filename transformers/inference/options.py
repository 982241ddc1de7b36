"""What may be said to a language model besides the words: the fields that the forms of the model tools share.

Declarations only; whether a model is offered is judged at submit.
"""

import json
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from backend.language_models.extras import check_extra
from backend.language_models.questions import CALL_SECONDS
from backend.language_models.schemas import check_schema

MAX_TOKENS = 1024  # of an answer, where nothing is said: some 700 words
VECTORS_ONLY = "local:"  # the provider that answers no questions (language_models/names.py)
MOST_TOKENS = 128_000  # the longest answer of any model today


def _checked_extra(extra: dict[str, Any]) -> dict[str, Any]:
    check_extra(extra)
    return extra


def _that_answers(model: str) -> str:
    if model.startswith(VECTORS_ONLY):
        raise ValueError("local models make vectors and answer no questions")
    return model


def _checked_schema(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    if schema is not None:
        _check_once(json.dumps(schema))
    return schema


@lru_cache(maxsize=64)  # every chunk of a batch reads the form anew, and a schema's check takes milliseconds
def _check_once(schema: str) -> None:
    check_schema(json.loads(schema))


ModelName = Annotated[str, Field(max_length=200), AfterValidator(_that_answers)]
FallbackModels = Annotated[tuple[ModelName, ...], Field(max_length=5)]
Temperature = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
MaxTokens = Annotated[int, Field(ge=1, le=MOST_TOKENS)]
Extra = Annotated[dict[str, Any], AfterValidator(_checked_extra)]
OutputSchema = Annotated[dict[str, Any] | None, AfterValidator(_checked_schema)]
TimeoutSeconds = Annotated[float, Field(ge=1, le=CALL_SECONDS)]
