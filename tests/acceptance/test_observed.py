"""One deployment that is traced and heard: what its processes say, on standard error and to a collector."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.devstack import Stack
from tests.acceptance.house import House
from tests.trace_collector import Collector, Span, collecting
from tests.waiting import eventually

FIRST, SECOND, THIRD = "first", "second", "third"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture(scope="module")
def observed(stack: Stack, collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = {**collector.environment(), "LOG_LEVEL": "DEBUG"}
    house = House(stack, "prefork", tmp_path_factory.mktemp("observed"), more=settings)
    with house.at_work():
        yield house


CALLERS_TRACE, CALLERS_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def runs_in(collector: Collector, task_id: str) -> list[Span]:
    found = [span for span in collector.spans if span.name == "process_analysis"]
    mine = [span for span in found if span.attributes["agensium.task_id"] == task_id]
    return sorted(mine, key=lambda span: span.attributes["agensium.epoch"])


def told_of_runs(collector: Collector, task_id: str, number: int) -> list[Span]:
    eventually(lambda: len(runs_in(collector, task_id)) >= number)
    return runs_in(collector, task_id)


def named(spans: list[Span], name: str) -> Span:
    (found,) = [span for span in spans if span.name == name]
    return found


def test_one_trace_leads_from_the_caller_by_the_row_to_each_agent_and_door(
    observed: House, collector: Collector
) -> None:
    observed._http.headers["traceparent"] = f"00-{CALLERS_TRACE}-{CALLERS_SPAN}-01"
    task_id = observed.submit("probe", name="salaries-of-mary.csv")
    del observed._http.headers["traceparent"]
    observed.ended(task_id)
    told_of_runs(collector, task_id, 1)
    trace = collector.trace_of(CALLERS_TRACE)
    submit, run = named(trace, "POST /tasks/{task_id}/process"), named(trace, "process_analysis")
    known = {span.span_id for span in trace} | {CALLERS_SPAN}
    assert {span.name: span.parent_id for span in trace if span.parent_id not in known} == {}
    assert (submit.kind, submit.parent_id, submit.attributes["http.response.status_code"]) == (
        "SERVER",
        CALLERS_SPAN,
        202,
    )
    assert (run.kind, run.parent_id, run.attributes["agensium.epoch"]) == ("CONSUMER", submit.span_id, 1)
    assert {submit.resource["service.name"], run.resource["service.name"]} == {"agensium-api", "agensium-worker"}
    assert named(trace, "wait for a slot").parent_id == submit.span_id
    for agent in (FIRST, SECOND, THIRD):
        assert named(trace, f"agent {agent}").parent_id == run.span_id
    assert {span.parent_id for span in trace if span.name == "compute run_agent"} == {
        named(trace, f"agent {agent}").span_id for agent in (FIRST, SECOND, THIRD)
    }
    assert {span.name for span in trace if span.kind == "CLIENT" and span.parent_id == run.span_id} >= {
        "S3 GetObject", "S3 PutObject", "statement",
    }  # fmt: skip
    assert {span.parent_id for span in trace if span.name == "statement"} >= {
        named(trace, f"agent {agent}").span_id for agent in (FIRST, SECOND)
    }, "what an agent left is written down while the next one computes, and is its own all the same"
    assert not any(b"mary" in body for body in collector.bodies)
    assert not any(span.failed for span in trace)


def test_a_run_that_takes_over_from_a_dead_worker_is_in_the_same_trace_and_names_the_run_before(
    observed: House, collector: Collector
) -> None:
    task_id = observed.submit("probe", parameters={SECOND: {"act": "wait", "seconds": 8}})
    observed.at_agent(task_id, SECOND)
    eventually(lambda: any(span.name == f"agent {FIRST}" for span in of_task(collector, task_id)))
    observed.worker.kill()
    observed.start_worker()
    observed.ended(task_id)
    (run,) = told_of_runs(collector, task_id, 1)  # the first died before it could tell of itself
    before = named(of_task(collector, task_id), f"agent {FIRST}")
    assert run.attributes["agensium.epoch"] > 1
    assert before.trace_id == run.trace_id
    assert before.parent_id != run.span_id
    assert run.attributes["agensium.epoch"] > 2 or run.links == ((run.trace_id, before.parent_id),)
    assert "a task has lost its worker" in observed.log()


def of_task(collector: Collector, task_id: str) -> list[Span]:
    return [span for span in collector.spans if span.attributes.get("agensium.task_id") == task_id]


def test_a_retry_has_a_trace_of_its_own_that_leads_back_to_the_first(observed: House, collector: Collector) -> None:
    task_id = observed.submit("probe", parameters={FIRST: {"act": "blame"}})
    assert observed.ended(task_id)["status"] == "FAILED"
    (first,) = told_of_runs(collector, task_id, 1)
    retry_id = observed.post(f"/tasks/{task_id}/retry", {})["task_id"]
    observed.ended(retry_id)
    (second,) = told_of_runs(collector, retry_id, 1)
    assert first.failed
    assert first.attributes["agensium.error_code"] == "UNREADABLE_FILE"
    assert first.trace_id != second.trace_id
    eventually(lambda: any("/retry" in span.name for span in collector.trace_of(second.trace_id)))
    asked = named(collector.trace_of(second.trace_id), "POST /tasks/{task_id}/retry")
    assert [trace_id for trace_id, _ in asked.links] == [first.trace_id]


def test_a_collector_that_hangs_costs_no_task_anything_and_loses_no_trace(
    observed: House, collector: Collector
) -> None:
    began = time.monotonic()
    observed.ended(observed.submit("probe"))
    usual = time.monotonic() - began
    collector.answers.clear()
    began = time.monotonic()
    tasks = [observed.submit("probe") for _ in range(2)]
    assert [observed.ended(task_id)["status"] for task_id in tasks] == ["COMPLETED"] * 2
    took = time.monotonic() - began
    collector.answers.set()
    for task_id in tasks:
        assert told_of_runs(collector, task_id, 1)
    assert took < 4 * usual + 5  # a send that was waited for takes ten seconds


OF_A_RUN = {"run started", "step delivered", "step failed", "run ended"}


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Each line, and each is one JSON object."""
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert all(isinstance(line, dict) and line["level"] and line["timestamp"] and "event" in line for line in found)
    return found


def test_every_line_is_one_json_object_and_those_of_a_run_say_whose_it_is(observed: House) -> None:
    began = observed.worker.log.stat().st_size
    task_id = observed.submit("probe", parameters={THIRD: {"act": "blame"}})
    observed.ended(task_id)
    eventually(lambda: b"run ended" in observed.worker.log.read_bytes()[began:])
    lines = [line for path in observed.directory.glob("*.log") for line in lines_of(path)]
    assert len(lines) > 20
    run = [line for line in lines if line.get("task_id") == task_id and line["event"] in OF_A_RUN]
    assert {line["event"] for line in run} >= {"run started", "step delivered", "run ended"}
    assert all(line["user_id"] and line["epoch"] == 1 for line in run)
    assert [line["agent"] for line in run if line["event"] == "step delivered"] == [FIRST, SECOND]
    assert {len(line["trace_id"]) for line in run if line["event"] != "run ended"} == {32}
    asked = [line for line in lines if line.get("task_id") == task_id and line["event"] == "request answered"]
    assert {line["route"] for line in asked} >= {"/tasks/{task_id}/process", "/tasks/{task_id}"}
    assert all(line["user_id"] and line["request_id"] and line["trace_id"] for line in asked)
