"""model-pipeline: questions to models that come after each other; each is a step, a checkpoint and a price of its own.

The steps are unfolded from the parameters. A failed one skips those that come after it, the others go on.
"""

import json
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from backend.language_models.questions import Usage
from transformers.agents import pipeline_step
from transformers.inference.bounds import TOKENS_AROUND, with_repairs
from transformers.pipelines.form import PipelineParameters, PipelineStep, StepParameters
from transformers.pipelines.given import LARGEST, InputAtSubmit
from transformers.pipelines.graph import INPUT, in_order
from transformers.pipelines.results import pipeline_results
from transformers.routing import transformer
from transformers.tool import Agent, Forms, Given, InputRole, Step, Tariff, Tool

PIPELINE = "pipeline"
TARIFF = Tariff(per_call=1, per_thousand_tokens=1)


def unfold(forms: Forms) -> tuple[Step, ...]:
    """The pipeline's own steps, none before one that it comes after."""
    form = _form(forms)
    steps, given = {step.name: step for step in form.steps}, InputAtSubmit(form.input)
    order = in_order({step.name: step.after for step in form.steps})
    return tuple(_unfolded(steps[name], steps, given) for name in order)


def models(forms: Forms) -> Iterable[str]:
    """All that the steps name, also in case of need; "" is the default."""
    return {name for step in _form(forms).steps for name in (step.model, *step.fallback_models)}


def _form(forms: Forms) -> PipelineParameters:
    form = forms[PIPELINE]
    assert isinstance(form, PipelineParameters)
    return form


def _unfolded(step: PipelineStep, steps: dict[str, PipelineStep], given: InputAtSubmit) -> Step:
    answers = {name: steps[name].options.max_tokens for name in step.after}
    return Step(
        pipeline_step.agent_of(step),
        required=False,
        tariff=TARIFF,
        bound=MostUsage(step, answers, given),
        after=step.after,
        form=_step_form(step, given),
    )


def _step_form(step: PipelineStep, given: InputAtSubmit) -> StepParameters:
    if given.value is None or INPUT not in step.reads:
        return StepParameters(step=step)
    return StepParameters(step=step, input=given.value, input_sha256=given.digest)


@dataclass(frozen=True)
class MostUsage:
    """The most that a step may use: all that its templates may write, and the longest answer, with its repairs."""

    step: PipelineStep
    longest_answers: dict[str, int]  # in tokens, of those it comes after
    given: InputAtSubmit

    def __call__(self, _form: Any, given: Given, _done: Container[int]) -> Usage:
        from transformers.pipelines.prompts import Known, most_tokens

        known = self.given.known(given) if INPUT in self.step.reads else Known({})
        tokens = most_tokens(self.step, known, self.longest_answers)
        read = sum(tokens) + TOKENS_AROUND * len(tokens) + len(json.dumps(self.step.options.extra))
        plain = Usage(calls=1, input_tokens=read, output_tokens=self.step.options.max_tokens)
        return with_repairs(plain, self.step.output_schema)


MODEL_PIPELINE = Tool(
    id="model-pipeline",
    name="Model pipeline",
    description="Ask models step by step: later questions read earlier answers, and those that are ready run together.",
    roles=(InputRole(INPUT, ("json",), max_bytes=LARGEST, is_table=False),),
    steps=(
        Step(
            Agent(
                id=PIPELINE,
                name="Pipeline",
                description="The steps of the pipeline, as its parameters give them.",
                parameters=PipelineParameters,
                run=pipeline_step.ask_step,
                roles=(),
            ),
            tariff=TARIFF,
        ),
    ),
    unfold=unfold,
    models=models,
    results=pipeline_results,
    time_limit=timedelta(hours=2),  # fifty answers, one after the other, at two minutes each
)

run_model_pipeline_analysis = transformer(MODEL_PIPELINE)
