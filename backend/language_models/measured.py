"""Calls to models, counted by how they ended."""

from collections.abc import Iterator
from contextlib import contextmanager

from backend.clock import monotonic
from backend.errors import ModelUnavailable
from backend.language_models.failures import Barred, CallFailed, LeftAlone, Refused
from backend.language_models.questions import Usage
from backend.metrics.of_doors import MODEL_CALL, MODEL_CALLS, MODEL_TOKENS, ModelOutcome, TokenKind


@contextmanager
def counted(model: str) -> Iterator[None]:
    """Around one try, through its breaker."""
    began = monotonic()
    try:
        yield
    except LeftAlone:
        MODEL_CALLS.count(model, ModelOutcome.LEFT_ALONE)
        raise
    except (Refused, Barred):
        MODEL_CALLS.count(model, ModelOutcome.REFUSED)
        raise
    except (CallFailed, ModelUnavailable):  # the latter: the step's own time was over
        MODEL_CALLS.count(model, ModelOutcome.FAILED)
        raise
    MODEL_CALLS.count(model, ModelOutcome.ANSWERED)
    MODEL_CALL.observe(monotonic() - began, model)


def tokens(model: str, usage: Usage) -> None:
    MODEL_TOKENS.count(model, TokenKind.READ, by=usage.input_tokens)
    MODEL_TOKENS.count(model, TokenKind.WRITTEN, by=usage.output_tokens)
