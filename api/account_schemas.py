"""What comes in and what goes out, for accounts and credits."""

import uuid
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, EmailStr, Field, SecretStr, model_validator

from api.schemas import A_RUN, A_TASK, A_TIME, BIGGEST_ID, Asked, ShortText, Told
from db.models import Scope

A_PASSWORD = "a long sentence, easily remembered"  # noqa: S105 (an example)
Email = Annotated[EmailStr, AfterValidator(str.lower), Field(max_length=254, examples=["ada@example.com"])]
MOST_CREDITS = 1_000_000_000  # in one grant; more is a typing error


class NewAccount(Asked):
    email: Email
    password: SecretStr = Field(min_length=12, max_length=200, examples=[A_PASSWORD])


class Login(Asked):
    email: Email
    password: SecretStr = Field(max_length=200, examples=[A_PASSWORD])


class RefreshAsked(Asked):
    refresh_token: str = Field(max_length=200, examples=["rt_Zq0…"])


class NewPassword(Asked):
    password: SecretStr = Field(max_length=200, description="The one until now.", examples=[A_PASSWORD])
    new_password: SecretStr = Field(min_length=12, max_length=200, examples=["another sentence, remembered as easily"])
    revoke_api_keys: bool = Field(default=False, description="Also end every API key.", examples=[False])


class Tokens(Told):
    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiIs…"])
    refresh_token: str = Field(description="Good for one use.", examples=["rt_Zq0…"])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (RFC 6749's word)
    expires_in: int = Field(description="Seconds the access token lives.", examples=[900])
    user_id: int = Field(examples=[1])


class Me(Told):
    user_id: int = Field(examples=[1])
    email: str = Field(examples=["ada@example.com"])
    role: str = Field(examples=["customer"])


class NewApiKey(Asked):
    name: ShortText = Field(examples=["nightly import"])
    scope: Scope = Field(
        Scope.MANAGE,
        description="`read`: only look and download; `run`: also upload, run, cancel and delete; `manage`: also "
        "webhooks and keys. A key makes no key of a wider scope than its own.",
        examples=[Scope.RUN],
    )
    expires_in_days: int | None = Field(None, ge=1, le=3650, description="None: until it is revoked.", examples=[90])


class ApiKeyView(Told):
    id: uuid.UUID = Field(examples=[A_RUN])
    name: str = Field(examples=["nightly import"])
    prefix: str = Field(examples=["4f1c9a7be203"])
    scope: Scope = Field(examples=[Scope.RUN])
    created_at: datetime = Field(examples=[A_TIME])
    expires_at: datetime | None = Field(None, examples=[None])
    last_used_at: datetime | None = Field(None, description="To the hour.", examples=[None])


class ApiKeyShown(ApiKeyView):
    key: str = Field(description="Shown this once.", examples=["ag_4f1c9a7be203_…"])


class ApiKeyList(Told):
    api_keys: list[ApiKeyView]


class Balance(Told):
    balance: int = Field(description="What may still be spent.", examples=[470])


class EntryView(Told):
    id: int = Field(examples=[12])
    kind: Literal["GRANT", "HOLD", "CAPTURE", "RELEASE"] = Field(examples=["HOLD"])
    agent_id: str | None = Field(None, examples=["unified-profiler"])
    task_id: uuid.UUID | None = Field(None, examples=[A_TASK])
    amount: int = Field(description="Always positive; the kind says which way.", examples=[30])
    note: str = Field(examples=[""])
    created_at: datetime = Field(examples=[A_TIME])


class EntryPage(Told):
    entries: list[EntryView] = Field(description="Newest first.")
    next: str | None = Field(None, description="The `cursor` of the next page.", examples=[None])


class Grant(Asked):
    user_id: int | None = Field(None, ge=1, le=BIGGEST_ID, examples=[1])
    email: Email | None = None
    amount: int = Field(ge=1, le=MOST_CREDITS, examples=[500])
    note: str = Field("", max_length=500, examples=["Invoice 2025-118"])

    @model_validator(mode="after")
    def _names_one_user(self) -> Self:
        if (self.user_id is None) == (self.email is None):
            raise ValueError("name the user by user_id or by email")
        return self


class Granted(Told):
    user_id: int = Field(examples=[1])
    balance: int = Field(examples=[500])
