"""Asks a model many questions, so many at once, and writes each answer down: one bad item never fails the rest.

The door waits and repeats; whatever fails all the same is the item's own error. Only what may pass is left for a
later try of the task, as long as there is one.
"""

import asyncio
from collections.abc import Callable, Iterator

from backend.errors import AgensiumError, ErrorClass, Interruption, TimeLimit
from backend.language_models.questions import Question, Usage
from transformers.inference.answers import as_kept
from transformers.inference.items import PlacedItem
from transformers.inference.journal_writer import JournalWriter
from transformers.waiting_agent import ItemResult, WaitingContext

SILENCES = 2  # of all who ask: so many questions in a row without an answer, and the others are not asked now


class Asking:
    """The questions of one chunk, under way. `passing` is the first failure of those that are left for later."""

    def __init__(
        self,
        context: WaitingContext,
        items: Iterator[PlacedItem],
        most: int,
        question_of: Callable[[PlacedItem], Question],
    ) -> None:
        """`most`: how many items there may be."""
        self._context = context
        self._waiting = items
        self._question_of = question_of
        self._budget = context.budget(most)
        self._askers = min(context.calls_at_once, most)
        self._writer = JournalWriter(context.journal, lambda n: context.report_progress(n / most))
        self.ok, self.failed, self.usage = 0, 0, Usage()
        self.passing: AgensiumError | None = None
        self._unanswered = 0  # in a row

    async def run(self) -> None:
        """Until every item is answered and written down, as far as it may be.

        Raises:
            AgensiumError: a failure that may pass, when everything else is written; or what ends the claim.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._writer.write())
                async with asyncio.TaskGroup() as askers:
                    for _ in range(self._askers):
                        askers.create_task(self._ask_on())
                self._writer.close()
        except BaseExceptionGroup as several:
            raise _first_of(several) from None
        if self.passing is not None:
            raise self.passing

    async def _ask_on(self) -> None:
        for item in self._waiting:
            if self._unanswered >= SILENCES * self._askers:
                return  # nobody is there: neither a provider nor a customer is helped by thousands of calls
            result = await self._answered(item)
            if result is not None:
                self._writer.add(result)

    async def _answered(self, item: PlacedItem) -> ItemResult | None:
        """None: it is left for later."""
        try:
            answer = await self._context.models.ask(self._question_of(item), self._budget)
        except (Interruption, TimeLimit):
            raise  # no failure of the item: the claim ends here
        except AgensiumError as failure:
            return self._missed(item, failure)
        self.ok, self._unanswered = self.ok + 1, 0
        self.usage += answer.usage
        return ItemResult(position=item.position, name=item.custom_id, answer=as_kept(answer), usage=answer.usage)

    def _missed(self, item: PlacedItem, failure: AgensiumError) -> ItemResult | None:
        verdict = failure.verdict
        passing = verdict.error_class is ErrorClass.TRANSIENT
        self._unanswered = self._unanswered + 1 if passing else 0
        if passing and not self._context.last_try:
            self.passing = self.passing or failure
            return None
        self.failed += 1
        return ItemResult(
            position=item.position, name=item.custom_id, error_code=verdict.error_code, error_message=verdict.message
        )


def _first_of(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
