"""The Python client of Agensium's HTTP API. It needs httpx and nothing of the product but its error tree."""

from backend.client.async_client import AsyncAgensiumClient
from backend.client.client import AgensiumClient
from backend.client.flows import Source
from backend.client.refusals import RequestRefused, TaskTimedOut, Unreachable
from backend.client.values import (
    ENDED,
    ApiKey,
    CreditEntry,
    Download,
    Output,
    Step,
    Task,
    TaskEvent,
)

__all__ = [
    "ENDED",
    "AgensiumClient",
    "ApiKey",
    "AsyncAgensiumClient",
    "CreditEntry",
    "Download",
    "Output",
    "RequestRefused",
    "Source",
    "Step",
    "Task",
    "TaskEvent",
    "TaskTimedOut",
    "Unreachable",
]
