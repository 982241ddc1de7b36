"""The way out to language models: one object a process, asked from any of its event loops.

A question goes to its model and, where that is barred or does not answer, to its fallbacks in their order. What is
written here is only that way: the lanes, the tries, the breakers, the repairs and the kept answers are rooms of their
own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from backend.errors import AgensiumError, AnswerInvalid, ModelRefused, ModelUnavailable
from backend.language_models import names
from backend.language_models.breakers import Breakers
from backend.language_models.calls import Call
from backend.language_models.connections import ConnectionsByLoop
from backend.language_models.failures import Barred, Refused, without_secrets
from backend.language_models.names import ModelName, Provider, model_name
from backend.language_models.questions import Answer, Budget, Embedded, OnText, Question, Usage
from backend.language_models.tries import in_time, with_tries
from backend.settings import Settings

EMBEDDING_SECONDS = 60.0  # for one batch
TEXTS_AT_ONCE = 96  # in one request for vectors; what all known servers take

T = TypeVar("T")


class LanguageModels:
    """The door. Importing and making it loads no client library and opens nothing.

    `shared`: what is known of models that do not answer is shared with the other workers, through the database.
    """

    def __init__(self, settings: Settings, *, shared: bool = True) -> None:
        self._settings = settings
        self._connections = ConnectionsByLoop(settings)
        self._breakers = Breakers(settings.model_breaker_failures, settings.model_cool_down_seconds, shared=shared)
        self._secrets = names.secrets(settings)

    def offered(self) -> tuple[str, ...]:
        """The models that customers may name; the first is the default."""
        return self._settings.models

    def why_unavailable(self, model: str | None = None) -> str | None:
        """One sentence, fit to be shown; None where the model can be asked. Without a model: why there is none."""
        return names.why_unavailable(self._settings, model)

    async def close(self) -> None:
        """The clients of this event loop."""
        await self._connections.close()

    async def ask(self, question: Question, budget: Budget, on_text: OnText | None = None) -> Answer:
        """The first answer that holds.

        Raises:
            ModelRefused: the question is at fault
            AnswerInvalid: no model's answer fits the schema, also after the repairs
            ModelUnavailable: none of the models answers now
        """
        failed: list[AgensiumError] = []
        for place, name in enumerate((question.model, *question.fallback_models)):
            try:
                answer = await self._answer_of(name, question, budget)
            except (ModelUnavailable, AnswerInvalid) as error:
                failed.append(error)
            else:
                return answer if place == 0 else answer.model_copy(update={"fallback": True})
        raise _worst(failed)

    async def embed(self, model: str, texts: Sequence[str], budget: Budget) -> Embedded:
        """A vector a text.

        Raises:
            ModelRefused, ModelUnavailable
        """
        name = self._known(model)
        batches = [texts[at : at + TEXTS_AT_ONCE] for at in range(0, len(texts), TEXTS_AT_ONCE)]
        done = await asyncio.gather(*(self._embed(name, batch, budget) for batch in batches))
        return Embedded(
            vectors=[vector for batch in done for vector in batch.vectors],
            usage=sum((batch.usage for batch in done), Usage()),
        )

    async def _answer_of(self, model: str, question: Question, budget: Budget) -> Answer:
        name = self._known(model)
        call = Call(name, question.messages, question.temperature, question.max_tokens, question.extra)
        connections = await self._connections.here()
        lane = await connections.lane(call)
        return await self._tried(name, lambda: lane.answer(call), budget, question.timeout_seconds, connections.turns)

    async def _embed(self, name: ModelName, texts: Sequence[str], budget: Budget) -> Embedded:
        if name.provider is Provider.LOCAL:
            return await _embedded_here(name, texts)
        connections = await self._connections.here()
        lane = connections.lean(name.provider)
        return await self._tried(name, lambda: lane.embed(name, texts), budget, EMBEDDING_SECONDS, connections.turns)

    async def _tried(
        self,
        name: ModelName,
        call: Callable[[], Awaitable[T]],
        budget: Budget,
        seconds: float,
        turns: asyncio.Semaphore,
    ) -> T:
        """One model's answer, after as many tries as it takes and the budget has."""

        async def once() -> T:
            async with turns:
                left = min(seconds, budget.seconds_left())
                if left <= 0:
                    raise ModelUnavailable(detail="the step's time is over")
                return await self._breakers.through(str(name), left, lambda: in_time(call(), left))

        try:
            return await with_tries(once, budget, self._settings.retry_base_seconds, self._settings.retry_cap_seconds)
        except Refused as failure:
            raise ModelRefused(detail=self._told(name, failure.detail)) from None
        except Barred as failure:
            raise ModelUnavailable(detail=self._told(name, failure.detail)) from None
        except ModelUnavailable as error:
            error.detail = self._told(name, error.detail)
            raise error from None

    def _known(self, model: str) -> ModelName:
        reason = self.why_unavailable(model)
        if reason is not None:
            raise ModelUnavailable(detail=reason)
        return model_name(model)

    def _told(self, name: ModelName, detail: str) -> str:
        return without_secrets(f"{name}: {detail}", self._secrets)


async def _embedded_here(name: ModelName, texts: Sequence[str]) -> Embedded:
    """`local:hashing-384`: computed in a thread, counted as one call of no tokens."""
    from backend.embeddings.local import embed_locally

    dimensions = int(name.name.rpartition("-")[2])
    vectors = await asyncio.to_thread(embed_locally, list(texts), dimensions)
    return Embedded(vectors=vectors, usage=Usage(calls=1))


def _worst(failed: Sequence[AgensiumError]) -> AgensiumError:
    """What is said of a question that no model answered: the schema's fault outweighs a silence."""
    for error in failed:
        if isinstance(error, AnswerInvalid):
            return error
    waits = [error.retry_after for error in failed if error.retry_after is not None]
    detail = "; ".join(error.detail for error in failed)
    return ModelUnavailable(detail=detail, retry_after=min(waits, default=None))
