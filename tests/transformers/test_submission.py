import json
from collections.abc import Container, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import Field

from backend.errors import (
    AgensiumError,
    BadParameters,
    BadRequest,
    FileTooLarge,
    MissingInputRole,
    NoInputFiles,
    ToolUnavailable,
    UnknownAgent,
    UnsupportedFormat,
)
from backend.language_models.questions import Usage
from backend.storage.objects import ObjectInfo
from db.paces import Pace
from db.task_store import Submission
from transformers.findings import AgentResult
from transformers.input_plan import PlannedFile
from transformers.submission import Arrived, Surroundings, check_files, merged_parameters, submission_for
from transformers.tool import (
    MEBIBYTE,
    PRIMARY,
    Agent,
    AgentContext,
    AgentParameters,
    Given,
    InputRole,
    Step,
    Tariff,
    Tool,
)


class Form(AgentParameters):
    top: int = Field(3, ge=1, le=10)
    label: str = ""


def never_run(context: AgentContext) -> AgentResult:
    raise AssertionError


def step(agent_id: str, price: int, *roles: str, required: bool = False) -> Step:
    return Step(Agent(agent_id, agent_id, "", Form, never_run, roles=roles), price, required=required)


TOOL = Tool(
    id="tool",
    name="Tool",
    description="",
    roles=(
        InputRole(PRIMARY, ("csv",), max_bytes=4 * MEBIBYTE, required=True),
        InputRole("baseline", ("csv", "json"), max_bytes=4 * MEBIBYTE),
    ),
    steps=(step("one", 10, PRIMARY), step("two", 20, PRIMARY, "baseline"), step("three", 30, PRIMARY)),
)


def planned(role: str, name: str = "a.csv", size: int = 5) -> dict[str, list[PlannedFile]]:
    return {role: [PlannedFile(name, f"inputs/{role}/{name}", "text/csv", size)]}


def stored(files: dict[str, list[PlannedFile]], size: int = 5) -> dict[str, ObjectInfo | None]:
    every = [file for role in files.values() for file in role]
    return {file.key: ObjectInfo(file.key, size, "etag", datetime(2025, 1, 1, tzinfo=UTC)) for file in every}


def arrived(*roles: str, size: int = 5) -> Arrived:
    files = {role: planned(role, "p.json" if role == "parameters" else "a.csv")[role] for role in roles}
    return check_files(TOOL, files, stored(files, size))


def known(paces: Mapping[str, Pace] | None = None, why_unavailable: str | None = None) -> Surroundings:
    return Surroundings(paces or {}, lambda _key: b"", lambda _model: why_unavailable)


def submission(*agents: str, roles: tuple[str, ...] = (PRIMARY,), tool: Tool = TOOL, **parameters: Any) -> Submission:
    return submission_for(tool, agents, parameters, arrived(*roles), known())


def refusal(kind: type[AgensiumError], *agents: str, **options: Any) -> dict[str, Any]:
    with pytest.raises(kind) as caught:
        submission(*agents, **options)
    return dict(caught.value.context)


def test_all_agents_whose_files_are_there_run_in_the_tools_order() -> None:
    assert submission().agents == ["one", "three"]
    assert submission(roles=(PRIMARY, "baseline")).agents == ["one", "two", "three"]
    assert submission("three", "one").agents == ["one", "three"]


def test_prices_are_those_of_the_agents_that_run() -> None:
    assert submission("three").prices == {"three": 30}
    assert submission().prices == {"one": 10, "three": 30}


def test_the_cost_is_a_second_an_agent_and_mebibyte_and_at_least_one_an_agent() -> None:
    assert submission().cost == 2
    assert submission_for(TOOL, [], {}, arrived(PRIMARY, size=3 * MEBIBYTE), known()).cost == 6
    assert submission_for(TOOL, [], {}, arrived(PRIMARY, "baseline", size=2 * MEBIBYTE), known()).cost == 12


def test_an_agent_with_a_history_costs_what_it_usually_takes() -> None:
    paces = {"one": Pace(slow=90.0, usual=5.0), "two": Pace(slow=90.0, usual=50.0)}
    assert submission_for(TOOL, [], {}, arrived(PRIMARY, size=2 * MEBIBYTE), known(paces)).cost == 2 * (5 + 1)


def test_no_task_is_expected_to_take_less_than_a_second() -> None:
    paces = {agent: Pace(slow=0.2, usual=0.01) for agent in ("one", "two", "three")}
    assert submission_for(TOOL, [], {}, arrived(PRIMARY), known(paces)).cost == 1


def test_the_row_gets_the_size_and_etag_that_the_store_told() -> None:
    assert submission_for(TOOL, [], {}, arrived(PRIMARY, size=99), known()).inputs == {
        PRIMARY: [
            {"filename": "a.csv", "key": "inputs/primary/a.csv", "content_type": "text/csv", "size": 99, "etag": "etag"}
        ]
    }


def test_a_parameters_file_is_no_input_of_the_work() -> None:
    assert set(submission(roles=(PRIMARY, "parameters")).inputs) == {PRIMARY}


@pytest.mark.parametrize("roles", [(), ("parameters",)])
def test_without_data_there_is_nothing_to_do(roles: tuple[str, ...]) -> None:
    assert refusal(NoInputFiles, roles=roles) == {"roles": [PRIMARY]}


def test_a_required_role_is_missed_by_name() -> None:
    assert refusal(MissingInputRole, roles=("baseline",)) == {"role": PRIMARY}


def test_a_chosen_agents_role_is_missed_by_name() -> None:
    assert refusal(MissingInputRole, "one", "two") == {"role": "baseline", "agent": "two"}


