"""What comes in and what goes out, for webhooks."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from api.schemas import A_RUN, A_TASK, A_TIME, Asked, Told
from db.events import EventKind

A_URL = "https://example.com/agensium"
Url = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Description = Annotated[str, StringConstraints(max_length=200)]


def _delivered(kinds: list[EventKind]) -> list[EventKind]:
    if EventKind.TEXT in kinds:
        raise ValueError("text goes to those who follow a task, and to no webhook")
    return sorted(set(kinds))


Kinds = Annotated[
    list[EventKind],
    AfterValidator(_delivered),
    Field(
        max_length=len(EventKind),
        description="Kinds of events, `text` excepted; empty: all. A message's type is `task.` and the kind.",
        examples=[["completed", "failed"]],
    ),
]


class NewWebhook(Asked):
    url: Url = Field(description="https://, and not of a private network.", examples=[A_URL])
    events: Kinds = Field(default_factory=list)
    description: Description = Field("", examples=["our warehouse"])


class WebhookChange(Asked):
    """What is left out stays as it is."""

    url: Url | None = Field(None, examples=[A_URL])
    events: Kinds | None = None
    description: Description | None = Field(None, examples=["our warehouse"])
    disabled: bool | None = Field(None, description="true: tell nothing more; false: go on.", examples=[False])


class WebhookView(Told):
    id: uuid.UUID = Field(examples=[A_RUN])
    url: str = Field(examples=[A_URL])
    events: list[EventKind] = Field(examples=[["completed", "failed"]])
    description: str = Field(examples=["our warehouse"])
    disabled: bool = Field(examples=[False])
    disabled_reason: str | None = Field(None, description="Why, where it was not you.", examples=[None])
    last_success_at: datetime | None = Field(None, examples=[A_TIME])
    created_at: datetime = Field(examples=[A_TIME])


class WebhookShown(WebhookView):
    secret: str = Field(
        description="Verify messages with it, after Standard Webhooks. Shown this once.", examples=["whsec_MfKQ9r8G…"]
    )


class WebhookList(Told):
    webhooks: list[WebhookView] = Field(description="Oldest first.")


class Attempt(Told):
    """What came of a message that was sent at once."""

    delivered: bool = Field(examples=[True])
    status_code: int | None = Field(None, examples=[204])
    failure: str | None = Field(None, examples=[None])
    duration_ms: int = Field(examples=[38])


class DeliveryView(Told):
    id: int = Field(examples=[118])
    message_id: str = Field(description="The header `webhook-id`.", examples=["msg_7b9f5a4e6d1c4c559a390f0d7f6d2b11_7"])
    task_id: uuid.UUID = Field(examples=[A_TASK])
    seq: int = Field(examples=[7])
    type: str = Field(examples=["task.completed"])
    happened_at: datetime = Field(examples=[A_TIME])
    state: Literal["pending", "delivered", "given_up"] = Field(examples=["delivered"])
    attempts: int = Field(examples=[1])
    attempted_at: datetime | None = Field(None, examples=[A_TIME])
    next_attempt_at: datetime | None = Field(None, description="Of what is pending.", examples=[None])
    status_code: int | None = Field(None, examples=[204])
    failure: str | None = Field(None, examples=[None])
    duration_ms: int | None = Field(None, examples=[38])


class DeliveryPage(Told):
    deliveries: list[DeliveryView] = Field(description="Newest first; kept for 30 days.")
    next: str | None = Field(None, description="The `cursor` of the next page.", examples=[None])
