"""The way out to language models: one object a process, asked from any of its event loops.

It answers and makes vectors; how a question finds its answer is asking.py, and lanes, tries, breakers, repairs and kept
answers have rooms of their own.
"""

import asyncio
from collections.abc import Sequence

from backend.errors import ModelUnavailable
from backend.language_models import kept_answers, names
from backend.language_models.asking import Asking, Ways
from backend.language_models.attempts import Attempts
from backend.language_models.connections import ConnectionsByLoop
from backend.language_models.names import EMBEDDERS, ModelName, Provider, model_name
from backend.language_models.questions import Answer, Budget, Embedded, OnText, Question, Usage
from backend.settings import Settings

EMBEDDING_SECONDS = 60.0  # for one batch
TEXTS_AT_ONCE = 96  # in one request for vectors; what all known servers take


class LanguageModels:
    """The door. Importing and making it loads no client library and opens nothing.

    `shared`: what is known of models that do not answer is shared with the other workers, through the database.
    """

    def __init__(self, settings: Settings, *, shared: bool = True) -> None:
        self._settings = settings
        self._names: dict[str, ModelName] = {}  # of models that can be asked; settings do not change
        self._connections = ConnectionsByLoop(settings)
        self._attempts = Attempts(settings, shared=shared)
        self._ways = Ways(self._known, self._connections, self._attempts)

    def offered(self) -> tuple[str, ...]:
        """The models that customers may name; the first is the default."""
        return self._settings.models

    def why_unavailable(self, model: str | None = None) -> str | None:
        """One sentence, fit to be shown; None where the model can be asked. Without a model, of the default one."""
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
        asking = Asking(self._ways, question, budget, on_text)
        if not seconds:
            return await asking.answer()
        key = kept_answers.key_of(question)
        answer = await kept_answers.recalled(key)
        if answer is None:
            answer = await asking.answer()
            await kept_answers.keep(key, answer, seconds)
        elif on_text is not None:
            on_text(answer.content)
        return answer

    async def embed(self, model: str, texts: Sequence[str], budget: Budget) -> Embedded:
        """A vector a text, in their order.

        Raises:
            ModelRefused, ModelUnavailable
        """
        name = self._known(model)
        if name.provider not in EMBEDDERS:
            raise ModelUnavailable(detail=f"{name.provider} models make no vectors here")
        batches = [texts[at : at + TEXTS_AT_ONCE] for at in range(0, len(texts), TEXTS_AT_ONCE)]
        asked = [asyncio.create_task(self._embedded(name, batch, budget)) for batch in batches]
        try:
            done = await asyncio.gather(*asked)
        finally:
            for one in asked:
                one.cancel()  # where another one failed
        vectors = [vector for batch in done for vector in batch.vectors]
        return Embedded.model_construct(vectors=vectors, usage=sum((batch.usage for batch in done), Usage()))

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
