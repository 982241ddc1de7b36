"""What the steps of a chained tool hand on: the table that one leaves is the next one's primary (DESIGN §5.9).

The steps of any other tool are independent: each gets the tables as intake read them, and nothing of its neighbours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from transformers.reporting.report import StepOutcome
from transformers.tables import Table
from transformers.tool import FINAL, PRIMARY, Delivery, Tool


@dataclass
class Chain:
    """Grows by one delivery a step. A table that has been worked on is gone from scratch: the next one replaces it."""

    tool: Tool
    read: Mapping[str, Table]  # by role, as intake left them
    earlier: list[Delivery] = field(default_factory=list)
    _left: Table | None = None

    @property
    def tables(self) -> dict[str, Table]:
        """What the next step works on."""
        return {**self.read, PRIMARY: self._left} if self._left is not None else dict(self.read)

    def take(self, delivery: Delivery) -> None:
        """A step has delivered."""
        if not self.tool.chained:
            return
        if delivery.table is not None:
            if self._left is not None:
                self._left.path.unlink(missing_ok=True)
            self._left = delivery.table
        self.earlier.append(delivery.model_copy(update={"table": None}))


def folder_of(scratch: Path, agent_id: str) -> Path:
    """An agent's own folder on scratch; there when the agent asks for it."""
    return scratch / "steps" / agent_id


def with_last_table(outcomes: Sequence[StepOutcome]) -> list[StepOutcome]:
    """Where no agent wrote the final file, because none was asked to, the last table is the customer's."""
    tables = [outcome for outcome in outcomes if outcome.table is not None]
    if not tables or any(output.kind == FINAL for outcome in outcomes for output in outcome.outputs):
        return list(outcomes)
    last = tables[-1]
    assert last.table is not None
    final = last.table.model_copy(update={"kind": FINAL, "is_output": True})
    whole = last.model_copy(update={"outputs": (*last.outputs, final)})
    return [whole if outcome is last else outcome for outcome in outcomes]
