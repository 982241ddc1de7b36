import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from both_clients import Answering, Face

from backend.client import RequestRefused, Source, TaskTimedOut, Unreachable
from backend.clock import monotonic
from backend.errors import ErrorClass, InsufficientCredits, TaskNotFound, WorldHiccup

Meeting = Callable[..., Face]
TASK = {"task_id": "t1", "tool_id": "profile-my-data", "status": "PROCESSING", "progress": 12.5, "new_field": {"a": 1}}
DONE = TASK | {"status": "COMPLETED", "progress": 100, "outcome": "success"}


def problem(status: int, code: str, **more: Any) -> httpx.Response:
    body = {"status": status, "error_code": code, "detail": "It is so.", "next_action": "Do this.", **more}
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


class Counter:
    """Answers one after the other, and remembers what was asked."""

    def __init__(self, *answers: httpx.Response | Exception | Answering) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


def test_values_are_typed_and_fields_of_a_newer_server_ignored(meeting: Meeting) -> None:
    step = {"agent_id": "a", "agent_name": "A", "state": "running", "started_at": "2025-11-21T09:30:00Z", "x": 1}
    full = TASK | {"steps": [step], "waiting": None, "eta": {"low": 1, "likely": 2, "high": 3, "based_on": "history"}}
    task = meeting(Counter(httpx.Response(200, json=full))).task("t1")
    assert (task.status, task.progress, task.ended) == ("PROCESSING", 12.5, False)
    assert task.steps[0].started_at.year == 2025
    assert task.eta.likely == 2


def test_a_refusal_is_the_error_of_the_tree(meeting: Meeting) -> None:
    client = meeting(Counter(problem(402, "INSUFFICIENT_CREDITS", context={"shortfall": 30})))
    with pytest.raises(InsufficientCredits, match="It is so") as caught:
        client.process("t1")
    assert caught.value.context == {"shortfall": 30}
    assert (caught.value.http_status, caught.value.next_action) == (402, "Do this.")


def test_a_code_of_a_newer_server_is_a_refusal_with_its_words(meeting: Meeting) -> None:
    with pytest.raises(RequestRefused, match="It is so") as caught:
        meeting(Counter(problem(418, "TEAPOT"))).task("t1")
    assert (caught.value.http_status, caught.value.error_code) == (418, "TEAPOT")
    assert RequestRefused.error_code != "TEAPOT"


def test_an_answer_that_is_no_problem_is_named_by_its_request(meeting: Meeting) -> None:
    with pytest.raises(RequestRefused, match=r"GET /tasks/t1 was answered with 403\."):
        meeting(Counter(httpx.Response(403, text="<html>"))).task("t1")


def test_what_may_pass_is_asked_again(meeting: Meeting) -> None:
    hiccups = (
        httpx.ConnectError("down"), problem(503, "DATABASE_UNAVAILABLE"), httpx.Response(502),
        problem(429, "TOO_MANY_REQUESTS"), httpx.ReadTimeout("slow"),
    )  # fmt: skip
    server = Counter(*hiccups, httpx.Response(200, json=TASK))
    assert meeting(server).task("t1").task_id == "t1"
    assert len(server.asked) == 6


def test_what_does_not_pass_is_not_asked_again(meeting: Meeting) -> None:
    server = Counter(problem(404, "TASK_NOT_FOUND"))
    with pytest.raises(TaskNotFound):
        meeting(server).task("t1")
    assert len(server.asked) == 1


@pytest.mark.parametrize("failure", [httpx.ConnectError("down"), lambda _: httpx.Response(504)])
def test_after_all_tries_nobody_answered(meeting: Meeting, failure: Answering | Exception) -> None:
    server = Counter(failure)
    with pytest.raises(Unreachable) as caught:
        meeting(server, tries=3).task("t1")
    assert len(server.asked) == 3
    assert caught.value.error_class is ErrorClass.TRANSIENT
    assert isinstance(caught.value, WorldHiccup)


