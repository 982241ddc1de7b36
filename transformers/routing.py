"""From a tool to the coroutine that runs it: one line at the end of each transformer file, on the one life."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from transformers.tool import Tool

if TYPE_CHECKING:
    from db.claims import Claim
    from transformers.lifecycle import TaskReport
    from transformers.workbench import Slot

Run = Callable[["Claim", "Slot"], "Awaitable[TaskReport]"]


def transformer(tool: Tool) -> Run:
    """The life of a task (lifecycle.py), for this tool; loaded when it runs, for the API reads declarations only."""

    async def run(claim: "Claim", slot: "Slot") -> "TaskReport":
        from transformers.lifecycle import run_task

        return await run_task(tool, claim, slot)

    return run
