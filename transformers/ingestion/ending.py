"""How a collection's child ends: its item in the journal, and, where nothing came of it, what it staged taken back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from backend.errors import AgensiumError, ErrorClass, Interruption
from backend.language_models.questions import Usage
from backend.vectors.chunks import Ingest
from transformers.ingestion.outcome import Ingested
from transformers.waiting_agent import ItemResult, WaitingContext


@asynccontextmanager
async def failing_in_words(context: WaitingContext, name: str, ingest: Ingest | None = None) -> AsyncIterator[None]:
    """What fails for good is written down as the collection's reason, and then goes on its way.

    What may pass is left for another try of the task, as long as there is one.
    """
    try:
        yield
    except Interruption:
        raise
    except AgensiumError as error:
        if error.verdict.error_class is not ErrorClass.TRANSIENT or context.last_try:
            if ingest is not None:
                await context.vectors.revert(ingest, error.verdict.message)
            said = {"error_code": error.verdict.error_code, "error_message": error.verdict.message}
            await context.journal.record([_item(context, name, **said)])
        raise


async def succeed(context: WaitingContext, done: Ingested, usage: Usage) -> None:
    await context.journal.record([_item(context, done.collection, answer=done.model_dump(mode="json"), usage=usage)])


def _item(context: WaitingContext, name: str, **values: Any) -> ItemResult:
    return ItemResult(position=context.journal.positions.start, name=name, **values)
