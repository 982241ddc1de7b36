"""docs/reference/tools.md: every tool of the catalogue: inputs, agents, prices, limits."""

from tests.docs.reference.wording import code, megabytes, table
from transformers.catalog import TRANSFORMERS
from transformers.tool import InputRole, Step, Tool

INTRO = """# Tools

What can be asked for, as `GET /tools` tells it. Agents run in this order; a task may choose some of them. Credits are
held at the submit and captured with each agent that delivered. An agent whose input is not there is left out where
the tool does not need it. Each agent's parameters are [a page of their own](parameters.md).

"""


def tools_page() -> str:
    return INTRO + "\n".join(_section(one.tool) for one in TRANSFORMERS)


def _section(tool: Tool) -> str:
    chained = " Each agent works on the table that the one before left." if tool.chained else ""
    most, silent = _minutes(tool.time_limit.total_seconds()), _minutes(tool.no_progress_after.total_seconds())
    limits = f" Running time at most {most}; ended after {silent} without a sign of life."
    inputs = table(("input", "formats", "at most", ""), map(_input, tool.roles)) if tool.roles else "No input files.\n"
    agents = table(("agent", "credits", "what it does", ""), [_agent(step, tool) for step in tool.steps])
    steps = agents if tool.steps else "Its steps are the customer's own: see its parameters.\n"
    return f"## {tool.id}\n\n{tool.description}{chained}{limits}\n\n{inputs}\n{steps}"


def _input(role: InputRole) -> tuple[str, ...]:
    notes = ["required" if role.required else "optional", "several files" if role.many else ""]
    return code(role.name), ", ".join(role.formats), megabytes(role.max_bytes), ", ".join(filter(None, notes))


def _agent(step: Step, tool: Tool) -> tuple[str, ...]:
    link = f"[`{step.id}`](parameters.md#{tool.id}--{step.id})"
    needs = [role for role in step.agent.roles if role != "primary" and not tool.chained]
    notes = ["" if step.required else "may fail alone", "in parts, side by side" if step.in_children else ""]
    notes += [f"needs {', '.join(needs)}"] if needs else []
    return link, _price(step), step.agent.description, "; ".join(filter(None, notes))


def _price(step: Step) -> str:
    if step.tariff is None:
        return str(step.price)
    said = [f"{step.tariff.per_call} a call"] if step.tariff.per_call else []
    return " + ".join([*said, f"{step.tariff.per_thousand_tokens} a thousand tokens"])


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} minutes"
