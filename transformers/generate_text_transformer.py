"""generate-text: one question to a language model that is answered if any of those named can (CATALOGUE §6)."""

from collections.abc import Container, Iterator
from typing import Any

from backend.language_models.questions import Usage
from transformers.agents import generate
from transformers.inference.bounds import most_usage, with_repairs
from transformers.inference.conversations import MESSAGES, read_conversation
from transformers.routing import transformer
from transformers.tool import MEBIBYTE, Forms, Given, InputRole, Step, Tariff, Tool


def _most(form: Any, given: Given, _done: Container[int]) -> Usage:
    """The upper bound of one answer.

    Raises:
        BadParameters, UnreadableFile: there is no question.
    """
    assert isinstance(form, generate.GenerateParameters)
    files = given.get(MESSAGES, ())
    conversation = read_conversation(files[0].read()) if files else None
    messages = generate.question_of(form, conversation, "", "").messages
    return with_repairs(most_usage(messages, form.max_tokens, form.extra), form.output_schema)


def _models(forms: Forms) -> Iterator[str]:
    form = forms[generate.AGENT_ID]
    assert isinstance(form, generate.GenerateParameters)
    yield from (form.model, *form.fallback_models)


GENERATE_TEXT = Tool(
    id="generate-text",
    name="Generate text",
    description="Ask a language model once: tried again, asked of others and checked against a schema where need be.",
    roles=(InputRole(MESSAGES, ("json",), max_bytes=MEBIBYTE, is_table=False),),
    steps=(Step(generate.AGENT, tariff=Tariff(per_call=1, per_thousand_tokens=1), bound=_most),),
    models=_models,
)

run_generate_text_analysis = transformer(GENERATE_TEXT)
