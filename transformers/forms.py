"""From a customer's JSON to each agent's form: unknown agents, unknown fields, wrong types and ranges are refused."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from backend.errors import BadParameters, UnknownAgent
from transformers.tool import AgentParameters, Step, Tool


def chosen_steps(tool: Tool, agents: Iterable[str]) -> tuple[Step, ...]:
    """The steps of the chosen agents in the tool's running order; none chosen means all.

    Raises:
        UnknownAgent: an id that the tool does not have, or one named twice.
    """
    wanted = list(agents)
    known = [step.id for step in tool.steps]
    for agent_id in wanted:
        if agent_id not in known:
            raise UnknownAgent(f"{tool.name} has no agent called {agent_id!r}.", agent=agent_id, agents=known)
    if len(set(wanted)) != len(wanted):
        raise UnknownAgent("An agent is named twice.", agents=wanted)
    return tuple(step for step in tool.steps if not wanted or step.id in wanted)


def read_forms(tool: Tool, parameters: Mapping[str, Any]) -> dict[str, AgentParameters]:
    """A form for every agent of the tool, filled from `{agent_id: {parameter: value}}` or left at its defaults.

    Raises:
        UnknownAgent, BadParameters: the sentence names the field.
    """
    for agent_id in parameters:
        if tool.step(agent_id) is None:
            raise UnknownAgent(f"{tool.name} has no agent called {agent_id!r}.", agent=agent_id)
    return {step.id: _read_form(step, parameters.get(step.id, {})) for step in tool.steps}


def _read_form(step: Step, values: Any) -> AgentParameters:
    try:
        # As JSON, where strict means that "5" is no number and "yes" no truth, while a list may become a tuple.
        return step.agent.parameters.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
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
