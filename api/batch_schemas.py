"""What is told of a batch's parts and items."""

import uuid
from datetime import datetime
from typing import Any

from pydantic import Field

from api.schemas import A_TASK, A_TIME, ItemCounts, TaskError, Told
from db.models import TaskStatus

AN_ANSWER = {"content": "Paris.", "finish_reason": "stop", "model": "openai:gpt-4.1-mini"}


class ChildView(Told):
    """A part of a task: a row of its own, with its own progress."""

    task_id: uuid.UUID = Field(examples=[A_TASK])
    status: TaskStatus = Field(examples=[TaskStatus.PROCESSING])
    progress: float = Field(ge=0, le=100, examples=[40.0])
    first_item: int = Field(description="Where its items begin among the task's, from 0.", examples=[500])
    items: ItemCounts | None = None
    error: TaskError | None = Field(None, examples=[None])
    started_at: datetime | None = Field(None, examples=[A_TIME])
    finished_at: datetime | None = Field(None, examples=[None])


class ChildPage(Told):
    children: list[ChildView] = Field(description="In the order of their items.")
    next: str | None = Field(None, description="The `cursor` of the next page.", examples=[None])


class ItemError(Told):
    code: str = Field(examples=["MODEL_REFUSED"])
    message: str = Field(examples=["The language model did not accept the request."])


class ItemView(Told):
    """A finished item: its answer, or why there is none."""

    custom_id: str = Field(description="Its own name; of an ingest the collection's.", examples=["question-1"])
    position: int = Field(description="In the order of submission, from 0.", examples=[0])
    ok: bool = Field(examples=[True])
    error: ItemError | None = Field(None, examples=[None])
    answer: dict[str, Any] | None = Field(None, examples=[AN_ANSWER])


class ItemPage(Told):
    items: list[ItemView] = Field(description="In the order of submission.")
    next: str | None = Field(None, description="The `cursor` of the next page.", examples=[None])
