"""From a customer's JSON to each agent's form: unknown agents, unknown fields, wrong types and ranges are refused."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from backend.errors import BadParameters, UnknownAgent
from transformers.tool import AgentParameters, Forms, Step, Tool


def check_wishes(tool: Tool, agents: Iterable[str], parameters: Mapping[str, Any]) -> None:
    """What a task may be created with: the rest of its parameters may still come, in parameters.json.

    Raises:
        UnknownAgent, BadParameters
    """
    forms = read_forms(tool, parameters, may_lack=True)
    if all(step.id in forms for step in tool.steps):
        chosen_steps(tool, agents, forms)


def chosen_steps(tool: Tool, agents: Iterable[str], forms: Forms) -> tuple[Step, ...]:
    """The steps of the chosen agents in the tool's running order; none chosen means all.

    Raises:
        UnknownAgent: an id that the tool does not have, or one named twice.
    """
    wanted = list(agents)
    steps = tool.unfold(forms) if tool.unfold is not None else tool.steps
    known = [step.id for step in steps]
    for agent_id in wanted:
        if agent_id not in known:
            raise UnknownAgent(f"{tool.name} has no agent called {agent_id!r}.", agent=agent_id, agents=known)
    if len(set(wanted)) != len(wanted):
        raise UnknownAgent("An agent is named twice.", agents=wanted)
    if tool.unfold is not None and wanted and len(wanted) != len(known):
        raise UnknownAgent(f"{tool.name} runs all of its steps; leave the agents out.", agents=wanted)
    return tuple(step for step in steps if not wanted or step.id in wanted)


def form_of(step: Step, forms: Forms) -> AgentParameters:
    return step.form if step.form is not None else forms[step.id]


def read_forms(tool: Tool, parameters: Mapping[str, Any], *, may_lack: bool = False) -> dict[str, AgentParameters]:
    """A form for every agent of the tool, filled from `{agent_id: {parameter: value}}` or left at its defaults.

    `may_lack`: an agent whose form is sound as far as it goes, but lacks something, has none.

    Raises:
        UnknownAgent, BadParameters: the sentence names the field.
    """
    for agent_id in parameters:
        if tool.step(agent_id) is None:
            raise UnknownAgent(f"{tool.name} has no agent called {agent_id!r}.", agent=agent_id)
    forms = {step.id: _read_form(step, parameters.get(step.id, {}), may_lack=may_lack) for step in tool.steps}
    return {agent_id: form for agent_id, form in forms.items() if form is not None}


def _read_form(step: Step, values: Any, *, may_lack: bool) -> AgentParameters | None:
    try:
        # As JSON, where strict means that "5" is no number and "yes" no truth, while a list may become a tuple.
        return step.agent.parameters.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        if may_lack and all(fault["type"] == "missing" for fault in faults):
            return None
        first = faults[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadParameters(
            f"{step.id}: {field or 'parameters'}: {_plain(first)}.", agent=step.id, field=field
        ) from None


def _plain(fault: Mapping[str, Any]) -> str:
    """What pydantic says, without its own words."""
    if fault["type"] in _SAID_PLAINLY:
        return _SAID_PLAINLY[fault["type"]]
    message = str(fault["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return message.removeprefix("Input ").removesuffix(".")


_SAID_PLAINLY = {
    "model_type": "should be an object of parameters",
    "model_attributes_type": "should be an object of parameters",
    "dict_type": "should be an object",
    "list_type": "should be a list",
    "tuple_type": "should be a list",
    "extra_forbidden": "there is no such parameter",
}
