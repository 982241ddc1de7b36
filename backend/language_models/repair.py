"""Answers that have to fit a schema: asked for in words, checked, and given back to the model where they do not fit.

Nobody mends an answer but the model itself: a comma put in by us would be a value that nobody said.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from backend.errors import AnswerInvalid
from backend.language_models.questions import Answer, Message, Question, Role, Usage
from backend.language_models.schemas import faults_of, read

REPAIRS = 3  # a question has so many, over all its models: it never costs more than 1 + REPAIRS answers; CATALOGUE §6

WANTED = """Answer with one JSON value that is valid against this JSON Schema, and with nothing else: no explanation, \
no Markdown.

{schema}"""

REPAIR = """Your last answer is not valid against the JSON Schema that was given. What is wrong:

{faults}

Answer again with the whole corrected JSON value and nothing else. Change only what is wrong."""

Ask = Callable[[tuple[Message, ...]], Awaitable[Answer]]


class Repairs:
    """What one question has left of them, and what it has used, over all its models."""

    def __init__(self) -> None:
        self.left = REPAIRS
        self.used = Usage()

    def take(self, kept: int = 0) -> bool:
        """One more, if more are left than are kept for others."""
        if self.left <= kept:
            return False
        self.left -= 1
        return True


async def fitting_answer(ask: Ask, question: Question, repairs: Repairs, kept: int) -> Answer:
    """A model's answer with `parsed`, and with the use of all that it took; `kept` repairs are left to a fallback.

    Raises:
        AnswerInvalid, and whatever `ask` raises
    """
    schema = question.output_schema or {}
    asked = with_schema(question.messages, schema)
    messages = asked
    while True:
        answer = await ask(messages)
        repairs.used += answer.usage
        answer = answer.model_copy(update={"usage": repairs.used})
        if answer.tool_calls and not answer.content:
            return answer  # it wants something else before it answers
        parsed, faults = await asyncio.to_thread(_checked, answer.content, schema)
        if not faults:
            return answer.model_copy(update={"parsed": parsed})
        if not repairs.take(kept):
            raise AnswerInvalid(detail=f"{answer.model}: {' '.join(faults)}", faults=faults)
        messages = (*asked, *_given_back(answer.content, faults))


def with_schema(messages: tuple[Message, ...], schema: dict[str, Any]) -> tuple[Message, ...]:
    """In the system's words: also where the provider takes a schema natively, for a server may pass over that."""
    wanted = WANTED.format(schema=json.dumps(schema, ensure_ascii=False))
    if messages and messages[0].role is Role.SYSTEM:
        first = Message(role=Role.SYSTEM, content=f"{messages[0].content}\n\n{wanted}")
        return (first, *messages[1:])
    return (Message(role=Role.SYSTEM, content=wanted), *messages)


def _checked(content: str, schema: dict[str, Any]) -> tuple[Any, list[str]]:
    try:
        value = read(content)
    except (ValueError, RecursionError) as error:
        return None, [f"It is no JSON: {error}."]
    return value, faults_of(value, schema)


def _given_back(content: str, faults: list[str]) -> tuple[Message, ...]:
    """An empty answer is not repeated: servers refuse an empty message."""
    words = Message(role=Role.USER, content=REPAIR.format(faults="\n".join(f"- {fault}" for fault in faults)))
    return (Message(role=Role.ASSISTANT, content=content), words) if content.strip() else (words,)
