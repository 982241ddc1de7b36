"""What goes out of the catalogue."""

from typing import Any

from pydantic import Field

from api.schemas import Told


class InputRoleView(Told):
    role: str = Field(examples=["primary"])
    required: bool
    formats: list[str] = Field(examples=[["csv", "parquet"]])
    max_bytes: int = Field(examples=[524_288_000])


class AgentView(Told):
    agent_id: str = Field(examples=["unified-profiler"])
    agent_name: str = Field(examples=["Unified profiler"])
    description: str = Field(examples=["Types, distributions and quality of every column."])
    price: int = Field(description="Credits.", examples=[30])
    required: bool = Field(description="The task fails with it.", examples=[False])
    roles: list[str] = Field(description="Input roles that it needs.", examples=[["primary"]])
    parameters: dict[str, Any] = Field(
        description="JSON Schema of its parameters.", examples=[{"type": "object", "properties": {}}]
    )


class ToolView(Told):
    tool_id: str = Field(examples=["profile-my-data"])
    name: str = Field(examples=["Profile my data"])
    description: str = Field(examples=["What is in a table, how good it is, what is risky in it."])
    time_limit_seconds: float = Field(examples=[1800])
    inputs: list[InputRoleView]
    agents: list[AgentView] = Field(description="In running order.")


class ToolList(Told):
    tools: list[ToolView]
