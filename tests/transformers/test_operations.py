"""What an agent is given in the child."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.probe_tools import ProbeParameters
from transformers.findings import AgentResult
from transformers.operations import AgentRequest, NamedForm, name_of, run_agent
from transformers.tool import AgentContext


def run(agent: Callable[[AgentContext], AgentResult], scratch: Path, **forms: NamedForm) -> AgentResult:
    own = NamedForm(name=name_of(ProbeParameters), values={"seconds": 2.0})
    request = AgentRequest(
        run=name_of(agent), agent_id="first", forms={"first": own, **forms}, tables={}, scratch=scratch, memory_bytes=1
    )  # fmt: skip
    return run_agent(request, lambda _fraction: None).result


def say(context: AgentContext, **metrics: Any) -> AgentResult:
    return AgentResult(agent_id=context.agent_id, agent_name="One", summary_metrics=metrics)


def writes_nothing(context: AgentContext) -> AgentResult:
    return say(context)


def writes_something(context: AgentContext) -> AgentResult:
    (context.scratch / "a.txt").write_text("a")
    (context.scratch / "b.txt").write_text("b")
    return say(context)


def asks_for_the_second_form(context: AgentContext) -> AgentResult:
    return say(context, forms=list(context.forms), seconds=context.forms["second"].seconds)  # type: ignore[attr-defined]


def test_a_folder_is_made_when_the_agent_asks_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "steps" / "first"
    assert run(writes_nothing, folder).agent_id == "first"
    assert not folder.exists()
    run(writes_something, folder)
    assert {path.name for path in folder.iterdir()} == {"a.txt", "b.txt"}


def test_anothers_form_is_made_when_it_is_asked_for(tmp_path: Path) -> None:
    forms = {
        "second": NamedForm(name=name_of(ProbeParameters), values={"seconds": 7.0}),
        "third": NamedForm(name="nowhere:Form", values={}),
    }
    assert run(writes_nothing, tmp_path, **forms).parameters["seconds"] == 2.0
    found = run(asks_for_the_second_form, tmp_path, **forms)
    assert found.summary_metrics == {"forms": ["first", "second", "third"], "seconds": 7.0}
    with pytest.raises(LookupError):
        run(asks_for_the_second_form, tmp_path, second=forms["third"])
