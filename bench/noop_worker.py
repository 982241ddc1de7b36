"""The product's Celery app with one route more: a tool whose coroutine only settles. For measures of the router itself.

celery -A bench.noop_worker worker
"""

import asyncio
from dataclasses import dataclass

from bench.tools import NOTHING
from celery_queue.celery_app import app
from db.claims import Claim
from db.endings import Ending
from transformers import catalog
from transformers.lifecycle import TaskReport, settle
from transformers.routing import Transformer
from transformers.workbench import Slot


@dataclass(frozen=True)
class Nothing(Transformer):
    """Claimed and settled, two commits; no agent, no file, no report."""

    async def __call__(self, claim: Claim, slot: Slot) -> TaskReport:
        slot.stop.attach()
        await asyncio.to_thread(settle, claim, Ending("success", None))
        return TaskReport(
            task_id=str(claim.task_id), tool_id=claim.tool_id, outcome="success", agents_delivered=0, agents_failed=0
        )


__all__ = ["app"]
catalog.TRANSFORMERS = (*catalog.TRANSFORMERS, Nothing(NOTHING))
catalog.transformers.cache_clear()
