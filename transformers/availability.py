"""Whether a tool can be asked for here: one that asks language models needs a model that is set up."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backend.errors import ToolUnavailable
from transformers.forms import read_forms
from transformers.submission import check_models
from transformers.tool import Forms, Tool

WhyUnavailable = Callable[[str | None], str | None]  # of a model, None being the default one; None: it can be asked


def why_unavailable(tool: Tool, ask: WhyUnavailable) -> str | None:
    """One sentence, of the models that the tool asks when nothing is said; None where it can be asked for."""
    if tool.models is None:
        return None
    forms = _whole_forms(tool, {})
    models = ("",) if forms is None else tool.models(forms)
    return next((reason for model in models if (reason := ask(model or None)) is not None), None)


def models_of(tool: Tool, offered: Sequence[str]) -> tuple[str, ...]:
    """Those that its parameters may name, the default first: of the language models, or the tool's own kind."""
    if tool.models is None:
        return ()
    forms = _whole_forms(tool, {})
    usual = ("",) if forms is None else tuple(tool.models(forms))
    return tuple(offered) if "" in usual else usual


def check_available(tool: Tool, parameters: Mapping[str, Any], offered: Sequence[str], ask: WhyUnavailable) -> None:
    """Before a task is made, by the models that its parameters name. What they do not say yet, the submit checks.

    Raises:
        ToolUnavailable
    """
    if tool.models is None:
        return
    forms = _whole_forms(tool, parameters)
    if forms is not None:
        check_models(tool, forms, ask)
    elif not offered and (reason := ask(None)) is not None:
        raise ToolUnavailable(reason, tool=tool.id)


def _whole_forms(tool: Tool, parameters: Mapping[str, Any]) -> Forms | None:
    """None where something that must be said is not said yet."""
    forms = read_forms(tool, parameters, may_lack=True)
    return forms if all(step.id in forms for step in tool.steps) else None
