"""Where a run stands among its steps: what earlier claims finished, what this one has delivered, who is next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from db.models import TaskStep
from db.paces import Pace, mebibytes
from transformers.chain import Chain
from transformers.forms import form_of
from transformers.operations import NamedForm, name_of
from transformers.progress import percent_done
from transformers.reporting.report import StepOutcome
from transformers.tool import AgentParameters, Delivery, Step
from transformers.workbench import Workbench


@dataclass(frozen=True)
class Walk:
    """`outcomes` and `delivered` are by step, and grow as steps end.

    `unwritten` has delivered, so that the next step may build upon it, and its checkpoint is not there yet.
    """

    bench: Workbench
    finished: Mapping[str, TaskStep]
    paces: Mapping[str, Pace]
    chain: Chain
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    delivered: dict[str, Delivery] = field(default_factory=dict)
    unwritten: set[str] = field(default_factory=set)

    @cached_property
    def forms(self) -> dict[str, NamedForm]:
        """As every computing step's request brings them."""
        return {step.id: _named(form_of(step, self.bench.forms), step) for step in self.bench.steps}

    def progress(self, step: Step, more: float = 0.0) -> float:
        """Percent: ended steps of all, with `more` of this one; never 100 before the settlement.

        Of a step that fans out nothing: all that it planned is still to be done, and its items count themselves.
        """
        work = [other for other in self.bench.steps if not other.fans_out]
        ended = sum(other.id in self.outcomes for other in work)
        return percent_done(ended + (0.0 if step.fans_out else more), len(work) or 1)

    def next_agent(self, ending: Step | None = None) -> str | None:
        """The first, in order, that has not ended, when `ending` has."""
        left = (step for step in self.bench.steps if step.id not in self.outcomes and step is not ending)
        return next((step.id for step in left), None)

    def usual_seconds(self, step: Step) -> float | None:
        """What the agent takes for so much data, and one time in twenty exceeds; None where it never had so much."""
        pace = self.paces.get(step.id)
        size = mebibytes(file["size"] for files in self.bench.claim.inputs.values() for file in files)
        return None if pace is None or size > pace.largest else pace.slow * size

    def take(self, step: Step, outcome: StepOutcome, delivery: Delivery | None) -> None:
        """A step has ended."""
        if delivery is not None:
            self.build_on(step, delivery)
        self.end(step, outcome)

    def build_on(self, step: Step, delivery: Delivery) -> None:
        """The steps that come after may."""
        self.delivered[step.id] = delivery
        if self.bench.tool.chained:
            self.chain.take(delivery)

    def end(self, step: Step, outcome: StepOutcome) -> None:
        self.unwritten.discard(step.id)
        self.outcomes[step.id] = outcome


def _named(form: AgentParameters, step: Step) -> NamedForm:
    return NamedForm(name=name_of(step.agent.parameters), values=form.model_dump(mode="json", exclude_unset=True))
