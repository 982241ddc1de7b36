from pathlib import Path

import pytest

from backend.chaos.rehearsal import REHEARSAL
from tests.transformers.workshop import Workshop
from transformers.tool import Agent

AGENTS = [step.agent for step in REHEARSAL.steps]


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.id)
def test_the_result_is_known_beforehand_by_the_data_alone(agent: Agent, tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    first = workshop.run(agent, {"name": ["Ada", "Grace"]})
    again = workshop.run(agent, {"name": ["Ada", "Grace"]}, seconds=0.05, mebibytes=1)
    other = workshop.run(agent, {"name": ["Ada", "Mary"]})
    assert first == again
    assert first.summary_metrics["sha256"] != other.summary_metrics["sha256"]


def test_the_agents_tell_themselves_apart_and_cost_differently(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    digests = {workshop.run(agent, {"name": ["Ada"]}).summary_metrics["sha256"] for agent in AGENTS}
    assert len(digests) == len(AGENTS)
    assert sorted(step.price for step in REHEARSAL.steps) == [10, 20, 30]
