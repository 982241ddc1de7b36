import asyncio
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from backend.logs import bound, configure_logs, log
from tests.conftest import forget_settings


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged, as JSON lines at DEBUG; afterwards all is as it was before."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    standard_error = io.StringIO()
    monkeypatch.setattr(sys, "stderr", standard_error)
    configure(monkeypatch, LOG_LEVEL="DEBUG", LOG_JSON="true")
    yield standard_error
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    forget_settings()


def configure(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    forget_settings()
    configure_logs()


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_its_level_and_time_in_utc(written: io.StringIO) -> None:
    log().warning("two\nlines", name="Zoë", tables=["a", "b"])
    (line,) = lines(written)
    assert (line["event"], line["level"], line["name"], line["tables"]) == ("two\nlines", "warning", "Zoë", ["a", "b"])
    assert line["timestamp"].endswith("Z")


def test_what_is_bound_is_on_every_line_of_the_block_and_gone_after(written: io.StringIO) -> None:
    with bound(task_id="t1", epoch=3):
        log().info("outer")
        with bound(agent="score-risk", epoch=4):
            log().info("inner")
        log().info("outer again")
    log().info("after")
    outer, inner, again, after = lines(written)
    assert (outer["task_id"], outer["epoch"]) == ("t1", 3)
    assert (inner["task_id"], inner["epoch"], inner["agent"]) == ("t1", 4, "score-risk")
    assert (again["epoch"], "agent" in again) == (3, False)
    assert "task_id" not in after


def test_what_is_bound_is_gone_after_a_failure_too(written: io.StringIO) -> None:
    with pytest.raises(ZeroDivisionError), bound(task_id="t1"):
        _ = 1 / 0
    log().info("after")
    assert "task_id" not in lines(written)[0]


def test_two_coroutines_do_not_bind_for_each_other(written: io.StringIO) -> None:
    async def work(task_id: str) -> None:
        with bound(task_id=task_id):
            await asyncio.sleep(0)
            log().info("works", own=task_id)

    async def both() -> None:
        await asyncio.gather(work("t1"), work("t2"))

    asyncio.run(both())
    assert all(line["task_id"] == line["own"] for line in lines(written))


def test_two_threads_do_not_bind_for_each_other(written: io.StringIO) -> None:
    with bound(task_id="t1"):
        thread = threading.Thread(target=lambda: log().info("another thread"))
        thread.start()
        thread.join()
    assert "task_id" not in lines(written)[0]


def fail_with(secret: str) -> None:
    customers_value = f"{secret}!"
    if customers_value:
        raise ZeroDivisionError("our bug")


def test_a_traceback_names_the_places_and_none_of_the_values(written: io.StringIO) -> None:
    try:
        fail_with("p" + "4ssword")
    except ZeroDivisionError as error:
        log().error("task failed", exc_info=error)
    (line,) = lines(written)
    assert [frame["name"] for frame in line["exception"][0]["frames"]][-1] == "fail_with"
    assert line["exception"][0]["exc_value"] == "our bug"
    assert "p4ssword" not in json.dumps(line)


def test_lines_below_the_level_are_not_written(monkeypatch: pytest.MonkeyPatch, written: io.StringIO) -> None:
    monkeypatch.setattr(sys, "stderr", written)
    configure(monkeypatch, LOG_LEVEL="warning")
    log().info("too quiet")
    log().warning("loud enough")
    assert [line["event"] for line in lines(written)] == ["loud enough"]


def test_people_get_no_json_and_no_values_in_tracebacks_either(
    monkeypatch: pytest.MonkeyPatch, written: io.StringIO
) -> None:
    monkeypatch.setattr(sys, "stderr", written)
    configure(monkeypatch, LOG_JSON="false")
    with bound(task_id="t1"):
        try:
            fail_with("p" + "4ssword")
        except ZeroDivisionError as error:
            log().error("task failed", exc_info=error)
    text = written.getvalue()
    assert "task failed" in text
    assert "t1" in text
    assert "ZeroDivisionError: our bug" in text
    assert "p4ssword" not in text
    with pytest.raises(json.JSONDecodeError):
        lines(written)


def test_a_line_that_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch, written: io.StringIO) -> None:
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    configure(monkeypatch, LOG_LEVEL="DEBUG")
    log().debug("lost")
    log().critical("lost too")
    monkeypatch.setattr(sys, "stderr", written)
    configure(monkeypatch, LOG_LEVEL="DEBUG")
    log().info("goes on")
    assert [line["event"] for line in lines(written)] == ["goes on"]


def test_what_opentelemetry_says_of_malformed_headers_is_not_written_down(written: io.StringIO) -> None:
    logging.getLogger("opentelemetry.util.re").warning("Header format invalid! %s", "Bearer a-key")
    assert not written.getvalue()
