"""What load balancers and operators are told."""

from typing import Literal

from pydantic import Field

from api.schemas import Told


class Check(Told):
    ok: bool = Field(examples=[True])
    reason: str | None = Field(None, examples=[None])


class Alive(Told):
    status: Literal["ok"] = Field("ok", examples=["ok"])


class Readiness(Told):
    status: Literal["ready", "not ready"] = Field(examples=["ready"])
    database: Check
    broker: Check
    storage: Check
    worker: Check
