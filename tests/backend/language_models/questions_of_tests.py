"""Questions, and asking them of a door that is closed again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from backend.clock import monotonic
from backend.language_models.door import LanguageModels
from backend.language_models.questions import Answer, Budget, Embedded, Message, OnText, Question, Role
from backend.settings import Settings, get_settings

T = TypeVar("T")


def question(prompt: str, model: str = "compatible:echo", **more: Any) -> Question:
    return Question(model=model, messages=(Message(role=Role.USER, content=prompt),), **more)


def budget(retries: int = 10, seconds: float = 30) -> Budget:
    return Budget(deadline=monotonic() + seconds, retries=retries)


def settings(**changed: Any) -> Settings:
    """Those of the environment, with some of them otherwise."""
    return get_settings().model_copy(update=changed)


def ask(what: Callable[[LanguageModels], Awaitable[T]], *, shared: bool = False, **changed: Any) -> T:
    """One event loop's life with a door."""
    models = LanguageModels(settings(**changed), shared=shared)

    async def life() -> T:
        return await what(models)

    return asyncio.run(life())


def answer_of(asked: Question, spend: Budget | None = None, on_text: OnText | None = None, **changed: Any) -> Answer:
    return ask(lambda models: models.ask(asked, spend or budget(), on_text), **changed)


def embed(model: str, texts: list[str], spend: Budget | None = None, **changed: Any) -> Embedded:
    changed.setdefault("embedding_model", model)
    return ask(lambda models: models.embed(model, texts, spend or budget()), **changed)
