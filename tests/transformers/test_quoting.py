from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from backend.errors import UnknownAgent
from db.durations import Basis
from db.paces import MemoryLine, Pace
from transformers.findings import AgentResult
from transformers.forms import read_forms
from transformers.intake.estimates import Rows
from transformers.quoting import Known, Quote, SeenFile, quote
from transformers.tool import MEBIBYTE, PRIMARY, Agent, AgentContext, AgentParameters, InputRole, Step, Tool


def price_of(step: Step) -> int:
    return step.price


def never_run(context: AgentContext) -> AgentResult:
    raise AssertionError


def step(agent_id: str, price: int, *roles: str, required: bool = False) -> Step:
    return Step(
        Agent(agent_id, agent_id.title(), "", AgentParameters, never_run, roles=roles), price, required=required
    )


TOOL = Tool(
    id="tool",
    name="Tool",
    description="",
    roles=(InputRole(PRIMARY, ("csv",), MEBIBYTE, required=True), InputRole("baseline", ("csv",), MEBIBYTE)),
    steps=(step("one", 10, PRIMARY), step("two", 20, PRIMARY, "baseline"), step("three", 30, PRIMARY)),
)
LINE = MemoryLine(base=200e6, per_mebibyte=1e6, spread=50e6)
PACES = {name: Pace(slow=4.0, usual=2.0, largest=100.0, memory=LINE) for name in ("one", "two", "three")}


def seen(mebibytes: float = 10, rows: Rows | None = None) -> list[SeenFile]:
    return [SeenFile("a.csv", round(mebibytes * MEBIBYTE), "csv", rows)]


def quoted(
    *agents: str,
    files: Mapping[str, Sequence[SeenFile]] | None = None,
    not_arrived: Mapping[str, str] | None = None,
    paces: Mapping[str, Pace] = PACES,
    balance: int = 500,
    limit: int | None = 1_000_000_000,
    tool: Tool = TOOL,
) -> Quote:
    there = {PRIMARY: seen()} if files is None else files
    known = Known(paces, balance, limit)
    return quote(tool, agents, read_forms(tool, {}), there, not_arrived=not_arrived or {}, known=known, held=price_of)


def test_the_credits_are_those_that_a_submit_would_hold() -> None:
    assert quoted().prices == {"one": 10, "three": 30}
    assert quoted(files={PRIMARY: seen(), "baseline": seen()}).prices == {"one": 10, "two": 20, "three": 30}
    assert quoted("three").prices == {"three": 30}
    assert quoted(balance=500).shortfall == 0


def test_credits_that_are_missing_are_counted_and_said() -> None:
    made = quoted(balance=39)
    assert made.shortfall == 1
    assert "1 credits are missing; choose fewer agents or add credits." in made.warnings


def test_an_agent_without_its_file_is_left_out_with_a_word() -> None:
    assert quoted().warnings == ("Two will not run: it needs a file for the role 'baseline'.",)


def test_time_is_a_range_from_history() -> None:
    made = quoted()
    assert made.seconds is not None
    assert made.seconds.low < 40 < made.seconds.likely < made.seconds.high
    assert made.seconds.based_on is Basis.HISTORY


def test_more_data_than_ever_seen_makes_the_range_wider_and_is_said() -> None:
    within, beyond = quoted(files={PRIMARY: seen(100)}), quoted(files={PRIMARY: seen(101)})
    assert within.seconds is not None
    assert beyond.seconds is not None
    assert beyond.seconds.based_on is Basis.DECLARED
    assert beyond.seconds.high / beyond.seconds.likely > 1.2 * within.seconds.high / within.seconds.likely
    assert "No agent here has had so much data yet" in " ".join(beyond.warnings)
    assert "so much data" not in " ".join(within.warnings)


def test_without_history_time_is_as_declared_and_memory_not_known() -> None:
    made = quoted(paces={})
    assert made.seconds is not None
    assert made.seconds.based_on is Basis.DECLARED
    assert made.memory is None


def test_memory_is_that_of_the_greediest_agent() -> None:
    greedy = {**PACES, "three": replace(PACES["three"], memory=MemoryLine(400e6, 2e6, 10e6))}
    made = quoted(paces=greedy, files={PRIMARY: seen(10)})
    assert made.memory is not None
    assert (made.memory.likely, made.memory.limit) == (420_000_000, 1_000_000_000)


def test_memory_near_the_limit_is_a_warning() -> None:
    assert "memory" in " ".join(quoted(limit=320_000_000).warnings)
    assert "memory" not in " ".join(quoted(limit=330_000_000).warnings)


def test_no_agent_is_expected_to_take_more_than_it_gets() -> None:
    made = quoted(limit=100_000_000)
    assert made.memory is not None
    assert made.memory.likely == 100_000_000


def test_time_near_the_limit_is_a_warning() -> None:
    short = replace(TOOL, time_limit=timedelta(minutes=1))
    assert "near its time limit of 1 minutes" in " ".join(quoted(tool=short).warnings)


def test_no_worker_is_a_warning() -> None:
    assert quoted(limit=None).warnings[-1] == "No worker is there at the moment; the task would wait for one."


def test_before_any_file_the_price_is_known_and_what_is_missing() -> None:
    made = quoted(files={})
    assert made.prices == {"one": 10, "three": 30}
    assert (made.seconds, made.memory, made.rows, made.size) == (None, None, None, 0)
    assert made.missing == {PRIMARY: "A file for the role 'primary' is missing."}


def test_what_was_announced_and_has_not_come_is_missing_in_its_own_words() -> None:
    made = quoted(files={}, not_arrived={PRIMARY: "'a.csv' has not arrived."})
    assert made.missing == {PRIMARY: "'a.csv' has not arrived."}
    optional = quoted(not_arrived={"baseline": "'b.csv' has not arrived."})
    assert optional.missing == {}
    assert "'b.csv' has not arrived." in optional.warnings


def test_a_chosen_agents_role_is_missing() -> None:
    made = quoted("two")
    assert set(made.missing) == {"baseline"}
    assert made.prices == {"two": 20}


def test_rows_are_those_of_the_primary_file_and_bytes_of_all() -> None:
    made = quoted(files={"baseline": seen(2, Rows(9)), PRIMARY: seen(1, Rows(7, exact=True))})
    assert made.rows == Rows(7, exact=True)
    assert made.size == 3 * MEBIBYTE


def test_an_agent_that_there_is_not_is_refused() -> None:
    with pytest.raises(UnknownAgent):
        quoted("four")