def test_an_agent_the_tool_cannot_do_without_is_never_left_out() -> None:
    strict = replace(TOOL, steps=(step("one", 10, PRIMARY), step("two", 20, "baseline", required=True)))

    assert refusal(MissingInputRole, tool=strict) == {"role": "baseline", "agent": "two"}


def test_a_tool_none_of_whose_agents_has_its_files_does_nothing() -> None:
    narrow = replace(TOOL, steps=(step("two", 20, "baseline"),))

    refusal(MissingInputRole, tool=narrow)


def test_a_tool_without_inputs_needs_no_files() -> None:
    free = replace(TOOL, roles=(), steps=(step("talk", 5),))

    assert submission(roles=(), tool=free).agents == ["talk"]


def test_unknown_and_doubled_agents_are_refused() -> None:
    refusal(UnknownAgent, "four")
    refusal(UnknownAgent, "one", "one")
    refusal(UnknownAgent, four={})


def test_a_parameter_is_refused_by_the_name_of_its_field_even_of_an_agent_that_will_not_run() -> None:
    assert refusal(BadParameters, "one", three={"top": 11}) == {"agent": "three", "field": "top"}
    assert refusal(BadParameters, one={"tip": 1}) == {"agent": "one", "field": "tip"}


def test_an_announced_file_that_never_arrived_is_missed() -> None:
    files = planned(PRIMARY)

    with pytest.raises(MissingInputRole) as caught:
        check_files(TOOL, files, {"inputs/primary/a.csv": None})
    assert caught.value.context == {"role": PRIMARY, "filename": "a.csv"}


def test_the_real_size_counts_whatever_was_announced() -> None:
    files = planned(PRIMARY, size=1)
    check_files(TOOL, files, stored(files, 4 * MEBIBYTE))

    with pytest.raises(FileTooLarge) as caught:
        check_files(TOOL, files, stored(files, 4 * MEBIBYTE + 1))
    assert caught.value.context["size"] == 4 * MEBIBYTE + 1


def test_a_parameters_file_has_its_own_format_and_bound() -> None:
    files = planned("parameters", "p.json")
    check_files(TOOL, files, stored(files, MEBIBYTE))

    with pytest.raises(FileTooLarge):
        check_files(TOOL, files, stored(files, MEBIBYTE + 1))
    with pytest.raises(UnsupportedFormat):
        check_files(TOOL, planned("parameters", "p.csv"), stored(planned("parameters", "p.csv")))


def test_a_role_that_the_tool_lost_meanwhile_is_refused() -> None:
    files = planned("schema")

    with pytest.raises(BadRequest):
        check_files(TOOL, files, stored(files))


def test_the_tasks_own_parameters_win_one_by_one() -> None:
    body = b'\xef\xbb\xbf{"one": {"top": 1, "label": "file"}, "two": {"top": 2}}'

    merged = merged_parameters(body, {"one": {"top": 9}, "three": {"top": 3}})

    assert merged == {"one": {"top": 9, "label": "file"}, "two": {"top": 2}, "three": {"top": 3}}


def test_merging_leaves_the_tasks_own_parameters_as_they_were() -> None:
    own = {"one": {"top": 9}}

    merged_parameters(b'{"one": {"label": "file"}}', own)

    assert own == {"one": {"top": 9}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "JSON"), (b"{", "JSON"), (b"\xff\xfe", "JSON"), (b"[" * 100_000, "JSON"), (b"[]", "object"),
        (b"null", "object"), (b'{"one": 3}', "one: parameters"), (b'{"one": null}', "one: parameters"),
        (b'{"one": {"label": "\\u0000"}}', "NUL"), (b'{"one": {"label": "\\ud800"}}', "half of a pair"),
        (b'{"one": {"top": NaN}}', "finite"), (b'{"one": {"top": 1e999}}', "finite"),
        (b'{"one": {"label": ' + b"[" * 40 + b"]" * 40 + b"}}", "nested"),
    ],
)  # fmt: skip
def test_a_parameters_file_that_is_no_good_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(BadParameters, match=words):
        merged_parameters(body, {})


def test_a_form_decides_on_what_the_file_brought() -> None:
    parameters = merged_parameters(json.dumps({"one": {"top": 4}}).encode(), {})

    assert submission_for(TOOL, [], parameters, arrived(PRIMARY), known()).parameters == {"one": {"top": 4}}


def by_use(form: Any, given: Given, done: Container[int]) -> Usage:
    """A token for each byte that is there, without what is done."""
    return Usage(input_tokens=sum(len(file.read()) for file in given[PRIMARY])) if 0 not in done else Usage()


PAID_BY_USE = replace(TOOL, steps=(replace(TOOL.steps[0], tariff=Tariff(per_thousand_tokens=1), bound=by_use),))


def test_the_most_that_a_step_may_cost_is_held_and_its_tariff_kept() -> None:
    read = replace(known(), read=lambda _key: b"x" * 2_500)
    made = submission_for(PAID_BY_USE, [], {}, arrived(PRIMARY), read)
    assert made.prices == {PAID_BY_USE.steps[0].id: 3}
    assert made.tariffs == {PAID_BY_USE.steps[0].id: {"per_call": 0, "per_thousand_tokens": 1}}


def test_a_retry_holds_nothing_for_what_is_done() -> None:
    again = replace(known(), read=lambda _key: b"x" * 2_500, done={0})
    assert submission_for(PAID_BY_USE, [], {}, arrived(PRIMARY), again).prices == {PAID_BY_USE.steps[0].id: 0}


def test_a_model_that_is_not_set_up_refuses_the_task_with_the_reason() -> None:
    asking = replace(TOOL, models=lambda _forms: ["", "some:model"])
    with pytest.raises(ToolUnavailable, match="no key"):
        submission_for(asking, [], {}, arrived(PRIMARY), known(why_unavailable="There is no key."))
