"""The calls of the model tools, as flows (flows.py): submit a task, wait for it, read what it came to.

What is not said is left out of a request, so that the server's own default counts; what is said empty is sent empty.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from backend.client.flows import Ask, Flow, Flows, Order, Source, asking
from backend.client.refusals import TaskTimedOut, failure_of
from backend.client.results import (
    TIMED_OUT,
    Answered,
    BatchResult,
    Generated,
    Hit,
    IngestResult,
    PipelineResult,
    TaskResult,
    Waited,
)
from backend.client.values import Output, Task
from backend.clock import monotonic

DATA = "data"
PIPELINE_RESULTS = "results.json"
ITEMS_PAGE = 1000
Parameters = Mapping[str, Mapping[str, Any]]


class ModelFlows(Flows):
    """All flows, those of the model tools too. `timeout_s` is the patience with a task; it goes on after it."""

    def generate(self, form: Mapping[str, Any], timeout_s: float, key: str | None) -> Flow[Generated]:
        task = yield from self._done("generate-text", {"generate": said(form)}, {}, timeout_s, key)
        value = yield from self._data(task.task_id)
        return replace(Generated.of(value), task_id=task.task_id)

    def parallel_batch(
        self, items: Sequence[str | Mapping[str, Any]], form: Mapping[str, Any], timeout_s: float, key: str | None
    ) -> Flow[BatchResult]:
        lines = (json.dumps({"user_message": item} if isinstance(item, str) else dict(item)) for item in items)
        source = Source("items.jsonl", content="\n".join(lines).encode())
        task = yield from self._done("batch-inference", {"generate": said(form)}, {"items": source}, timeout_s, key)
        return BatchResult(task, tuple((yield from self.items(task.task_id))))

    def ingest(
        self,
        sources: Sequence[Source],
        collection: Mapping[str, Any],
        form: Mapping[str, Any],
        timeout_s: float,
        key: str | None,
    ) -> Flow[IngestResult]:
        parameters = {"ingest": said({**form, "collections": [said(collection)]})}
        task = yield from self._done("ingest-documents", parameters, {"documents": sources}, timeout_s, key)
        value = yield from self._data(task.task_id)
        return IngestResult(task, tuple(value["collections"]))

    def pipeline(
        self, steps: Sequence[Mapping[str, Any]], given: Mapping[str, Any], timeout_s: float, key: str | None
    ) -> Flow[PipelineResult]:
        parameters = {"pipeline": {"steps": [dict(step) for step in steps], **given}}
        task = yield from self._done("model-pipeline", parameters, {}, timeout_s, key)
        value = yield from self._read(task.task_id, PIPELINE_RESULTS)
        return replace(PipelineResult.of(json.loads(value)), task_id=task.task_id)

    def search(self, collection: str, asked: Mapping[str, Any]) -> Flow[list[Hit]]:
        found = yield from self.ask("POST", f"/collections/{quote(collection, safe='')}/search", said(asked))
        return [Hit.of(row) for row in found["hits"]]

    def items(self, task_id: str, params: Mapping[str, str] | None = None) -> Flow[list[Answered]]:
        return (
            yield from self.listed(
                f"/tasks/{task_id}/items", "items", Answered, {"limit": str(ITEMS_PAGE), **(params or {})}
            )
        )

    def children(self, task_id: str) -> Flow[list[Task]]:
        """The parts of a task, in the order of their items; of the whole's tool."""
        whole = yield from self.task(task_id)
        found: list[Task] = []
        cursor: dict[str, str] = {}
        while True:
            page = yield from self.ask("GET", f"/tasks/{task_id}/children", params={"limit": "100", **cursor})
            found += [Task.of({"tool_id": whole.tool_id, "parent_id": task_id, **row}) for row in page["children"]]
            if not page.get("next"):
                return found
            cursor = {"cursor": page["next"]}

    def result(self, task_id: str) -> Flow[TaskResult]:
        """Raises TaskNotFound, and for a task that ended without completing what it failed of."""
        task = yield from self.task(task_id)
        if not task.ended:
            return TaskResult(task, ready=False)
        _check_done(task)
        outputs = yield from self.outputs(task_id)
        named = _result_among(outputs)
        if named is None:
            return TaskResult(task, ready=True, value=(yield from self.ask("GET", f"/tasks/{task_id}/report")))
        body = yield from self._read(task_id, named.name)
        return TaskResult(task, ready=True, value=_parsed(named.name, body))

    def wait_parallel(self, task_ids: Sequence[str], timeout_s: float) -> Flow[list[Waited]]:
        """In the order of the ids. Raises TaskNotFound before any waiting: an unknown id never becomes known."""
        deadline = monotonic() + timeout_s
        first: list[Task] = []
        for task_id in task_ids:
            task = yield from self.task(task_id)
            first.append(task)
        found = []
        for task in first:
            one = yield from self._waited(task, deadline)
            found.append(one)
        return found

    def _waited(self, task: Task, deadline: float) -> Flow[Waited]:
        if task.ended:
            return Waited(task, task.status)
        try:
            ended = yield from self.wait(task.task_id, max(0.0, deadline - monotonic()))
        except TaskTimedOut:
            return Waited(task, TIMED_OUT)
        return Waited(ended, ended.status)

    def _done(
        self,
        tool_id: str,
        parameters: Parameters,
        files: Mapping[str, Source | Sequence[Source]],
        timeout_s: float,
        key: str | None,
    ) -> Flow[Task]:
        """The task once it has completed.

        Raises:
            TaskTimedOut: it goes on; `task_id` in its context names it.
            AgensiumError: what it failed of.
        """
        order = Order(tool_id, parameters=parameters, key=key or uuid.uuid4().hex)
        task = yield from self.submit(order, files, through_api=False)
        task = yield from self.wait(task.task_id, timeout_s)
        _check_done(task)
        return task

    def _data(self, task_id: str) -> Flow[Any]:
        named = _result_among((yield from self.outputs(task_id)))
        assert named is not None, "the tool's own result is among its files"
        return _parsed(named.name, (yield from self._read(task_id, named.name)))

    def _read(self, task_id: str, name: str) -> Flow[bytes]:
        answer = yield from asking(Ask("GET", f"/tasks/{task_id}/outputs/{name}"), self.tries)
        return answer.body


def said(options: Mapping[str, Any]) -> dict[str, Any]:
    """Without those that were left out; None is no value of any of them."""
    return {name: value for name, value in options.items() if value is not None}


def _check_done(task: Task) -> None:
    if not task.succeeded:
        raise failure_of(task)


def _result_among(outputs: Sequence[Output]) -> Output | None:
    """The file that holds what the tool was asked for, if that is JSON."""
    found = [one for one in outputs if one.name == PIPELINE_RESULTS]
    found += [one for one in outputs if one.kind == DATA and one.name.endswith((".json", ".jsonl"))]
    return found[0] if found else None


def _parsed(name: str, body: bytes) -> Any:
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in body.splitlines()]
    return json.loads(body)
