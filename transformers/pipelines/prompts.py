"""From a step's templates to the messages that a model gets, and how long they can be.

An answer that a template reads is data: it is written out as it is, and never read as a template itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.language_models.questions import Message
from transformers.pipelines.filters import MOST_TEXT
from transformers.pipelines.form import PipelineStep
from transformers.pipelines.graph import INPUT, STEPS
from transformers.pipelines.sandbox import Spent
from transformers.pipelines.templates import Template, template
from transformers.pipelines.uses import Use, weight


@dataclass(frozen=True)
class Known:
    """What templates may read, by name, and how long it is: each worked out once, for it may be large."""

    values: Mapping[str, Any]
    _weights: dict[Use, int] = field(default_factory=dict)
    _turns: dict[tuple[Use, int], int] = field(default_factory=dict)

    def weight(self, use: Use) -> int:
        """Of its text, in tokens at most. A thousand paths that lead nowhere all end at the same value."""
        found, led = self._at(use)
        if led not in self._weights:
            self._weights[led] = weight(json.dumps(found, ensure_ascii=False))
        return self._weights[led]

    def turns(self, read: Template) -> int:
        """How often a template's loops over the input turn: known before anything is asked, and so held for."""
        over = [use for use in read.uses if use.root == INPUT] if read.loops else []
        return max((self._turns_over(use, read.loops) for use in over), default=0)

    def _turns_over(self, use: Use, loops: int) -> int:
        found, led = self._at(use)
        if (led, loops) not in self._turns:
            self._turns[led, loops] = _entries(found, loops)
        return self._turns[led, loops]

    def _at(self, use: Use) -> tuple[Any, Use]:
        """What a path leads to, and the path as far as it leads anywhere."""
        found: Any = self.values.get(use.root)
        for length, part in enumerate(use.path):
            try:
                found = found[part]
            except (LookupError, TypeError):
                return found, Use(use.root, use.path[:length])
        return found, use


def messages(step: PipelineStep, given: Any, results: Mapping[str, dict[str, Any]]) -> tuple[Message, ...]:
    """The step's templates, filled in. `given` is the pipeline's input, None where there is none.

    Raises:
        TemplateFault
    """
    known = Known({**results, STEPS: dict(results)} | ({INPUT: given} if given is not None else {}))
    spent, left, filled = Spent(), MOST_TEXT, []
    for said in step.templates:
        read = template(said.content)
        text = read.fill(known.values, min(read.longest(known.weight, known.turns(read)), left), spent)
        left -= len(text.encode(errors="replace"))
        filled.append(Message(role=said.role, content=text))
    return tuple(filled)


def most_tokens(step: PipelineStep, known: Known, longest_answers: Mapping[str, int]) -> list[int]:
    """Of each message, before anything is asked: an answer is as long as it may be, in tokens."""

    def size(use: Use) -> int:
        if use.root == INPUT:
            return known.weight(use)
        name = str(use.path[0]) if use.root == STEPS and use.path else use.root
        return longest_answers[name] if name in longest_answers else sum(longest_answers.values())

    read = [template(said.content) for said in step.templates]
    return [min(one.longest(size, known.turns(one)), MOST_TEXT) for one in read]


def _entries(value: Any, depth: int) -> int:
    """Of a list or an object and of those within it, as deep as loops are nested."""
    if depth == 0 or not isinstance(value, list | dict):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return len(value) + sum(_entries(item, depth - 1) for item in inner)
