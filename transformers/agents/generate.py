"""generate: one question to a language model, with all that the door does for an answer (CATALOGUE §6)."""

import json
from typing import Any

from pydantic import Field

from backend.language_models.questions import CALL_SECONDS, Answer, Question
from transformers.findings import AgentResult, SummaryCard
from transformers.inference.answers import as_kept
from transformers.inference.asked import question
from transformers.inference.conversations import MESSAGES, Conversation, Turn, messages_of, read_conversation
from transformers.inference.options import (
    MAX_TOKENS,
    Extra,
    FallbackModels,
    MaxTokens,
    ModelName,
    OutputSchema,
    Temperature,
    TimeoutSeconds,
)
from transformers.inference.telling import TextTeller
from transformers.tool import FINAL, Agent, AgentFile, AgentParameters, Delivery
from transformers.waiting_agent import WaitingContext

AGENT_ID = "generate"
ANSWER = "answer.json"
DAY = 86_400.0
SHOWN = 200  # characters of the answer on its card


class GenerateParameters(AgentParameters):
    prompt: str = Field(default="", description="What the model is asked; or upload the conversation as `messages`.")
    system: str = Field(default="", description="What the model is told first.")
    history: tuple[Turn, ...] = Field(default=(), description="What was said before the prompt, each {role, content}.")
    model: ModelName = Field(default="", description="As provider:model; the default one where nothing is said.")
    fallback_models: FallbackModels = Field(default=(), description="Asked in their order when it does not answer.")
    temperature: Temperature | None = Field(default=None, description="The model's own, where nothing is said.")
    max_tokens: MaxTokens = Field(default=MAX_TOKENS, description="The longest answer.")
    extra: Extra = Field(default_factory=dict, description="Further fields of the provider's own request.")
    output_schema: OutputSchema = Field(default=None, description="A JSON Schema that the answer must fit.")
    timeout_seconds: TimeoutSeconds = Field(default=CALL_SECONDS, description="How long one call may take.")
    cache_seconds: float = Field(
        default=0, ge=0, le=DAY, description="How long the answer may be given again to the same question; 0: not."
    )
    stream: bool = Field(default=False, description="Tell the text as it comes, in the task's events.")


async def run(context: WaitingContext) -> Delivery:
    form = context.parameters
    assert isinstance(form, GenerateParameters)
    uploaded = context.files.get(MESSAGES, ())
    conversation = read_conversation(uploaded[0].path.read_bytes()) if uploaded else None
    asked = question_of(form, conversation, context.default_model, f"user {context.user_id}")
    answer = await _answer(context, asked, told=form.stream)
    path = context.scratch / ANSWER
    kept = as_kept(answer)
    path.write_bytes(json.dumps(kept, ensure_ascii=False, indent=2).encode())
    file = AgentFile(name=ANSWER, path=path, content_type="application/json", kind=FINAL)
    return Delivery(result=_result(answer, kept), files=(file,), usage=answer.usage)


def question_of(
    form: GenerateParameters, conversation: Conversation | None, default_model: str, cache_scope: str
) -> Question:
    messages = messages_of(form.prompt, form.system, form.history, conversation)
    return question(form, default_model, messages, cache_seconds=form.cache_seconds, cache_scope=cache_scope)


async def _answer(context: WaitingContext, asked: Question, *, told: bool) -> Answer:
    if not told:
        return await context.models.ask(asked, context.budget())
    async with TextTeller(context.tell) as teller:
        return await context.models.ask(asked, context.budget(), teller.take)


def _result(answer: Answer, kept: dict[str, Any]) -> AgentResult:
    metrics: dict[str, Any] = {
        "model": answer.model,
        "fallback": answer.fallback,
        "cached": answer.cached,
        "finish_reason": answer.finish_reason,
        **answer.usage.model_dump(),
    }
    return AgentResult(
        agent_id=AGENT_ID,
        agent_name=AGENT.name,
        summary_metrics=metrics,
        data=kept,
        executive_summary=_cards(answer, kept["content"]),
        analysis_text=_text(answer),
    )


def _cards(answer: Answer, content: str) -> tuple[SummaryCard, ...]:
    whole = answer.finish_reason == "stop"
    return (
        SummaryCard(
            summary_id="answer",
            title="Answer",
            value=content[:SHOWN],
            status="good" if whole else "warning",
            description="The model's own words." if whole else f"It ended early: {answer.finish_reason}.",
        ),
        SummaryCard(
            summary_id="answer-tokens",
            title="Tokens",
            value=f"{answer.usage.tokens:,}",
            status="info",
            description=f"{answer.usage.input_tokens:,} read, {answer.usage.output_tokens:,} written.",
        ),
    )


def _text(answer: Answer) -> str:
    how = " (a fallback)" if answer.fallback else " (kept from an earlier call)" if answer.cached else ""
    return f"{answer.model}{how} answered with {answer.usage.output_tokens:,} tokens."


AGENT = Agent(
    id=AGENT_ID,
    name="Generator",
    description="Asks a language model, again or another one where need be, and checks its answer.",
    parameters=GenerateParameters,
    run=run,
    roles=(),
)
