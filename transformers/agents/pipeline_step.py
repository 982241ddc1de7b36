"""One step of a pipeline: fill in its templates, ask its model, keep the answer (CATALOGUE §6)."""

from typing import Any

from backend.clock import monotonic
from backend.errors import AnswerInvalid, BadParameters, writable
from backend.language_models.questions import Answer, Question
from transformers.findings import AgentResult
from transformers.pipelines.form import PipelineStep, StepParameters
from transformers.pipelines.given import read_input
from transformers.pipelines.graph import INPUT
from transformers.reporting.plain_json import DEEPEST, fault_in
from transformers.tool import Agent, Delivery
from transformers.waiting_agent import WaitingContext


async def ask_step(context: WaitingContext) -> Delivery:
    """Its answer.

    Raises:
        BadParameters: a template reads what is not there. UnreadableFile: the input is no JSON.
        AgensiumError: what the model's door says.
    """
    form = context.parameters
    assert isinstance(form, StepParameters)
    question = _question(form, context)
    began = monotonic()
    answer = await context.models.ask(question, context.budget())
    return Delivery(result=_result(form.step, answer, monotonic() - began), usage=answer.usage)


def _question(form: StepParameters, context: WaitingContext) -> Question:
    from transformers.pipelines.grammar import TemplateFault
    from transformers.pipelines.prompts import messages

    step = form.step
    results = {name: context.earlier[name].result.data for name in step.after}
    try:
        said = messages(step, _input(form, context), results)
    except TemplateFault as fault:
        raise BadParameters(f"The template of the step {step.name!r} could not be filled in: {fault}.") from None
    return Question(
        model=step.model or context.default_model,
        messages=said,
        temperature=step.options.temperature,
        max_tokens=step.options.max_tokens,
        extra=step.options.extra,
        output_schema=step.output_schema,
        fallback_models=tuple(name or context.default_model for name in step.fallback_models),
        timeout_seconds=step.timeout,
        cache_seconds=step.cache_seconds,
        cache_scope=str(context.user_id),
    )


def _input(form: StepParameters, context: WaitingContext) -> Any:
    files = context.files.get(INPUT, ())
    if form.input is not None or not files or INPUT not in form.step.reads:
        return form.input
    return read_input(files[0].path.read_bytes())


def _result(step: PipelineStep, answer: Answer, seconds: float) -> AgentResult:
    data = {
        "output": _output(answer.content if step.output_schema is None else answer.parsed),
        "time": round(seconds, 3),
        "model": answer.model,
        "status": "ok",
        "fallback": answer.fallback,
        "usage": answer.usage.model_dump(),
        "finish_reason": answer.finish_reason,
    }
    metrics = {"calls": answer.usage.calls, "tokens": answer.usage.tokens, "cached": answer.cached}
    return AgentResult(agent_id=step.name, agent_name=step.name, summary_metrics=metrics, data=data)


def _output(said: Any) -> Any:
    """As JSON that a database takes. Raises AnswerInvalid: no reader would take it."""
    value = _writable(said)
    if (fault := fault_in(value)) is not None:
        raise AnswerInvalid(f"The model's answer is not accepted: {fault}.")
    return value


def _writable(value: Any, deeper: int = DEEPEST) -> Any:
    """Models write NUL and half surrogate pairs too."""
    if isinstance(value, str):
        return writable(value)
    if isinstance(value, dict) and deeper:
        return {writable(name): _writable(inner, deeper - 1) for name, inner in value.items()}
    if isinstance(value, list) and deeper:
        return [_writable(inner, deeper - 1) for inner in value]
    return value


def agent_of(step: PipelineStep) -> Agent:
    """A step as the walk over steps knows it."""
    return Agent(
        id=step.name,
        name=step.name,
        description=f"A step of a pipeline, asked of {step.model or 'the default model'}.",
        parameters=StepParameters,
        run=ask_step,
        roles=(),
    )
