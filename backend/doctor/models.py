"""The language models: a key for each provider, and on request a question to each model, which costs some tokens."""

import asyncio
from collections.abc import Iterator

from backend.clock import monotonic
from backend.doctor.finding import Area, Finding, Ward
from backend.errors import AgensiumError
from backend.language_models.door import LanguageModels
from backend.language_models.names import why_unavailable
from backend.language_models.questions import Budget, Message, Question, Role
from backend.settings import Settings

WARD = Ward(Area.MODELS)
ASK_SECONDS = 20.0
SHORT = 16  # tokens: what a word takes at the most


def look(settings: Settings) -> Iterator[Finding]:
    if not settings.models:
        yield WARD.ok("No language model is offered (MODELS is empty).")
    for model in dict.fromkeys((*settings.models, settings.embedding_model)):
        reason = why_unavailable(settings, model)
        if reason is None:
            yield WARD.ok(f"{model} can be asked.")
        else:
            yield WARD.wrong(f"{model} cannot be asked. {reason}", "Set it, or take the model out.")


def ask(settings: Settings) -> Iterator[Finding]:
    """Of each model one word."""
    able = [model for model in settings.models if why_unavailable(settings, model) is None]
    yield from asyncio.run(_ask_all(settings, able))


async def _ask_all(settings: Settings, models: list[str]) -> list[Finding]:
    door = LanguageModels(settings, shared=False)
    try:
        return list(await asyncio.gather(*(_ask(door, model) for model in models)))
    finally:
        await door.close()


async def _ask(door: LanguageModels, model: str) -> Finding:
    words = (Message(role=Role.USER, content="Say the word: well."),)
    question = Question(model=model, messages=words, max_tokens=SHORT, timeout_seconds=ASK_SECONDS)
    began = monotonic()
    try:
        await door.ask(question, Budget(deadline=began + ASK_SECONDS, retries=0))
    except AgensiumError as error:
        return WARD.wrong(
            f"{model} does not answer: {error} {error.detail or ''}".strip(), "Look at its key and its name."
        )
    return WARD.ok(f"{model} answered in {monotonic() - began:.1f} s.")
