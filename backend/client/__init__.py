"""The Python client of Agensium's HTTP API. It needs httpx and nothing of the product but its error tree."""

from backend.client.async_client import AsyncAgensiumClient
from backend.client.client import AgensiumClient
from backend.client.flows import Source
from backend.client.refusals import RequestRefused, TaskNotCompleted, TaskTimedOut, Unreachable
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
from backend.client.values import (
    ENDED,
    ApiKey,
    CreditEntry,
    Download,
    Items,
    Output,
    Step,
    Task,
    TaskEvent,
)

__all__ = [
    "ENDED",
    "TIMED_OUT",
    "AgensiumClient",
    "Answered",
    "ApiKey",
    "AsyncAgensiumClient",
    "BatchResult",
    "CreditEntry",
    "Download",
    "Generated",
    "Hit",
    "IngestResult",
    "Items",
    "Output",
    "PipelineResult",
    "RequestRefused",
    "Source",
    "Step",
    "Task",
    "TaskEvent",
    "TaskNotCompleted",
    "TaskResult",
    "TaskTimedOut",
    "Unreachable",
    "Waited",
]
