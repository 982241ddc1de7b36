"""What goes out of the catalogue."""

from typing import Any

from pydantic import Field

from api.schemas import Told


class InputRoleView(Told):
    role: str = Field(examples=["primary"])
    required: bool
    formats: list[str] = Field(examples=[["csv", "parquet"]])
    max_bytes: int = Field(description="Of each file.", examples=[524_288_000])
    many: bool = Field(default=False, description="Takes several files.", examples=[False])


class TariffView(Told):
    """Credits by use. The most that it may come to is set aside at the submit, and what was not used is back."""

    per_call: int = Field(0, description="For each call that was answered.", examples=[1])
    per_thousand_tokens: int = Field(
        0, description="For a thousand tokens, read and written; the sum is rounded up.", examples=[1]
    )


class AgentView(Told):
    agent_id: str = Field(examples=["unified-profiler"])
    agent_name: str = Field(examples=["Unified profiler"])
    description: str = Field(examples=["Types, distributions and quality of every column."])
    price: int = Field(description="Credits; beside a tariff none.", examples=[30])
    tariff: TariffView | None = Field(None, description="Where it is paid by use.")
    required: bool = Field(description="The task fails with it.", examples=[False])
    in_children: bool = Field(
        default=False, description="It runs in the parts that the task is split into, many at once.", examples=[False]
    )
    roles: list[str] = Field(description="Input roles that it needs.", examples=[["primary"]])
    parameters: dict[str, Any] = Field(
        description="JSON Schema of its parameters.", examples=[{"type": "object", "properties": {}}]
    )


class ToolView(Told):
    tool_id: str = Field(examples=["profile-my-data"])
    name: str = Field(examples=["Profile my data"])
    description: str = Field(examples=["What is in a table, how good it is, what is risky in it."])
    available: bool = Field(default=True, description="It can be asked for here.", examples=[True])
    unavailable_reason: str | None = Field(None, description="Why it cannot.", examples=[None])
    models: list[str] = Field(
        default_factory=list,
        description="The models that its parameters may name, as provider:model; the first is the default.",
        examples=[["openai:gpt-4.1-mini"]],
    )
    splits: bool = Field(
        default=False, description="Its tasks are split into parts, which run at once.", examples=[False]
    )
    time_limit_seconds: float = Field(examples=[1800])
    inputs: list[InputRoleView]
    agents: list[AgentView] = Field(description="In running order.")


class ToolList(Told):
    tools: list[ToolView]
