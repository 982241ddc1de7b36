"""The journal that a waiting agent gets: the items of its batch, read and written off the loop (db/items.py)."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from db import items
from db.claims import Claim
from db.database import transaction
from db.items import FinishedItem
from db.models import TaskItem
from transformers.tool import Tariff
from transformers.waiting_agent import ItemResult

PAGE = 1000


class TaskJournal:
    """The items of the claim's root; a child has a stretch of them."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._tariff = Tariff.model_validate(next(iter(claim.tariffs.values()), {}))
        self.positions = range(claim.first_item, claim.first_item + claim.items)

    async def done(self) -> set[int]:
        return await asyncio.to_thread(self._done)

    async def record(self, results: Sequence[ItemResult]) -> None:
        if results:
            await asyncio.to_thread(self._record, [self._finished(result) for result in results])

    async def every(self) -> AsyncIterator[ItemResult]:
        last = -1
        while page := await asyncio.to_thread(self._page, last):
            for item in page:
                yield _result(item)
            last = page[-1].position

    def _done(self) -> set[int]:
        with transaction() as session:
            return items.done(session, self._claim.root_id, self.positions)

    def _record(self, finished: Sequence[FinishedItem]) -> None:
        with transaction() as session:
            items.record(session, self._claim, finished)

    def _page(self, after: int) -> Sequence[TaskItem]:
        with transaction() as session:
            return items.page(session, self._claim.root_id, after, PAGE)

    def _finished(self, result: ItemResult) -> FinishedItem:
        return FinishedItem(
            position=result.position,
            name=result.name,
            answer=result.answer,
            error_code=result.error_code,
            error_message=result.error_message,
            calls=result.usage.calls,
            tokens=result.usage.tokens,
            millicredits=self._tariff.millicredits(result.usage) if result.is_ok else 0,
        )


def _result(item: TaskItem) -> ItemResult:
    return ItemResult(
        position=item.position,
        name=item.name,
        answer=item.answer,
        error_code=item.error_code,
        error_message=item.error_message,
    )
