"""What may be said to a language model besides the words: the fields that the forms of the model tools share.

Declarations only; a model's name is checked at submit, when it is known which ones are offered.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from backend.language_models.questions import CALL_SECONDS

MAX_TOKENS = 1024  # of an answer, where nothing is said: some 700 words, held as one credit
MOST_TOKENS = 128_000  # the longest answer of any model today

# What `extra` may not say: it is said elsewhere, or would change who answers, how often, or what it costs.
RESERVED = frozenset(
    {"model", "messages", "stream", "stream_options", "n", "best_of", "temperature"}
    | {"max_tokens", "max_completion_tokens"}
)


def _without_reserved(extra: dict[str, Any]) -> dict[str, Any]:
    reserved = sorted(RESERVED & extra.keys())
    if reserved:
        raise ValueError(f"should not hold {', '.join(reserved)}: that is said elsewhere, or not for you to say")
    return extra


def _checked(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    return schema


ModelName = Annotated[str, Field(max_length=200)]
Temperature = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
MaxTokens = Annotated[int, Field(ge=1, le=MOST_TOKENS)]
Extra = Annotated[dict[str, Any], AfterValidator(_without_reserved)]
OutputSchema = Annotated[dict[str, Any] | None, AfterValidator(_checked)]
TimeoutSeconds = Annotated[float, Field(ge=1, le=CALL_SECONDS)]
FallbackModels = Annotated[tuple[ModelName, ...], Field(max_length=5)]
