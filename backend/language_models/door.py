"""The way out to language models: one object a process, asked from any of its event loops.

A question goes to its model and, where that is barred or does not answer, to its fallbacks in their order. Here is
only that way: lanes, tries, breakers, repairs and kept answers have rooms of their own.
"""

import asyncio
from collections.abc import Sequence

from backend.errors import AgensiumError, AnswerInvalid, ModelRefused, ModelUnavailable
from backend.language_models import kept_answers, names
from backend.language_models.attempts import Attempts
from backend.language_models.calls import Call, as_said
from backend.language_models.connections import Connections, ConnectionsByLoop
from backend.language_models.names import EMBEDDERS, ModelName, Provider, model_name
from backend.language_models.questions import Answer, Budget, Embedded, Message, OnText, Question, Usage
from backend.language_models.repair import Repairs, fitting_answer
from backend.language_models.streams import Telling
from backend.settings import Settings

EMBEDDING_SECONDS = 60.0  # for one batch
TEXTS_AT_ONCE = 96  # in one request for vectors: what all known servers take


class LanguageModels:
    """The door. Importing and making it loads no client library and opens nothing.

    `shared`: what is known of models that do not answer is shared with the other workers, through the database.
    """

    def __init__(self, settings: Settings, *, shared: bool = True) -> None:
        self._settings = settings
        self._connections = ConnectionsByLoop(settings)
        self._attempts = Attempts(settings, shared=shared)
        self._names: dict[str, ModelName] = {}  # of models that can be asked; settings do not change
        self._without_schemas: set[str] = set()  # models whose servers refuse a request that brings one

    def offered(self) -> tuple[str, ...]:
        """The models that customers may name; the first is the default."""
        return self._settings.models

    def why_unavailable(self, model: str | None = None) -> str | None:
        """One sentence, fit to be shown; None where the model can be asked. Without a model: why there is none."""
        return names.why_unavailable(self._settings, model)

    async def close(self) -> None:
        """The clients of this event loop; a loop that is run to its end by asyncio closes them itself."""
        await self._connections.close()

    async def ask(self, question: Question, budget: Budget, on_text: OnText | None = None) -> Answer:
        """The first answer that holds; `on_text` gets its text as it comes (streams.py).

        Raises:
            ModelRefused: the question is at fault
            AnswerInvalid: no model's answer fits the schema, also after the repairs
            ModelUnavailable: none of the models answers now
        """
        seconds = (question.cache_seconds or self._settings.answer_cache_seconds) if question.cache_scope else 0.0
        if not seconds:
            return await self._asked(question, budget, on_text)
        key = kept_answers.key_of(question)
        answer = await kept_answers.recalled(key)
        if answer is None:
            answer = await self._asked(question, budget, on_text)
            await kept_answers.keep(key, answer, seconds)
        elif on_text is not None:
            on_text(answer.content)
        return answer

    async def embed(self, model: str, texts: Sequence[str], budget: Budget) -> Embedded:
        """A vector a text.

        Raises:
            ModelRefused, ModelUnavailable
        """
        name = self._known(model)
        if name.provider not in EMBEDDERS:
            raise ModelUnavailable(detail=f"{name.provider} models make no vectors here")
        batches = [texts[at : at + TEXTS_AT_ONCE] for at in range(0, len(texts), TEXTS_AT_ONCE)]
        done = await asyncio.gather(*(self._embedded(name, batch, budget) for batch in batches))
        return Embedded(
            vectors=[vector for batch in done for vector in batch.vectors],
            usage=sum((batch.usage for batch in done), Usage()),
        )

    async def _asked(self, question: Question, budget: Budget, on_text: OnText | None) -> Answer:
        telling, repairs = None if on_text is None else Telling(on_text), Repairs()
        failed: list[AgensiumError] = []
        for place, model in enumerate((question.model, *question.fallback_models)):
            try:
                answer = await self._answer_of(model, question, budget, telling, repairs)
            except (ModelUnavailable, AnswerInvalid) as error:
                failed.append(error)
            else:
                return answer if place == 0 else answer.model_copy(update={"fallback": True})
        raise _worst(failed)

    async def _answer_of(
        self, model: str, question: Question, budget: Budget, telling: Telling | None, repairs: Repairs
    ) -> Answer:
        name = self._known(model)
        if name.provider is Provider.LOCAL:
            raise ModelUnavailable(detail=f"{name} makes vectors and answers no questions")
        connections = await self._connections.here()

        async def ask(messages: tuple[Message, ...]) -> Answer:
            native = question.output_schema is not None and model not in self._without_schemas
            if native:
                call = Call.of(question, name, messages, question.output_schema)
                try:
                    return await self._called(call, question, connections, budget, telling)
                except ModelRefused:  # perhaps only for the schema
                    pass
            call = Call.of(question, name, messages, None)
            answer = await self._called(call, question, connections, budget, telling)
            if native:
                self._without_schemas.add(model)
            return answer

        return await (
            ask(question.messages) if question.output_schema is None else fitting_answer(ask, question, repairs)
        )

    async def _called(
        self, call: Call, question: Question, connections: Connections, budget: Budget, telling: Telling | None
    ) -> Answer:
        if telling is None:
            lane = await connections.lane(call)
            once = lambda: lane.answer(call)  # noqa: E731 (a name for either way)
        else:
            streaming = await connections.rich(call.model.provider)
            once = lambda: streaming.stream(call, telling.begin())  # noqa: E731
        answer = await self._attempts.until_well(call.model, once, connections.turns, budget, question.timeout_seconds)
        return as_said(answer)

    async def _embedded(self, name: ModelName, texts: Sequence[str], budget: Budget) -> Embedded:
        if name.provider is Provider.LOCAL:
            return await _embedded_here(name, texts)
        connections = await self._connections.here()
        lane = connections.lean(name.provider)
        return await self._attempts.until_well(
            name, lambda: lane.embed(name, texts), connections.turns, budget, EMBEDDING_SECONDS
        )

    def _known(self, model: str) -> ModelName:
        name = self._names.get(model)
        if name is None:
            reason = self.why_unavailable(model)
            if reason is not None:
                raise ModelUnavailable(detail=reason)
            name = self._names[model] = model_name(model)
        return name


async def _embedded_here(name: ModelName, texts: Sequence[str]) -> Embedded:
    """`local:hashing-384`: computed in a thread, counted as a call of no tokens."""
    from backend.embeddings.local import embed_locally

    vectors = await asyncio.to_thread(embed_locally, texts, int(name.name.rpartition("-")[2]))
    return Embedded(vectors=vectors, usage=Usage(calls=1))


def _worst(failed: Sequence[AgensiumError]) -> AgensiumError:
    """What is said of a question that no model answered: an answer that does not fit outweighs a silence."""
    for error in failed:
        if isinstance(error, AnswerInvalid):
            return error
    waits = [error.retry_after for error in failed if error.retry_after is not None]
    return ModelUnavailable(detail="; ".join(error.detail for error in failed), retry_after=min(waits, default=None))
