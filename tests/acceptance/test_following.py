"""A task is followed over a real socket while a real worker is at it."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from backend.ports import free_port
from backend.processes import AT_ONCE, Process
from backend.product import answers, api_command
from tests.acceptance.house import PATIENCE, House

Block = tuple[str, int | None, dict[str, Any]]


def blocks(answer: httpx.Response) -> Iterator[Block]:
    """The events of a stream: kind, number, data."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and "event" in fields:
            number = int(fields["id"]) if "id" in fields else None
            yield fields["event"], number, json.loads(fields["data"])
        if not line:
            fields = {}


def follow(house: House, task_id: str, seen: int | None = None, api_url: str = "") -> Any:
    headers = dict(house._http.headers) | ({} if seen is None else {"Last-Event-ID": str(seen)})
    url = f"{api_url or house.api_url}/tasks/{task_id}/events"
    return httpx.stream("GET", url, headers=headers, timeout=PATIENCE)


def test_a_task_is_followed_to_its_end_across_a_lost_connection(solo_house: House) -> None:
    slow = {"act": "wait", "seconds": 2}
    task_id = solo_house.submit(parameters={"first": slow, "second": slow})  # the snapshot is from before either
    before: list[Block] = []
    with follow(solo_house, task_id) as answer:
        for block in blocks(answer):
            before.append(block)
            if block[0] == "step_delivered":
                break
    seen = [number for _kind, number, _data in before if number is not None]

    with follow(solo_house, task_id, seen[-1]) as answer:
        after = list(blocks(answer))

    numbers = seen + [number for _kind, number, _data in after if number is not None]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert (before[0][0], after[-1][0]) == ("snapshot", "completed")
    assert [kind for kind, _number, _data in before + after].count("step_delivered") == 3
    told = [data["progress"] for _kind, _number, data in before + after]
    assert told == sorted(told)
    assert any(kind == "progress" and data["current_agent"] == "second" for kind, _number, data in after)
    with follow(solo_house, task_id, numbers[-1]) as answer:
        assert answer.status_code == 204


@pytest.mark.skipif(sys.platform == "win32", reason="there a process cannot be asked to stop by a signal")
def test_an_api_that_is_stopped_ends_its_streams_and_another_one_goes_on(solo_house: House) -> None:
    port = free_port()
    log = solo_house.directory / "second-api.log"
    command = [sys.executable, "-m", *api_command(port, reload=False)]
    second = Process("second-api", command, log, environment=solo_house.environment, stop_signal=AT_ONCE)
    second.start()
    try:
        url = f"http://127.0.0.1:{port}"
        second.wait_until(lambda: answers(f"{url}/healthz"), PATIENCE)
        task_id = solo_house.submit(parameters={"second": {"act": "wait", "seconds": 4}})
        with follow(solo_house, task_id, api_url=url) as answer:
            events = blocks(answer)
            seen = next(events)[1]
            os.kill(second.pid, signal.SIGTERM)
            rest = [number for _kind, number, _data in events if number is not None]
        assert second.ends_within(10), second.log_tail()
    finally:
        second.kill()
    last = (rest or [seen])[-1]
    with follow(solo_house, task_id, last) as answer:
        numbers = [number for _kind, number, _data in blocks(answer) if number is not None]
    assert numbers == list(range((last or 0) + 1, numbers[-1] + 1))
