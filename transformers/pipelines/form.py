"""What a customer says of a pipeline, checked as a whole: steps, their templates and models, and who comes after whom.

The API reads it, so Jinja2 is only imported when there is something to check.
"""

from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from backend.language_models.questions import CALL_SECONDS, Role
from transformers.inference.options import (
    MAX_TOKENS,
    Extra,
    FallbackModels,
    MaxTokens,
    ModelName,
    OutputSchema,
    Temperature,
)
from transformers.pipelines.graph import STEPS, check_names, check_order, check_read
from transformers.tool import AgentParameters

MOST_STEPS = 50
MOST_SECONDS = 600.0  # of one call

StepName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
TemplateText = Annotated[str, StringConstraints(min_length=1, max_length=200_000)]


class TemplateMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    content: TemplateText


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: Temperature | None = None
    max_tokens: MaxTokens = Field(
        default=MAX_TOKENS, description="Longest answer, in tokens; the model is told, so that no answer is dearer."
    )
    extra: Extra = Field(default_factory=dict, description="Further fields of the provider's own request.")


class PipelineStep(BaseModel):
    """One question, with templates in place of texts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: StepName
    model: ModelName = Field(default="", description="provider:model; left out, the default model.")
    prompt_template: TemplateText | None = Field(
        default=None,
        description="What to ask, instead of messages: text with {{ input.x }}, {{ a_step.output.y }}, "
        '{{ steps["a-step"].output }}, {% if %}, {% for %} and the filters tojson, join, length, upper, lower, trim, '
        "truncate, first, last, default.",
    )
    messages: tuple[TemplateMessage, ...] = Field(default=(), max_length=50)
    system: TemplateText | None = Field(default=None, description="Who the model is to be; a template, too.")
    options: Options = Options()
    fallback_models: FallbackModels = Field(default=(), description="Asked in turn when one fails.")
    timeout: float = Field(default=CALL_SECONDS, gt=0, le=MOST_SECONDS, description="Seconds that one call may take.")
    output_schema: OutputSchema = Field(default=None, description="JSON Schema that the answer must fit.")
    after: tuple[StepName, ...] = Field(
        default=(), max_length=MOST_STEPS, description="Steps that it waits for and reads."
    )
    cache_seconds: float = Field(default=0, ge=0, le=604_800, description="How long the same question is not asked.")

    @property
    def templates(self) -> tuple[TemplateMessage, ...]:
        """All that is said, in order."""
        system = (TemplateMessage(role=Role.SYSTEM, content=self.system),) if self.system else ()
        if self.prompt_template is None:
            return system + self.messages
        return (*system, TemplateMessage(role=Role.USER, content=self.prompt_template))

    @cached_property
    def reads(self) -> frozenset[str]:
        """What its templates name: `input`, and steps; one that it has by steps["its-name"] as if by name."""
        from transformers.pipelines.templates import template

        read = [template(message.content) for message in self.templates]
        names = frozenset[str]().union(*(one.names for one in read)) - {STEPS}
        paths = (use.path for one in read for use in one.uses if use.root == STEPS)
        return names.union(str(path[0]) for path in paths if path)

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "PipelineStep":
        if (self.prompt_template is None) == (not self.messages):
            raise ValueError(f"the step {self.name!r} needs either a prompt_template or messages")
        return self


class PipelineParameters(AgentParameters):
    steps: tuple[PipelineStep, ...] = Field(
        min_length=1, max_length=MOST_STEPS, description="What is asked; those that are ready are asked together."
    )
    input: Any = Field(
        default=None, description="What the templates read as `input`; it comes before a file for the role input."
    )

    @model_validator(mode="after")
    def _is_a_graph(self) -> "PipelineParameters":
        after = {step.name: step.after for step in self.steps}
        check_names([step.name for step in self.steps])
        check_order(after)
        _check_templates(self.steps)
        for step in self.steps:
            check_read(step.name, step.reads, after)
        return self


def _check_templates(steps: tuple[PipelineStep, ...]) -> None:
    """Raises ValueError: one is no template, or all together are too much to read."""
    from transformers.pipelines.grammar import MOST_PARTS, TemplateFault
    from transformers.pipelines.templates import template

    parts = 0
    for step in steps:
        try:
            for said in step.templates:
                parts += template(said.content).parts
                if parts > MOST_PARTS:
                    raise ValueError(f"all templates together have more than {MOST_PARTS:,} parts")
        except TemplateFault as fault:
            raise ValueError(f"the template of the step {step.name!r} is not accepted: {fault}") from None


class StepParameters(AgentParameters):
    """One unfolded step's own form: all that its answer hangs on.

    `input` is there where its templates read it. Its digest stands for it in fingerprints and reports, or it would be
    in there once a step.
    """

    step: PipelineStep
    input: Any = Field(default=None, exclude=True, repr=False)
    input_sha256: str = ""
