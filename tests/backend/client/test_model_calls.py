"""The calls of the model tools, on both clients, and waiting for many (PITFALLS 62, 63, 65)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from both_clients import Face

from backend.client import TIMED_OUT, TaskNotCompleted, TaskTimedOut
from backend.client.flows import Ask
from backend.client.model_flows import ModelFlows
from backend.errors import Cancelled, ModelRefused, TaskNotFound

Meeting = Callable[..., Face]
ANSWER = {
    "content": "Paris.",
    "model": "compatible:small",
    "usage": {"calls": 1, "input_tokens": 9, "output_tokens": 2},
}


class House:
    """One task a submit: it is CREATED, then QUEUED, then as `ends`. Files are kept; `results` are its outputs."""

    def __init__(self, ends: dict[str, Any] | None = None, **results: bytes) -> None:
        self.ends = {"status": "COMPLETED", "progress": 100, "outcome": "success"} | (ends or {})
        self.results = {name.replace("_", "."): body for name, body in results.items()}
        self.asked: list[httpx.Request] = []
        self.sent: list[bytes] = []
        self._status = "CREATED"
        self._tool = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:  # noqa: PLR0911 (a house in a page)
        self.asked.append(request)
        path, method = request.url.path, request.method
        if request.url.host == "store":
            self.sent.append(request.content)
            return httpx.Response(204)
        if path == "/tasks" and method == "POST":
            self._tool = json.loads(request.content)["tool_id"]
            return httpx.Response(201, json=self._task())
        if path.endswith("/upload-urls"):
            return httpx.Response(200, json={"uploads": self._links(json.loads(request.content)["files"])})
        if path.endswith("/process"):
            self._status = self.ends["status"]
            return httpx.Response(202, json={})
        if path.endswith("/outputs"):
            files = [{"name": n, "url": "", "size": 1, "sha256": "", "kind": "data"} for n in self.results]
            return httpx.Response(200, json={"outputs": files})
        if "/outputs/" in path:
            return httpx.Response(200, content=self.results[path.rpartition("/")[2]])
        if path.endswith("/report"):
            return httpx.Response(200, json={})
        return httpx.Response(200, json=self._task())

    def _task(self) -> dict[str, Any]:
        state = self.ends if self._status == self.ends["status"] else {"status": self._status}
        return {"task_id": "t1", "tool_id": self._tool, **state}

    @staticmethod
    def _links(files: dict[str, Any]) -> dict[str, Any]:
        link = {"method": "POST", "url": "http://store/b", "fields": {}}
        return {role: [link for _file in given] if isinstance(given, list) else link for role, given in files.items()}

    def created(self) -> dict[str, Any]:
        return next(json.loads(r.content) for r in self.asked if r.url.path == "/tasks")


def answering(*bodies: Any) -> tuple[Callable[[httpx.Request], httpx.Response], list[httpx.Request]]:
    left, asked = list(bodies), []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=left.pop(0) if len(left) > 1 else left[0])

    return answer, asked


def test_generate_gives_the_models_answer(meeting: Meeting) -> None:
    house = House(answer_json=json.dumps(ANSWER).encode())

    found = meeting(house).generate("The capital of France?", system="Be brief.", max_tokens=10)

    assert (found.content, found.model, found.usage.output_tokens) == ("Paris.", "compatible:small", 2)
    assert (found.parsed, found.fallback, found.task_id) == (None, False, "t1")
    asked = house.created()
    assert asked["tool_id"] == "generate-text"
    form = {"prompt": "The capital of France?", "system": "Be brief.", "max_tokens": 10}
    assert asked["parameters"] == {"generate": form}


@pytest.mark.parametrize("parsed", ["", [], {}, 0, False])
def test_an_empty_answer_is_an_answer(meeting: Meeting, parsed: Any) -> None:
    house = House(answer_json=json.dumps(ANSWER | {"content": "", "parsed": parsed}).encode())

    found = meeting(house).generate("Say nothing.")

    assert (found.content, found.parsed) == ("", parsed)


def test_what_it_failed_of_is_the_error_of_the_tree(meeting: Meeting) -> None:
    error = {"error_code": "MODEL_REFUSED", "message": "Too long.", "next_action": "Shorten it."}
    house = House({"status": "FAILED", "error": error})

    with pytest.raises(ModelRefused, match="Too long") as caught:
        meeting(house).generate("x")
    assert caught.value.context == {"task_id": "t1"}
    assert caught.value.next_action == "Shorten it."


@pytest.mark.parametrize(("status", "kind"), [("CANCELLED", Cancelled), ("VANISHED", TaskTimedOut)])
def test_an_end_without_an_answer_is_none(meeting: Meeting, status: str, kind: type[Exception]) -> None:
    house = House({"status": status, "error": {"error_code": status, "message": "It is so."}})

    with pytest.raises(kind):
        meeting(house).generate("x", timeout_s=0.2)


def test_a_failure_that_this_client_does_not_know_keeps_its_words(meeting: Meeting) -> None:
    house = House({"status": "FAILED", "error": {"error_code": "SUNSPOTS", "message": "Sunspots."}})

    with pytest.raises(TaskNotCompleted, match="Sunspots") as caught:
        meeting(house).generate("x")
    assert caught.value.error_code == "SUNSPOTS"


def test_a_batch_is_sent_as_lines_and_comes_back_in_order(meeting: Meeting) -> None:
    rows = [
        {"custom_id": "a", "position": 0, "ok": True, "error": None, "answer": ANSWER},
        {"custom_id": "b", "position": 1, "ok": False, "error": {"code": "X", "message": "y"}, "answer": None},
    ]
    house = House()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/items"):
            return httpx.Response(200, json={"items": rows, "next": None})
        return house(request)

    found = meeting(answer).parallel_batch(["first", {"custom_id": "b", "user_message": "second"}], model="m")

    assert [item.custom_id for item in found.items] == ["a", "b"]
    assert (found.ok[0].content, found.failed[0].error.code, found.failed[0].content) == ("Paris.", "X", None)
    assert b'{"user_message": "first"}\n{"custom_id": "b", "user_message": "second"}' in house.sent[0]
    assert house.created()["parameters"] == {"generate": {"model": "m"}}


def test_documents_are_announced_as_a_list_and_each_is_sent(meeting: Meeting, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.txt", "b.txt")]
    for path in paths:
        path.write_text(path.name)
    house = House(collections_json=json.dumps({"collections": [{"name": "works"}]}).encode())

    found = meeting(house).ingest_document(paths, "works", metadata={"year": 2024}, chunk_size=300)

    assert found.collections == ({"name": "works"},)
    asked = house.created()["parameters"]["ingest"]
    assert asked == {"collections": [{"name": "works", "metadata": {"year": 2024}, "chunk_size": 300}]}
    announced = next(json.loads(r.content) for r in house.asked if r.url.path.endswith("/upload-urls"))
    assert [file["filename"] for file in announced["files"]["documents"]] == ["a.txt", "b.txt"]
    assert [b"a.txt" in body for body in house.sent] == [True, False]


def test_a_collections_name_leads_nowhere_else() -> None:
    asked = next(ModelFlows().search("../tasks?x", {"query": "what?"}))
    assert isinstance(asked, Ask)
    assert asked.path == "/collections/..%2Ftasks%3Fx/search"


def test_search_gives_hits(meeting: Meeting) -> None:
    hit = {"id": "9f", "document": "a.txt", "position": 0, "content": "words", "score": 0.5, "metadata": {"year": 2024}}
    server, asked = answering({"hits": [hit]})

    [found] = meeting(server).search("works", "what?", filters={"year": 2024})

    assert (found.document, found.score, found.metadata) == ("a.txt", 0.5, {"year": 2024})
    assert json.loads(asked[0].content) == {"query": "what?", "filters": {"year": 2024}}
    assert asked[0].url.path == "/collections/works/search"


@pytest.mark.parametrize("given", [{}, {"input": None}, {"input": []}])
def test_a_pipelines_input_is_sent_as_it_is_said(meeting: Meeting, given: dict[str, Any]) -> None:
    told = {
        "results": {"a": {"output": ""}},
        "total_time": 1.5,
        "success_count": 1,
        "total_count": 1,
        "success_rate": 1.0,
    }
    house = House(answer_json=b"{}", results_json=json.dumps(told).encode())

    found = meeting(house).pipeline([{"name": "a", "prompt_template": "x"}], **given)

    assert (found.results["a"]["output"], found.success_rate, found.task_id) == ("", 1.0, "t1")
    assert house.created()["parameters"]["pipeline"] == {"steps": [{"name": "a", "prompt_template": "x"}], **given}


@pytest.mark.parametrize("status", ["RETRY", "RECEIVED", "PROGRESS", "WAITING", "A_WORD_OF_TOMORROW"])
def test_whatever_is_no_end_is_unfinished(meeting: Meeting, status: str) -> None:
    server, _asked = answering(
        {"task_id": "t", "tool_id": "x", "status": status}, {"task_id": "t", "tool_id": "x", "status": "COMPLETED"}
    )

    assert meeting(server).wait("t", timeout_s=5).status == "COMPLETED"


def test_timed_out_is_an_answer_of_its_own(meeting: Meeting) -> None:
    server, _asked = answering({"task_id": "t", "tool_id": "x", "status": "RETRY"})

    with pytest.raises(TaskTimedOut) as caught:
        meeting(server).wait("t", timeout_s=0)
    assert caught.value.error_code == TIMED_OUT


def states(**by_id: str) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        status = by_id.get(request.url.path.removeprefix("/tasks/"))
        if status is None:
            body = {"error_code": "TASK_NOT_FOUND", "detail": "There is no such task."}
            return httpx.Response(404, json=body)
        return httpx.Response(200, json={"task_id": request.url.path[7:], "tool_id": "x", "status": status})

    return answer


def test_waiting_for_many_says_of_each_how_it_stands(meeting: Meeting) -> None:
    server = states(a="COMPLETED", b="CANCELLED", c="PROGRESS", d="FAILED")

    found = meeting(server).wait_parallel(["c", "a", "b", "d"], timeout_s=0.1)

    assert [one.status for one in found] == [TIMED_OUT, "COMPLETED", "CANCELLED", "FAILED"]
    assert [one.done for one in found] == [False, True, False, False]
    assert [one.timed_out for one in found] == [True, False, False, False]


def test_an_unknown_id_is_an_error_before_any_waiting(meeting: Meeting) -> None:
    with pytest.raises(TaskNotFound):
        meeting(states(a="PROCESSING")).wait_parallel(["a", "nobody"], timeout_s=3600)


def test_a_result_that_is_empty_is_ready(meeting: Meeting) -> None:
    house = House(answers_jsonl=b"")
    client = meeting(house)
    client.submit("batch-inference", parameters={})

    found = client.get_result("t1")

    assert (found.ready, found.value) == (True, [])


def test_a_task_that_goes_on_has_no_result_yet(meeting: Meeting) -> None:
    found = meeting(states(a="PROCESSING")).get_result("a")

    assert (found.ready, found.value, found.task.status) == (False, None, "PROCESSING")


def test_the_result_of_any_other_tool_is_its_report(meeting: Meeting) -> None:
    house = House()
    client = meeting(house)
    client.submit("profile-my-data")

    assert (client.get_result("t1").ready, client.get_result("t1").value) == (True, {})


def test_a_task_without_files_is_submitted(meeting: Meeting) -> None:
    house = House()

    assert meeting(house).submit("generate-text", parameters={"generate": {"prompt": "x"}}).status == "COMPLETED"
    assert house.sent == []


def test_parts_are_tasks_of_the_wholes_tool(meeting: Meeting) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        part = {"task_id": "p1", "status": "CANCELLED", "progress": 3, "items": {"total": 5, "ok": 1, "failed": 0}}
        if request.url.path.endswith("/children"):
            return httpx.Response(200, json={"children": [part], "next": None})
        return httpx.Response(200, json={"task_id": "t", "tool_id": "batch-inference", "status": "WAITING"})

    [part] = meeting(server).children("t")

    assert (part.tool_id, part.parent_id, part.items.ok) == ("batch-inference", "t", 1)
    assert not part.succeeded