def test_a_retry_after_is_waited_for(meeting: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("backend.client.client._pause", slept.append)
    monkeypatch.setattr("asyncio.sleep", sleep)
    busy = httpx.Response(429, headers={"retry-after": "7"})
    meeting(Counter(busy, httpx.Response(200, json=TASK))).task("t1")
    assert slept == [7.0]


def test_what_changes_something_carries_one_key_through_all_its_tries(meeting: Meeting) -> None:
    server = Counter(httpx.ReadTimeout("slow"), problem(409, "REQUEST_IN_FLIGHT"), httpx.Response(202, json={}))
    client = meeting(server)
    client.process("t1")
    assert len({request.headers["idempotency-key"] for request in server.asked}) == 1
    client.process("t1")
    assert len({request.headers["idempotency-key"] for request in server.asked}) == 2


def test_a_sign_in_is_asked_once_and_carries_no_key(meeting: Meeting) -> None:
    server = Counter(httpx.ReadTimeout("slow"))
    with pytest.raises(Unreachable):
        meeting(server).sign_in("ada@example.com", "a long sentence")
    [request] = server.asked
    assert "idempotency-key" not in request.headers


def test_lists_are_read_to_their_end(meeting: Meeting) -> None:
    first = httpx.Response(200, json={"tasks": [TASK], "next": "more"})
    server = Counter(first, httpx.Response(200, json={"tasks": [DONE], "next": None}))
    assert [task.status for task in meeting(server).tasks(status="FAILED")] == ["PROCESSING", "COMPLETED"]
    assert server.asked[1].url.params["cursor"] == "more"
    assert server.asked[1].url.params["status"] == "FAILED"


# waiting


def test_waiting_polls_with_patience_until_the_end(meeting: Meeting) -> None:
    server = Counter(
        httpx.Response(200, json=TASK, headers={"etag": '"1"'}), httpx.Response(304), httpx.Response(200, json=DONE)
    )
    assert meeting(server).wait("t1", 30).succeeded
    assert [request.headers.get("if-none-match") for request in server.asked] == [None, '"1"', '"1"']
    assert [float(request.url.params["wait"]) > 0 for request in server.asked] == [False, True, True]


def test_a_task_that_has_not_ended_in_time_is_its_own_answer(meeting: Meeting) -> None:
    client = meeting(Counter(httpx.Response(200, json=TASK, headers={"etag": '"1"'})))
    with pytest.raises(TaskTimedOut, match=r"not ended within 0\.3 s"):
        client.wait("t1", 0.3)


# files


def test_a_small_file_goes_to_its_form_and_the_secret_stays_at_home(meeting: Meeting, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(b"name\nAda\n")
    link = {"method": "POST", "url": "http://store/bucket", "fields": {"policy": "p"}}
    server = Counter(httpx.Response(200, json={"uploads": {"primary": link}}), httpx.Response(204))
    meeting(server).upload("t1", file)
    announced, sent = server.asked
    assert b'"size":9' in announced.content.replace(b" ", b"")
    assert "authorization" in announced.headers
    assert "authorization" not in sent.headers
    assert b"name\nAda\n" in sent.content
    assert sent.content.index(b"policy") < sent.content.index(b"Ada")


def test_a_large_file_goes_in_parts_each_tried_again_by_itself(meeting: Meeting) -> None:
    parts = [{"number": n, "url": f"http://store/part{n}"} for n in (1, 2, 3)]
    link = {"method": "MULTIPART", "part_bytes": 4, "parts": parts}
    arrived: dict[str, list[bytes]] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/upload-urls"):
            return httpx.Response(200, json={"uploads": {"primary": link}})
        if request.url.path.endswith("/complete"):
            assert b'"etag":"e3"' in request.content.replace(b" ", b"")
            return httpx.Response(200, json={})
        tried = arrived.setdefault(request.url.path, [])
        tried.append(request.content)
        if request.url.path == "/part2" and len(tried) == 1:
            return httpx.Response(503)
        return httpx.Response(200, headers={"etag": f'"e{request.url.path[-1]}"'})

    meeting(answer).upload("t1", Source("big.csv", content=b"0123456789"))
    assert arrived == {"/part1": [b"0123"], "/part2": [b"4567", b"4567"], "/part3": [b"89"]}


def test_through_the_api_the_file_is_the_body_and_is_read_anew_for_each_try(meeting: Meeting, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(b"name\nAda\n")
    server = Counter(httpx.Response(503), httpx.Response(200, json={}))
    meeting(server).upload("t1", file, role="baseline", through_api=True)
    assert [request.content for request in server.asked] == [b"name\nAda\n"] * 2
    assert server.asked[1].url.path == "/tasks/t1/inputs/baseline"
    assert server.asked[1].url.params["filename"] == "people.csv"
    assert server.asked[1].headers["content-length"] == "9"


def outputs_and(body: bytes, promised: bytes) -> Answering:
    file = {"name": "report.json", "url": "http://store/r", "size": 2, "sha256": hashlib.sha256(promised).hexdigest()}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/outputs"):
            return httpx.Response(200, json={"outputs": [file, file | {"name": "other.csv"}]})
        return httpx.Response(200, content=body)

    return answer


@pytest.mark.parametrize("through_api", [True, False])
def test_files_arrive_whole_under_their_names(meeting: Meeting, tmp_path: Path, through_api: bool) -> None:
    client = meeting(outputs_and(b"{}", b"{}"))
    [download] = client.download("t1", tmp_path / "new", names=["report.json"], through_api=through_api)
    assert (download.path.read_bytes(), download.size) == (b"{}", 2)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.json"]


def test_a_file_that_was_changed_on_the_way_is_refused_and_leaves_nothing(meeting: Meeting, tmp_path: Path) -> None:
    with pytest.raises(RequestRefused, match="checksum"):
        meeting(outputs_and(b"[]", b"{}")).download("t1", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_named(meeting: Meeting, tmp_path: Path) -> None:
    with pytest.raises(RequestRefused, match=r"no output none\.csv"):
        meeting(outputs_and(b"{}", b"{}")).download("t1", tmp_path, names=["report.json", "none.csv"])


def house(status_after: str) -> Answering:
    """A task that is CREATED until it is queued, then as said."""
    queued: list[bool] = []
    link = {"method": "POST", "url": "http://store/b", "fields": {}}

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/upload-urls"):
            return httpx.Response(200, json={"uploads": {"primary": link, "baseline": link}})
        if path.endswith("/process"):
            queued.append(True)
        return httpx.Response(200, json=TASK | {"status": status_after if queued else "CREATED"})

    return answer


def test_the_whole_submit_is_one_key_and_twice_it_is_done_once(meeting: Meeting) -> None:
    server = Counter(house("QUEUED"))
    client = meeting(server)
    files = {"baseline": Source("b.csv", content=b"b")}
    for _ in range(2):
        task = client.submit("profile-my-data", Source("a.csv", content=b"a"), files=files, key="my-key")
        assert task.status == "QUEUED"
    asked = [r.url.path for r in server.asked]
    assert asked.count("/b") == 2
    assert asked.count("/tasks/t1/process") == 1
    keyed = [r.url.path for r in server.asked if r.headers.get("idempotency-key") == "my-key"]
    assert keyed == ["/tasks", "/tasks/t1/process", "/tasks"]


def test_links_that_grew_old_are_asked_for_anew(meeting: Meeting) -> None:
    fresh: list[bool] = []
    keys: set[str] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/upload-urls"):
            keys.add(request.headers["idempotency-key"])
            age = "new" if fresh else "old"
            fresh.append(True)
            parts = [{"number": n, "url": f"http://store/{age}{n}"} for n in (1, 2)]
            return httpx.Response(
                200, json={"uploads": {"primary": {"method": "MULTIPART", "part_bytes": 4, "parts": parts}}}
            )
        if path == "/old2":
            return httpx.Response(403)
        return httpx.Response(200, json={}, headers={"etag": f'"{path}"'})

    server = Counter(answer)
    meeting(server).upload("t1", Source("big.csv", content=b"01234567"))
    assert [r.url.path for r in server.asked if r.url.host == "store"] == ["/old1", "/old2", "/new2"]
    assert len(keys) == 1


def test_waiting_ends_in_time_also_where_nobody_answers(meeting: Meeting) -> None:
    began = monotonic()
    with pytest.raises(Unreachable):
        meeting(Counter(httpx.ConnectError("down")), tries=1000).wait("t1", 0.3)
    assert monotonic() - began < 5
