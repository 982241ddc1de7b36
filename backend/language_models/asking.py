"""One question on its way: to its model and, where that is barred or does not answer, to its fallbacks in order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from backend.errors import AgensiumError, AnswerInvalid, ModelRefused, ModelUnavailable
from backend.language_models import measured
from backend.language_models.attempts import Attempts
from backend.language_models.calls import Call, as_said
from backend.language_models.connections import Connections, ConnectionsByLoop
from backend.language_models.names import ModelName, Provider
from backend.language_models.questions import Answer, Budget, Message, OnText, Question
from backend.language_models.repair import Repairs, fitting_answer
from backend.language_models.streams import Telling


@dataclass(frozen=True, slots=True)
class Ways:
    """What all questions of a process share. `known` reads a model's name, or raises ModelUnavailable."""

    known: Callable[[str], ModelName]
    connections: ConnectionsByLoop
    attempts: Attempts
    without_schemas: set[ModelName] = field(default_factory=set)  # their servers refuse a request that brings one


class Asking:
    def __init__(self, ways: Ways, question: Question, budget: Budget, on_text: OnText | None) -> None:
        self._ways, self._question, self._budget = ways, question, budget
        self._telling = None if on_text is None else Telling(on_text)
        self._repairs = Repairs()

    async def answer(self) -> Answer:
        """The first that holds.

        Raises:
            ModelRefused, AnswerInvalid, ModelUnavailable
        """
        failed: list[AgensiumError] = []
        models = (self._question.model, *self._question.fallback_models)
        for place, model in enumerate(models):
            if self._repairs.used.calls and not self._repairs.take():
                break  # after answers that did not fit, another model's is one more repair
            try:
                answer = await self._answer_of(self._ways.known(model), last=place == len(models) - 1)
            except (ModelUnavailable, AnswerInvalid) as error:
                failed.append(error)
            else:
                return answer if place == 0 else answer.model_copy(update={"fallback": True})
        raise _worst(failed)

    async def _answer_of(self, model: ModelName, *, last: bool) -> Answer:
        if model.provider is Provider.LOCAL:
            raise ModelUnavailable(detail=f"{model} makes vectors and answers no questions")
        connections = await self._ways.connections.here()
        if self._question.output_schema is None:
            return await self._called(Call.of(self._question, model, self._question.messages, None), connections)

        async def ask(messages: tuple[Message, ...]) -> Answer:
            return await self._asked_for_json(model, messages, connections)

        return await fitting_answer(ask, self._question, self._repairs, kept=0 if last else 1)

    async def _asked_for_json(
        self, model: ModelName, messages: tuple[Message, ...], connections: Connections
    ) -> Answer:
        """With the schema in the request, where the server takes one there; it is in the words in any case."""
        with_schema = model not in self._ways.without_schemas
        if with_schema:
            try:
                call = Call.of(self._question, model, messages, self._question.output_schema)
                return await self._called(call, connections)
            except ModelRefused:
                pass  # perhaps for the schema alone
        answer = await self._called(Call.of(self._question, model, messages, None), connections)
        if with_schema:
            self._ways.without_schemas.add(model)
        return answer

    async def _called(self, call: Call, connections: Connections) -> Answer:
        telling = self._telling
        if telling is None:
            lane = await connections.lane(call)
            once = lambda: lane.answer(call)  # noqa: E731 (one name for either way)
        else:
            streaming = await connections.rich(call.model.provider)
            once = lambda: streaming.stream(call, telling.begin())  # noqa: E731
        seconds = self._question.timeout_seconds
        answer = await self._ways.attempts.until_well(call.model, once, connections.turns, self._budget, seconds)
        measured.tokens(str(call.model), answer.usage)
        return as_said(answer)


def _worst(failed: Sequence[AgensiumError]) -> AgensiumError:
    """What is said of a question that no model answered: an answer that does not fit outweighs a silence."""
    for error in failed:
        if isinstance(error, AnswerInvalid):
            return error
    waits = [error.retry_after for error in failed if error.retry_after is not None]
    return ModelUnavailable(detail="; ".join(error.detail for error in failed), retry_after=min(waits, default=None))
