"""What every agent of every data tool owes on any table: a delivery or a CustomerError, and nothing else touched.

In a chain an agent also leaves a table: the rows' numbers and order, and the columns it says.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from _pytest.mark.structures import ParameterSet
from awkward_tables import AWKWARD, LONG, OF_ONE_SHAPE
from spreadsheets import computed_in
from workshop import Workshop

from backend.errors import CustomerError
from transformers.catalog import TRANSFORMERS
from transformers.chain import Chain
from transformers.findings import ROW_ISSUES_KEPT, AgentResult
from transformers.tables import SOURCE_ROW, Table
from transformers.tool import FINAL, PRIMARY, Agent, Delivery, Step, Tool

OF_TABLES = [one.tool for one in TRANSFORMERS if any(role.is_table for role in one.tool.roles)]
AGENTS = [(tool, step.agent) for tool in OF_TABLES for step in tool.steps]
CHAINS = [tool for tool in OF_TABLES if tool.chained]
TABLES = AWKWARD | LONG
EACH_TIME = AWKWARD.keys() - OF_ONE_SHAPE  # with "side by side", which has the columns of those; alone in `make chaos`
ALONE = {"native types", "one cell"}  # for the agents of a chain: the chain brings them each of the others
NOT_REFUSED = {"side by side"}  # or it would show nothing of any of its columns
TWICE = {"duplicate rows"}
PREVIEWS = {"cleanse-previewer"}  # the whole chain once more
PREVIEWED = {"numbers as text"}

every_agent = pytest.mark.parametrize(("tool", "agent"), AGENTS, ids=[agent.id for _, agent in AGENTS])


def cases(short: Callable[[Tool, str], bool]) -> list[ParameterSet]:
    """Every agent over every table: those in `short` each time, all in `make chaos`."""
    return [
        pytest.param(tool, agent, name, id=f"{agent.id}-{name}", marks=() if short(tool, name) else pytest.mark.long)
        for tool, agent in AGENTS
        for name in TABLES
    ]


def met_alone(tool: Tool, name: str) -> bool:
    return name in (ALONE if tool.chained else EACH_TIME) - TWICE


def as_json(result: AgentResult) -> str:
    return json.dumps(result.model_dump(mode="json"), allow_nan=False)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(workshop: Workshop, tool: Tool, agent: Agent, table: Table) -> Delivery:
    """The agent alone in its tool: in a chain nothing came before it, and nothing was asked of the others."""
    forms = {agent.id: agent.parameters()} if tool.chained else {}
    told: list[float] = []
    delivery = workshop.deliver(agent, table, forms=forms, report_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    return delivery


@pytest.mark.parametrize(("tool", "agent", "name"), cases(met_alone))
def test_an_awkward_table_is_survived_and_stays_as_it_is(
    workshop: Workshop, tool: Tool, agent: Agent, name: str
) -> None:
    table = workshop.table(TABLES[name]())
    before = digest(table.path)
    try:
        delivery = run(workshop, tool, agent, table)
    except CustomerError:
        assert name not in NOT_REFUSED
        return
    assert digest(table.path) == before
    assert_it_is_sound(delivery, agent, table)


@pytest.mark.parametrize(("tool", "agent", "name"), cases(lambda _, name: name in TWICE))
def test_the_same_table_gets_the_same_bytes_twice(workshop: Workshop, tool: Tool, agent: Agent, name: str) -> None:
    table = workshop.table(TABLES[name]())
    try:
        first, second = run(workshop, tool, agent, table), run(workshop, tool, agent, table)
    except CustomerError:
        return
    assert as_json(first.result) == as_json(second.result)
    assert [(file.name, digest(file.path)) for file in first.files] == [
        (file.name, digest(file.path)) for file in second.files
    ]
    assert_it_is_sound(first, agent, table)
    if first.table is not None:
        assert second.table is not None
        assert digest(first.table.path) == digest(second.table.path)


def assert_it_is_sound(delivery: Delivery, agent: Agent, *tables: Table) -> None:
    """`tables`: the one that was sent, and those it has become in a chain."""
    result = delivery.result
    assert AgentResult.model_validate_json(as_json(result)) == result
    assert (result.agent_id, result.agent_name) == (agent.id, agent.name)
    assert_counts_agree_with_what_is_listed(result, tables)
    assert not any(computed_in(file.path) for file in delivery.files if file.kind != FINAL)
    if delivery.table is not None:
        assert_the_table_is_as_it_says(delivery.table)


def assert_counts_agree_with_what_is_listed(result: AgentResult, tables: Sequence[Table]) -> None:
    summary = result.issue_summary
    assert sum(summary.by_type.values()) == summary.total_issues == sum(summary.by_severity.values())
    assert len(result.row_level_issues) <= ROW_ISSUES_KEPT
    if not summary.truncated:
        assert summary.total_issues == len(result.issues) + len(result.row_level_issues)
        assert summary.affected_rows == len({issue.row_index for issue in result.row_level_issues})
    columns = {name for table in tables for name in table.columns}
    assert {issue.column for issue in result.row_level_issues} <= {*columns, ""}
    assert all(1 <= issue.row_index <= tables[0].rows for issue in result.row_level_issues)
    assert len({alert.alert_id for alert in result.alerts}) == len(result.alerts)
    assert len({issue.issue_id for issue in result.issues}) == len(result.issues)


def assert_the_table_is_as_it_says(table: Table) -> None:
    left = pq.read_table(table.path)
    assert left.num_rows == table.rows
    assert set(left.column_names) == {*table.columns, SOURCE_ROW}
    numbers = left[SOURCE_ROW].to_pylist()
    assert numbers == sorted(set(numbers)), "the file's order, each row once"
    assert table.role == PRIMARY


@every_agent
def test_row_level_issues_are_counted_before_they_are_cut(workshop: Workshop, tool: Tool, agent: Agent) -> None:
    cells = ["12 Main St, jane.doe@example.com" if i % 2 else "N/A" for i in range(2600)]
    table = workshop.table({"id": [str(i) for i in range(2600)], "a": cells, "b": [None] * 1300 + ["x"] * 1300})
    result = run(workshop, tool, agent, table).result
    if result.issue_summary.truncated:
        assert len(result.row_level_issues) == ROW_ISSUES_KEPT
        assert result.issue_summary.total_issues > ROW_ISSUES_KEPT
    else:
        assert len(result.row_level_issues) <= result.issue_summary.total_issues


@every_agent
def test_the_default_parameters_are_a_valid_form(tool: Tool, agent: Agent) -> None:
    form = agent.parameters()
    assert agent.parameters(**form.model_dump()) == form
    assert tool.step(agent.id) is not None


def chains(short: Callable[[str], bool]) -> list[ParameterSet]:
    return [
        pytest.param(tool, name, id=f"{tool.id}-{name}", marks=() if short(name) else pytest.mark.long)
        for tool in CHAINS
        for name in TABLES
    ]


@pytest.mark.parametrize(("tool", "name"), chains(lambda name: name in EACH_TIME))
def test_a_chain_carries_an_awkward_table_to_its_end(workshop: Workshop, tool: Tool, name: str) -> None:
    carried(workshop, name, tool, [step for step in tool.steps if step.id not in PREVIEWS])


@pytest.mark.parametrize(("tool", "name"), chains(lambda name: name in PREVIEWED))
def test_a_whole_chain_with_its_preview_carries_it_too(workshop: Workshop, tool: Tool, name: str) -> None:
    carried(workshop, name, tool, tool.steps)


def carried(workshop: Workshop, name: str, tool: Tool, steps: Sequence[Step]) -> None:
    """Step by step to the end, or to a step that refuses the table in a CustomerError."""
    table = workshop.table(TABLES[name]())
    before = digest(table.path)
    chain = Chain(tool, {PRIMARY: table})
    forms = {step.id: step.agent.parameters() for step in tool.steps}
    try:
        for step in steps:
            met, earlier = chain.tables, tuple(chain.earlier)
            delivery = workshop.deliver(step.agent, table, tables=met, earlier=earlier, forms=forms)
            assert_it_is_sound(delivery, step.agent, table, met[PRIMARY], delivery.table or table)
            chain.take(delivery)
    except CustomerError:
        assert name not in NOT_REFUSED
        return
    assert digest(table.path) == before
    outputs = [file for delivery in chain.earlier for file in delivery.files if file.is_output]
    assert [file for file in outputs if file.kind == "data"], "the final file is named, never guessed"
    assert len({file.name for file in outputs}) == len(outputs)
    assert all(file.path.exists() for file in outputs)


def test_importing_the_tools_and_the_report_imports_no_heavy_library() -> None:
    heavy = "{'pandas', 'pyarrow', 'duckdb', 'numpy', 'xlsxwriter', 'ftfy', 'rapidfuzz', 'phonenumbers', 'yaml'}"
    rooms = ("catalog", "reporting.report", "reporting.html", "reporting.xlsx")
    imports = ", ".join(f"transformers.{room}" for room in rooms)
    code = f"import sys, {imports}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
