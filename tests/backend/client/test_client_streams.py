import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from both_clients import Face

from backend.client import Unreachable
from backend.errors import TaskNotFound

Meeting = Callable[..., Face]
TASK = {"task_id": "t1", "tool_id": "profile-my-data", "status": "PROCESSING", "progress": 5.0}


def block(event: str, data: dict[str, Any], seq: int | None = None) -> bytes:
    number = "" if seq is None else f"id: {seq}\n"
    return f"event: {event}\n{number}data: {json.dumps(data)}\n\n".encode()


def happened(seq: int, kind: str, status: str, progress: float) -> bytes:
    return block(kind, {"seq": seq, "kind": kind, "status": status, "progress": progress, "data": {"n": seq}}, seq)


START = b"retry: 1000\n\n" + block("snapshot", TASK, 3)
STEP = happened(4, "step_delivered", "PROCESSING", 50)
END = happened(5, "completed", "COMPLETED", 100)


class Streams:
    """One body after the other; remembers each Last-Event-ID."""

    def __init__(self, *bodies: bytes | httpx.Response | Exception) -> None:
        self._bodies = list(bodies)
        self.seen: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.headers.get("last-event-id"))
        body = self._bodies.pop(0) if len(self._bodies) > 1 else self._bodies[0]
        if isinstance(body, Exception):
            raise body
        if isinstance(body, httpx.Response):
            return body
        return httpx.Response(200, content=body, headers={"content-type": "text/event-stream"})


def broken_off(text: bytes) -> httpx.Response:
    class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield text
            raise httpx.ReadError("reset")

        async def __aiter__(self) -> Any:
            yield text
            raise httpx.ReadError("reset")

    return httpx.Response(200, stream=Body())


def test_a_task_is_followed_from_its_snapshot_to_its_last_event(meeting: Meeting) -> None:
    progress = block("progress", {"progress": 20.0, "current_agent": "a"})
    events = meeting(Streams(START + b": keep-alive\n\n" + progress + STEP + END)).followed("t1")
    assert [(event.kind, event.seq, event.progress) for event in events] == [
        ("snapshot", None, 5.0), ("progress", None, 20.0), ("step_delivered", 4, 50), ("completed", 5, 100),
    ]  # fmt: skip
    assert events[0].task is not None
    assert events[2].data == {"n": 4}
    assert events[-1].ended


@pytest.mark.parametrize("cut", [0, 10, len(END) // 2, len(END) - 1])
def test_a_stream_that_breaks_is_gone_on_with_where_it_broke(meeting: Meeting, cut: int) -> None:
    streams = Streams(broken_off(START + STEP + END[:cut]), END)
    events = meeting(streams).followed("t1")
    assert [event.kind for event in events] == ["snapshot", "step_delivered", "completed"]
    assert streams.seen == [None, "4"]


def test_a_half_event_is_forgotten_and_comes_again_whole(meeting: Meeting) -> None:
    streams = Streams(broken_off(START + STEP[:-1]), STEP + END)
    assert [event.seq for event in meeting(streams).followed("t1")] == [None, 4, 5]
    assert streams.seen == [None, "3"]


def test_who_has_the_last_event_already_is_told_that_nothing_follows(meeting: Meeting) -> None:
    streams = Streams(httpx.Response(204))
    assert meeting(streams).followed("t1", last_event_id="5") == []
    assert streams.seen == ["5"]


def test_a_snapshot_of_a_task_that_has_ended_is_not_the_end_of_its_stream(meeting: Meeting) -> None:
    late = block("snapshot", TASK | {"status": "COMPLETED", "progress": 100}, 4) + END
    assert [event.kind for event in meeting(Streams(late)).followed("t1")] == ["snapshot", "completed"]


def test_a_task_that_is_not_there_is_not_asked_for_again(meeting: Meeting) -> None:
    streams = Streams(httpx.Response(404, json={"error_code": "TASK_NOT_FOUND", "detail": "No."}))
    with pytest.raises(TaskNotFound):
        meeting(streams).followed("t1")
    assert len(streams.seen) == 1


def test_a_server_that_is_away_for_a_while_is_waited_for(meeting: Meeting) -> None:
    away = httpx.ConnectError("down")
    streams = Streams(START, away, httpx.Response(503), away, STEP + END)
    assert [event.kind for event in meeting(streams).followed("t1")] == ["snapshot", "step_delivered", "completed"]


def test_a_server_that_stays_away_is_unreachable(meeting: Meeting) -> None:
    with pytest.raises(Unreachable, match="could not be followed"):
        meeting(Streams(httpx.ConnectError("down"))).followed("t1")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_customers_text_may_hold_any_character(meeting: Meeting, end: str) -> None:
    odd = "a\u2028b\u2029c\u0085d"
    told = f'{{"seq":4,"kind":"step_failed","status":"PROCESSING","progress":5,"data":{{"message":"{odd}"}}}}'
    text = f"event: step_failed\nid: 4\ndata: {told}\n\n".replace("\n", end).encode()
    [first, *_] = meeting(Streams(text + END)).followed("t1")
    assert first.data["message"] == odd


def test_a_line_may_come_in_pieces(meeting: Meeting) -> None:
    class Drip(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            whole = (START + STEP + END).replace(b"\n", b"\r\n")
            yield from (whole[i : i + 1] for i in range(len(whole)))

        async def __aiter__(self) -> Any:
            for piece in self:
                yield piece

    streams = Streams(httpx.Response(200, stream=Drip()))
    assert [event.kind for event in meeting(streams).followed("t1")] == ["snapshot", "step_delivered", "completed"]


def test_a_refusal_that_asks_for_patience_gets_it(meeting: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("backend.client.client._pause", waited.append)
    monkeypatch.setattr("asyncio.sleep", sleep)
    meeting(Streams(httpx.Response(429, headers={"retry-after": "7"}), START + END)).followed("t1")
    assert waited == [7.0]


def test_text_and_a_batchs_items_are_told(meeting: Meeting) -> None:
    text = {"seq": 4, "kind": "text", "status": "PROCESSING", "progress": 5.0, "data": {"text": "Par", "at": 0}}
    progress = {"progress": 6.0, "items": {"total": 9, "ok": 4, "failed": 1}}
    streams = Streams(
        START + block("text", text, 4) + block("progress", progress) + happened(5, "completed", "COMPLETED", 100)
    )

    _snapshot, words, moved, _end = meeting(streams).followed("t1")

    assert (words.kind, words.data) == ("text", {"text": "Par", "at": 0})
    assert (moved.items.total, moved.items.ok, moved.items.failed) == (9, 4, 1)
