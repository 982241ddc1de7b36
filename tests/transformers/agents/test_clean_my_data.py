"""What the chain and each of its agents owe on any table."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from awkward_tables import AWKWARD, some_of_them
from workshop import Workshop

from backend.errors import CustomerError
from transformers.clean_my_data_transformer import CLEAN_MY_DATA
from transformers.cleaning import fuzzy_duplicates, repairs
from transformers.cleaning.manifest import stages_done
from transformers.cleaning.stages import STAGES
from transformers.tables import Table
from transformers.tool import Delivery

AGENTS = [step.agent for step in CLEAN_MY_DATA.steps]
# The whole chain, preview included, runs every stage twice: a few tables are enough where each agent meets them all.
every_table = pytest.mark.parametrize("name", some_of_them("no rows", "quotes in names", "native types"))


def chain(workshop: Workshop, table: Table) -> list[Delivery]:
    forms = {agent.id: agent.parameters() for agent in AGENTS}
    now, earlier = table, list[Delivery]()
    for agent in AGENTS:
        delivery = workshop.deliver(agent, now, original=table, forms=forms, earlier=tuple(earlier))
        now = delivery.table or now
        earlier.append(delivery.model_copy(update={"table": None}))
    return earlier


def digests(deliveries: list[Delivery]) -> dict[str, str]:
    return {file.name: digest(file.path) for delivery in deliveries for file in delivery.files}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@every_table
def test_the_whole_chain_adds_up_on_an_awkward_table(workshop: Workshop, name: str) -> None:
    table = workshop.table(AWKWARD[name]())
    before = digest(table.path)
    try:
        deliveries = chain(workshop, table)
    except CustomerError:
        return
    checks = deliveries[-1].result.data["checks"]
    assert [check for check in checks if not check["passed"]] == []
    assert digest(table.path) == before
    stages = {stage.manifest.agent_id: stage.manifest for stage in stages_done(deliveries)}
    previewed = {stage["agent_id"]: stage for stage in deliveries[0].result.data["stages"]}
    assert list(previewed) == list(stages)
    for agent_id, manifest in stages.items():
        seen, ran = previewed[agent_id], manifest.model_dump()
        assert {key: seen[key] for key in seen if key in ran} == {key: ran[key] for key in seen if key in ran}
    json.dumps([delivery.result.model_dump(mode="json") for delivery in deliveries], allow_nan=False)


SEARCH = "resolve_entities"
PEOPLE = {
    "name": [f"{first} {last}" for first in ("Ann", "Bob", "Cid", "Dee") for last in ("Lee", "Ray", "Fox", "Orr")] * 2,
    "mail": [f"person{n}@x.com" for n in range(16)] + [f"person{n}@y.com" for n in range(16)],
    "city": ["Rome", "Oslo", "Bern", "Kyiv"] * 8,
}


def searches_of(monkeypatch: pytest.MonkeyPatch, room: Any = fuzzy_duplicates, search: str = SEARCH) -> list[Table]:
    """The tables that are searched from now on."""
    searched, searching = list[Table](), getattr(room, search)

    def counted(db: Any, table: Table, *asked: Any, **told: Any) -> Any:
        searched.append(table)
        return searching(db, table, *asked, **told)

    monkeypatch.setattr(room, search, counted)
    return searched


def test_repairs_are_proposed_once_a_task(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    cities = {
        "zip": ["35100", "35101", "35102", "35103"] * 20,
        "city": ["Birmingham", "Montgomery", "Huntsville", "Tuscaloosa"] * 20,
    }
    cities["city"][17] = "Montgxmery"
    proposed = searches_of(monkeypatch, repairs, "propose_repairs")
    deliveries = {delivery.agent_id: delivery for delivery in chain(workshop, workshop.table(cities))}
    assert len(proposed) == 1
    previewed = [rule for rule in deliveries["cleanse-previewer"].result.data["rules"] if "repair" in rule["rule"]]
    done = deliveries["field-standardization"].result.data["rules"]
    assert [rule["cells"] for rule in previewed] == [rule["cells"] for rule in done if "repair" in rule["rule"]] == [1]


def test_likely_duplicates_are_searched_once_a_task_and_the_run_says_what_the_preview_said(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = searches_of(monkeypatch)
    deliveries = {delivery.agent_id: delivery for delivery in chain(workshop, workshop.table(PEOPLE))}
    assert len(searched) == 1
    previewer, resolver = deliveries["cleanse-previewer"], deliveries["duplicate-resolver"]
    [seen] = [one for one in previewer.result.data["stages"] if one["agent_id"] == "duplicate-resolver"]
    assert seen["cells_flagged"] == resolver.result.summary_metrics["cells_flagged"]
    assert not any(file.is_output for file in previewer.files)


def test_with_what_was_foreseen_the_agent_finds_what_it_finds_without(workshop: Workshop) -> None:
    table = workshop.table(PEOPLE)
    agents = {agent.id: agent for agent in AGENTS}
    resolver = agents["duplicate-resolver"]
    forms = {agent_id: agents[agent_id].parameters() for agent_id in ("cleanse-previewer", resolver.id)}
    before = workshop.deliver(agents["cleanse-previewer"], table, forms=forms)
    alone, after = workshop.deliver(resolver, table), workshop.deliver(resolver, table, earlier=(before,))
    assert alone.result == after.result
    assert alone.result.data["fuzzy"]["looked"]
    assert digests([alone]) == digests([after])


def test_rows_that_were_not_previewed_are_searched_anew(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    agents = {agent.id: agent for agent in AGENTS}
    resolver = agents["duplicate-resolver"]
    before = workshop.deliver(agents["cleanse-previewer"], PEOPLE, forms={resolver.id: resolver.parameters()})
    searched = searches_of(monkeypatch)
    workshop.deliver(resolver, {**PEOPLE, "city": ["Lima", *PEOPLE["city"][1:]]}, earlier=(before,))
    assert len(searched) == 1


@pytest.mark.long  # each agent twice over the same table: the conformance test, each time
@pytest.mark.parametrize("name", ["five shapes of dates"])
def test_the_same_table_gives_the_same_bytes(workshop: Workshop, name: str) -> None:
    table = workshop.table(AWKWARD[name]())
    assert digests(chain(workshop, table)) == digests(chain(workshop, table))


def test_the_stages_run_in_the_order_of_the_tool() -> None:
    steps = [step.id for step in CLEAN_MY_DATA.steps if step.id in STAGES]
    assert steps == [agent_id for agent_id in STAGES if agent_id in steps]
    assert CLEAN_MY_DATA.chained
    assert all(step.required for step in CLEAN_MY_DATA.steps)


def test_importing_the_chain_imports_no_heavy_library() -> None:
    heavy = "{'pandas', 'pyarrow', 'duckdb', 'numpy', 'xlsxwriter', 'python_calamine', 'sklearn', 'rapidfuzz', 'ftfy'}"
    code = f"import sys, transformers.clean_my_data_transformer; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
