"""From a step's templates to the messages that a model gets, and how long they can be.

An answer that a template reads is data: it is written out as it is, and never read as a template itself.
"""

import json
from collections.abc import Mapping
from typing import Any

from backend.language_models.questions import Message
from transformers.pipelines.form import PipelineStep
from transformers.pipelines.graph import INPUT, STEPS
from transformers.pipelines.sandbox import MOST_TEXT
from transformers.pipelines.templates import Template, Use, template, weight

Results = Mapping[str, dict[str, Any]]  # by step, what a template reads of it


def messages(step: PipelineStep, given: Any, results: Results) -> tuple[Message, ...]:
    """The step's templates, filled in. `given` is the pipeline's input, None where there is none.

    Raises:
        TemplateFault
    """
    values = {**results, STEPS: dict(results)} | ({INPUT: given} if given is not None else {})
    return tuple(Message(role=said.role, content=_filled(said.content, values)) for said in step.templates)


def _filled(source: str, values: Mapping[str, Any]) -> str:
    read = template(source)
    longest = read.longest(lambda use: weight(_json(_at(values, use))), _turns(read, values.get(INPUT)))
    return read.fill(values, min(longest, MOST_TEXT))


def most_tokens(step: PipelineStep, given: Any, longest_answers: Mapping[str, int]) -> list[int]:
    """Of each message, before anything is asked: an answer is as long as it may be, in tokens."""

    def size(use: Use) -> int:
        if use.root == INPUT:
            return weight(_json(_at({INPUT: given}, use)))
        name = str(use.path[0]) if use.root == STEPS and use.path else use.root
        return longest_answers[name] if name in longest_answers else sum(longest_answers.values())

    read = [template(said.content) for said in step.templates]
    return [min(one.longest(size, _turns(one, given)), MOST_TEXT) for one in read]


def _turns(read: Template, given: Any) -> int:
    """How often its loops over the input turn: known before anything is asked, and so held for."""
    over = [_at({INPUT: given}, use) for use in read.uses if use.root == INPUT] if read.loops else []
    return max((_entries(value, read.loops) for value in over), default=0)


def _entries(value: Any, depth: int) -> int:
    """Of a list or an object and of those within it, as deep as loops are nested."""
    if depth == 0 or not isinstance(value, list | dict):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return len(value) + sum(_entries(item, depth - 1) for item in inner)


def _at(values: Mapping[str, Any], use: Use) -> Any:
    """What a path leads to; as far as it leads anywhere."""
    found: Any = values.get(use.root)
    for part in use.path:
        try:
            found = found[part]
        except (LookupError, TypeError):
            break
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
