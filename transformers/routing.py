"""From a tool to the coroutine that runs it: the one line at the end of each transformer file, on the one life."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.tool import Tool

if TYPE_CHECKING:
    from db.claims import Claim
    from transformers.lifecycle import TaskReport
    from transformers.workbench import Slot


@dataclass(frozen=True)
class Transformer:
    """A tool, and how to run a task of it: `await run_my_tool_analysis(claim, slot)`."""

    tool: Tool

    async def __call__(self, claim: "Claim", slot: "Slot") -> "TaskReport":
        from transformers.lifecycle import run_task  # here, for the API reads declarations only

        return await run_task(self.tool, claim, slot)


def transformer(tool: Tool) -> Transformer:
    """The life of a task (lifecycle.py), for this tool."""
    return Transformer(tool)
