"""The model tools' calls: generate, parallel_batch, ingest_document, search, pipeline, and waiting for many."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, Unpack

from backend.client.flows import Flow
from backend.client.model_flows import ModelFlows
from backend.client.options import (
    File,
    GenerateOptions,
    IngestOptions,
    ModelOptions,
    collection_of,
    form_of,
    sources_of,
)
from backend.client.results import (
    Answered,
    BatchResult,
    Generated,
    Hit,
    IngestResult,
    PipelineResult,
    TaskResult,
    Waited,
)
from backend.client.values import Task

T = TypeVar("T")
_LEFT_OUT: Any = object()


class ModelCalls:
    """What AgensiumClient has for models. Each call submits a task and waits for it; `submit` does not wait."""

    _flows: ModelFlows

    def _run(self, flow: Flow[T]) -> T:
        raise NotImplementedError

    def generate(
        self,
        prompt: str,
        *,
        timeout_s: float = 600.0,
        key: str | None = None,
        **options: Unpack[GenerateOptions],
    ) -> Generated:
        """Ask a language model: tried again, asked of others, and checked against `output_schema` where need be.

        Raises:
            TaskTimedOut: it goes on; `get_result` of its context's `task_id` may have the answer later.
            ModelRefused, AnswerInvalid, ModelUnavailable, ToolUnavailable …: why there is none.
        """
        return self._run(self._flows.generate({"prompt": prompt, **options}, timeout_s, key))

    def parallel_batch(
        self,
        items: Sequence[str | Mapping[str, Any]],
        *,
        timeout_s: float = 3600.0,
        key: str | None = None,
        **options: Unpack[ModelOptions],
    ) -> BatchResult:
        """Ask many questions at once: each a text, or {custom_id, user_message | messages, temperature, max_tokens, …}.

        They come back in the order of submission, each with its answer or its error. Raises as `generate` does.
        """
        return self._run(self._flows.parallel_batch(items, options, timeout_s, key))

    def ingest_document(
        self,
        path: File | Sequence[File],
        collection: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        timeout_s: float = 3600.0,
        key: str | None = None,
        **options: Unpack[IngestOptions],
    ) -> IngestResult:
        """Make one document, or several, searchable in a collection. Done again, it replaces and never duplicates.

        `metadata` is stored with each chunk, and filters searches. Raises as `generate` does.
        """
        return self._run(
            self._flows.ingest(
                sources_of(path), collection_of(collection, metadata, options), form_of(options), timeout_s, key
            )
        )

    def search(
        self, collection: str, query: str, *, limit: int | None = None, filters: Mapping[str, Any] | None = None
    ) -> list[Hit]:
        """The chunks that are nearest in meaning, the nearest first; `filters` are over their metadata."""
        return self._run(self._flows.search(collection, {"query": query, "limit": limit, "filters": filters}))

    def pipeline(
        self,
        steps: Sequence[Mapping[str, Any]],
        input: Any = _LEFT_OUT,  # noqa: A002 (the templates' own word)
        *,
        timeout_s: float = 3600.0,
        key: str | None = None,
    ) -> PipelineResult:
        """Ask models step by step: {name, prompt_template | messages, after, model, options, output_schema, …}.

        Templates read `input` and earlier steps by name. A failed step is told among the results; when all failed it
        raises as `generate` does.
        """
        return self._run(self._flows.pipeline(steps, {} if input is _LEFT_OUT else {"input": input}, timeout_s, key))

    def get_result(self, task_id: str) -> TaskResult:
        """What a task has come to: its answer, results or report, as JSON's values; `ready` False while it goes on.

        Raises:
            TaskNotFound
            AgensiumError: what it failed of.
        """
        return self._run(self._flows.result(task_id))

    def wait_parallel(self, task_ids: Sequence[str], timeout_s: float = 3600.0) -> list[Waited]:
        """How each of the tasks ended, in the order of their ids; TIMED_OUT for those that had not in time.

        Raises:
            TaskNotFound: one of the ids names no task.
        """
        return self._run(self._flows.wait_parallel(task_ids, timeout_s))

    def items(self, task_id: str, *, status: str | None = None) -> list[Answered]:
        """The finished items of a batch so far, in the order of submission; `status` ok or failed: only these."""
        return self._run(self._flows.items(task_id, {} if status is None else {"status": status}))

    def children(self, task_id: str) -> list[Task]:
        """The parts that a task was split into."""
        return self._run(self._flows.children(task_id))
