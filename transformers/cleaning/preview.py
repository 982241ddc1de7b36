"""The chosen chain, run without leaving anything: each stage by the very code that will run it, on what the one before
it would have left.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from transformers.cleaning.delivery import run_stage
from transformers.cleaning.foreseen import Foreseen
from transformers.cleaning.results import metrics_of, rules_of
from transformers.cleaning.rules import Applied, Stage
from transformers.cleaning.stages import STAGES
from transformers.tool import PRIMARY, AgentContext, AgentParameters

MEMORY_SHARE = 2 / 3  # of what a stage alone may use: several databases in one process leave their allocators' slack
ENDS = ("cleanse-previewer", "cleanse-writeback")  # they change nothing


@dataclass(frozen=True)
class Previewed:
    """What one stage would do. Its files are gone; the figures stay."""

    stage: Stage
    applied: Applied
    flags: dict[str, int]

    @property
    def rules(self) -> list[dict[str, Any]]:
        return rules_of(self.applied, self.flags)

    @property
    def metrics(self) -> dict[str, Any]:
        return metrics_of(self.applied, self.flags)


def chain_of(forms: Mapping[str, AgentParameters]) -> list[tuple[Stage, AgentParameters]]:
    """The chosen stages in running order; all of them, as they are by default, where none is chosen."""
    chosen = will_run(forms)
    if not chosen:
        return [(stage, stage.form()) for stage in STAGES.values()]
    return [(stage, chosen[agent_id]) for agent_id, stage in STAGES.items() if agent_id in chosen]


def will_run(forms: Mapping[str, AgentParameters]) -> dict[str, AgentParameters]:
    """The forms of the stages that were chosen."""
    return {agent_id: form for agent_id, form in forms.items() if agent_id not in ENDS}


def previewed(
    context: AgentContext, chain: list[tuple[Stage, AgentParameters]], foreseen: Foreseen
) -> Iterator[Previewed]:
    table, told = context.primary, context.report_progress
    for number, (stage, form) in enumerate(chain):
        scratch = context.scratch / f"preview-{number}"
        scratch.mkdir()
        own = replace(
            context,
            tables={**context.tables, PRIMARY: table},
            parameters=form,
            scratch=scratch,
            memory_bytes=int(context.memory_bytes * MEMORY_SHARE),
            report_progress=partial(_tell, told, number, len(chain)),
        )
        ran = run_stage(own, stage, foreseen)
        yield Previewed(stage, ran.applied, ran.flags)
        for file in ran.applied.files:
            file.path.unlink()
        if ran.applied.changed:
            _forget(context, number - 1)
            table = ran.applied.table
    _forget(context, len(chain) - 1)
    told(1.0)


def _tell(told: Callable[[float], None], number: int, stages: int, done: float) -> None:
    told((number + done) / stages)


def _forget(context: AgentContext, last: int) -> None:
    """The tables of the stages before: the next one replaces them."""
    for number in range(last + 1):
        shutil.rmtree(context.scratch / f"preview-{number}", ignore_errors=True)
