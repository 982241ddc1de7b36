"""What every agent of the profile tool owes on any table: a result or a CustomerError, and nothing else touched."""

import hashlib
import json
import subprocess
import sys

import pytest
from awkward_tables import AWKWARD
from workshop import Workshop, everywhere

from backend.errors import CustomerError
from transformers.findings import ROW_ISSUES_KEPT, AgentResult
from transformers.profile_my_data_transformer import PROFILE_MY_DATA
from transformers.tables import Table
from transformers.tool import Agent, AgentContext

AGENTS = [step.agent for step in PROFILE_MY_DATA.steps]
every_agent = pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.id)
every_table = pytest.mark.parametrize("name", AWKWARD)


def as_json(result: AgentResult) -> str:
    return json.dumps(result.model_dump(mode="json"), allow_nan=False)


@every_agent
@every_table
def test_an_awkward_table_gets_the_same_json_twice_and_stays_as_it_is(
    workshop: Workshop, agent: Agent, name: str
) -> None:
    table = workshop.table(AWKWARD[name]())
    before = hashlib.sha256(table.path.read_bytes()).hexdigest()
    try:
        first, second = workshop.run(agent, table), workshop.run(agent, table)
    except CustomerError:
        return
    assert as_json(first) == as_json(second)
    assert AgentResult.model_validate_json(as_json(first)) == first
    assert hashlib.sha256(table.path.read_bytes()).hexdigest() == before
    assert first.agent_id == agent.id
    assert first.agent_name == agent.name
    assert_counts_agree_with_what_is_listed(first, table)


def assert_counts_agree_with_what_is_listed(result: AgentResult, table: Table) -> None:
    summary = result.issue_summary
    assert sum(summary.by_type.values()) == summary.total_issues == sum(summary.by_severity.values())
    assert len(result.row_level_issues) <= ROW_ISSUES_KEPT
    if not summary.truncated:
        assert summary.total_issues == len(result.issues) + len(result.row_level_issues)
        assert summary.affected_rows == len({issue.row_index for issue in result.row_level_issues})
    assert {issue.column for issue in result.row_level_issues} <= {*table.columns, ""}
    assert all(1 <= issue.row_index <= table.rows for issue in result.row_level_issues)
    assert len({alert.alert_id for alert in result.alerts}) == len(result.alerts)
    assert len({issue.issue_id for issue in result.issues}) == len(result.issues)


@every_agent
def test_row_level_issues_are_counted_before_they_are_cut(workshop: Workshop, agent: Agent) -> None:
    cells = ["12 Main St, jane.doe@example.com" if i % 2 else "N/A" for i in range(6000)]
    result = workshop.run(agent, {"id": [str(i) for i in range(6000)], "a": cells, "b": [None] * 3000 + ["x"] * 3000})
    if result.row_level_issues:
        assert len(result.row_level_issues) == ROW_ISSUES_KEPT
        assert result.issue_summary.truncated
        assert result.issue_summary.total_issues > 2 * ROW_ISSUES_KEPT


@every_agent
def test_the_default_parameters_are_a_valid_form(agent: Agent) -> None:
    form = agent.parameters()
    assert agent.parameters(**form.model_dump()) == form


@every_agent
def test_progress_only_goes_up_and_ends_at_one(workshop: Workshop, agent: Agent) -> None:
    told: list[float] = []
    table = workshop.table(AWKWARD["numbers as text"]())
    agent.run(AgentContext(everywhere(agent, table), agent.parameters(), workshop.folder, 2**27, told.append))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_importing_the_tool_and_the_report_imports_no_heavy_library() -> None:
    heavy = "{'pandas', 'pyarrow', 'duckdb', 'numpy', 'xlsxwriter'}"
    rooms = ("profile_my_data_transformer", "reporting.report", "reporting.html", "reporting.xlsx")
    imports = ", ".join(f"transformers.{room}" for room in rooms)
    code = f"import sys, {imports}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
