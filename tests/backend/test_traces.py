import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from backend import traces
from backend.clock import now
from backend.errors import Drained, UnreadableFile
from tests.trace_collector import Collector, Span, collecting
from tests.waiting import eventually

SUBMIT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture
def traced(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """This process sends to the collector until `traces.end`."""
    for name, value in collector.environment().items():
        monkeypatch.setenv(name, value)
    traces.begin("a-test")
    yield collector
    traces.end()


def sent(collector: Collector) -> dict[str, Span]:
    """All of it, by name."""
    traces.end()
    return {span.name: span for span in collector.spans}


def a_run(epoch: int = 1, traceparent: str | None = SUBMIT, **waited: Any) -> Any:
    return SimpleNamespace(task_id="a-task", epoch=epoch, traceparent=traceparent, waited=waited)


OURS = ("backend.trace_export", "opentelemetry.sdk.trace", "opentelemetry.exporter")


@pytest.mark.parametrize("room", ["backend.main", "celery_queue.celery_app", "transformers.agent_child"])
def test_without_a_collector_nothing_that_traces_is_imported(room: str) -> None:
    """FastAPI and redis load parts of OpenTelemetry by themselves, where it is installed; 50 ms, 3 MB."""
    asked = f"import sys, {room}; print([name for name in sys.modules if name.startswith({OURS})])"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, env=environment)
    assert found.stdout.splitlines()[-1] == "[]"


def test_without_a_collector_a_span_is_nothing_and_names_no_trace() -> None:
    with traces.span("a station", agent="first") as span, traces.run_span(a_run()), traces.door("S3"):
        span.set(rows=3)
        assert (traces.current(), traces.ids()) == (None, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5000"),
    ],
)
def test_who_wants_none_or_says_what_cannot_be_is_not_traced_and_works(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
    monkeypatch.setenv(name, value)
    traces.begin("a-test")
    with traces.span("a station"):
        assert traces.current() is None


def test_without_the_extra_a_process_says_so_and_works(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
    monkeypatch.setitem(sys.modules, "backend.trace_export", None)
    traces.begin("a-test")
    assert traces.current() is None
    assert "install the extra `otel`" in caplog.text


def test_a_span_is_sent_with_what_is_known_of_it_to_where_the_environment_says(traced: Collector) -> None:
    with traces.span("outer", agent="first", nothing=None) as span:
        with traces.door("inner", rpc__method="PutObject"):
            pass
        span.set(rows=3)
    found = sent(traced)
    assert traced.paths == {"/v1/traces"}
    assert found["outer"].attributes == {"agensium.agent": "first", "agensium.rows": 3}
    assert found["outer"].resource["service.name"] == "a-test"
    assert (found["inner"].kind, found["inner"].parent_id) == ("CLIENT", found["outer"].span_id)
    assert found["inner"].attributes == {"rpc.method": "PutObject"}


def test_a_door_alone_is_no_trace(traced: Collector) -> None:
    with traces.door("S3 GetObject"):
        pass
    assert sent(traced) == {}


def test_of_an_error_its_code_is_sent_and_nothing_else(traced: Collector) -> None:
    with pytest.raises(UnreadableFile), traces.span("ours"):
        raise UnreadableFile("line 3 of salaries-of-mary.csv", detail="4711")
    with pytest.raises(ZeroDivisionError), traces.span("foreign"):
        raise ZeroDivisionError("mary earns 4711")
    with pytest.raises(Drained), traces.span("interrupted"):
        raise Drained
    found = sent(traced)
    assert found["ours"].attributes == {"error.type": "UNREADABLE_FILE", "agensium.error_class": "USER"}
    assert found["foreign"].attributes == {"error.type": "ZeroDivisionError"}
    assert {name: span.failed for name, span in found.items()} == {"ours": True, "foreign": True, "interrupted": False}
    assert not any(word in body for body in traced.bodies for word in (b"mary", b"4711"))


def test_a_run_goes_on_with_the_trace_of_its_submit_and_tells_how_it_waited(traced: Collector) -> None:
    claimed = now()
    queued, admitted = claimed - timedelta(seconds=5), claimed - timedelta(seconds=1)
    with traces.run_span(a_run(queued=queued, admitted=admitted, claimed=claimed), epoch=1):
        pass
    found = sent(traced)
    run, wait = found["process_analysis"], found["wait for a slot"]
    assert f"00-{run.trace_id}-{run.parent_id}-01" == SUBMIT
    assert (run.kind, run.links) == ("CONSUMER", ())
    assert (wait.trace_id, wait.parent_id) == (run.trace_id, run.parent_id)
    assert wait.ends - wait.begins == 5_000_000_000


def test_a_later_run_names_the_one_before_it_which_may_never_have_told_of_itself(traced: Collector) -> None:
    with traces.run_span(a_run(epoch=1)), traces.span("step of the first"):
        pass
    with traces.run_span(a_run(epoch=2)), traces.span("step of the second"):
        pass
    found = sent(traced)
    first, second = found["step of the first"].parent_id, found["step of the second"].parent_id
    (run,) = [span for span in traced.spans if span.span_id == second]
    assert run.links == ((run.trace_id, first),)


def test_runs_of_a_submit_that_was_not_traced_have_one_trace_all_the_same(traced: Collector) -> None:
    for epoch in (1, 2):
        with traces.run_span(a_run(epoch, traceparent=None)):
            pass
    sent(traced)
    assert len(traced.spans) == 2
    assert len({span.trace_id for span in traced.spans}) == 1


def test_what_its_caller_did_not_sample_is_not_sent(traced: Collector) -> None:
    with traces.span("quiet", parent=SUBMIT[:-1] + "0"):
        assert traces.current() is not None
    assert sent(traced) == {}


@pytest.mark.parametrize(
    "said", ["", "nonsense", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "ff" + SUBMIT[2:], SUBMIT + "x"]
)
def test_a_traceparent_that_is_none_begins_a_trace_of_our_own(traced: Collector, said: str) -> None:
    with traces.span("asked", parent=said):
        pass
    assert sent(traced)["asked"].parent_id == ""


def test_a_collector_that_hangs_delays_neither_a_span_nor_an_end(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.answers.clear()
    for name, value in {**collector.environment(), "OTEL_BSP_MAX_QUEUE_SIZE": "600"}.items():
        monkeypatch.setenv(name, value)
    traces.begin("a-test")
    began = time.monotonic()
    for _ in range(2000):  # three times what the queue holds
        with traces.span("a station"):
            pass
    spans = time.monotonic() - began
    began = time.monotonic()
    traces.end()
    end = time.monotonic() - began
    collector.answers.set()
    assert spans < 5
    assert end < 6
    eventually(lambda: bool(collector.spans))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="prefork is not for Windows")
def test_a_fork_begins_anew(traced: Collector) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0 if traces.current() is None and not traces.ids() else 1)
    assert os.waitpid(child, 0)[1] == 0
