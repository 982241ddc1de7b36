"""Our own work on a table, in one process as a task's child does it: parse, the agents in order, the report.

    python -m bench.own_tables '{"tool": …, "agents": […], "parameters": {…}, "source": …, "folder": …}'

The very operations that the child is asked for, with the child's memory. Database and store, which P5 measures, have no
part in it. Left in the folder: the report's files, and `said.json` with the seconds and the metrics of each agent.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from backend.clock import monotonic, now
from backend.settings import get_settings
from transformers.catalog import tool_for
from transformers.chain import Chain, folder_of
from transformers.operations import (
    AgentRequest,
    NamedForm,
    ParseRequest,
    RenderRequest,
    name_of,
    parse,
    render,
    run_agent,
    warm_up,
)
from transformers.reporting.report import ReportHead, StepOutcome
from transformers.tables import Table
from transformers.tool import PRIMARY, TABULAR, Delivery, Step, Tool


class Order(BaseModel):
    """No agents: all of the tool's that can work without a second table."""

    tool: str
    source: Path
    folder: Path
    agents: tuple[str, ...] = ()
    parameters: dict[str, dict[str, object]] = {}


def main(order: Order) -> None:
    began = monotonic()
    warm_up()
    tool = tool_for(order.tool)
    table = parse(_to_parse(order), _quietly)
    told: dict[str, object] = {"start_and_parse": round(monotonic() - began, 3)}
    chain, outcomes = Chain(tool, {PRIMARY: table}), []
    for step in _steps(tool, order):
        delivery, seconds = _timed(order, chain, step)
        chain.take(delivery)
        outcomes.append(StepOutcome(agent_id=step.id, agent_name=step.agent.name, result=delivery.result))
        told[step.id] = {"s": seconds, **delivery.result.summary_metrics}
    _render(order, tool, table, outcomes)
    told["files"] = {file.kind: str(file.path) for left in chain.earlier for file in left.files}
    (order.folder / "said.json").write_text(json.dumps(told, default=str), encoding="utf-8")


def _to_parse(order: Order) -> ParseRequest:
    return ParseRequest(
        source=order.source, role=PRIMARY, name=order.source.name, accepted=TABULAR, folder=order.folder
    )


def _steps(tool: Tool, order: Order) -> Iterator[Step]:
    for step in tool.steps:
        if step.id in order.agents or (not order.agents and "baseline" not in step.agent.roles):
            yield step


def _timed(order: Order, chain: Chain, step: Step) -> tuple[Delivery, float]:
    began = monotonic()
    delivery = run_agent(_request(order, chain, step), _quietly)
    return delivery, round(monotonic() - began, 3)


def _request(order: Order, chain: Chain, step: Step) -> AgentRequest:
    forms = {
        one.id: NamedForm(name=name_of(one.agent.parameters), values=order.parameters.get(one.id, {}))
        for one in _steps(chain.tool, order)
    }
    return AgentRequest(
        run=name_of(step.agent.run),
        agent_id=step.id,
        forms=forms,
        tables=chain.tables,
        original=chain.read[PRIMARY] if chain.tool.chained else None,
        source=order.source,
        earlier=tuple(chain.earlier),
        scratch=folder_of(order.folder, step.id),
        memory_bytes=get_settings().agent_memory_bytes,
    )


def _render(order: Order, tool: Tool, table: Table, outcomes: list[StepOutcome]) -> None:
    folder = order.folder / "outputs"
    folder.mkdir()
    head = ReportHead(
        analysis_id="bench",
        tool_id=tool.id,
        tool_name=tool.name,
        agents=tuple(outcome.agent_id for outcome in outcomes),
        timestamp=now(),
        execution_time_ms=0,
    )
    render(
        RenderRequest(head=head, outcomes=tuple(outcomes), tables=(table,), known_tools=(tool.id,), folder=folder),
        _quietly,
    )


def _quietly(_fraction: float) -> None:
    pass


if __name__ == "__main__":
    main(Order.model_validate_json(sys.argv[1]))
