"""What a quote says."""

from typing import Literal

from pydantic import Field

from api.schemas import Told


class QuotedRows(Told):
    estimate: int = Field(examples=[120_400])
    exact: bool = Field(description="True where the file itself says it.", examples=[False])


class QuotedFile(Told):
    filename: str = Field(examples=["customers.csv"])
    size: int = Field(description="Bytes.", examples=[48_213_900])
    format: str = Field(examples=["csv"])
    rows: QuotedRows | None = Field(description="Null where only reading it will tell.")


class QuotedSeconds(Told):
    """From the start of the work, without the wait before it."""

    low: float = Field(examples=[9.5])
    likely: float = Field(examples=[14.0])
    high: float = Field(examples=[33.0])
    based_on: Literal["history", "declared"] = Field(
        description="declared: an agent has no history, or none with so much data.", examples=["history"]
    )


class QuotedMemory(Told):
    likely: int = Field(description="Bytes at the peak of the greediest agent.", examples=[310_000_000])
    limit: int | None = Field(
        description="Bytes that an agent may use; null while no worker is there.", examples=[1_024_000_000]
    )


class QuotedCredits(Told):
    total: int = Field(description="What the submit would hold.", examples=[105])
    at_most: bool = Field(
        default=False,
        description="True where something is paid by use: what is not used is released at the end.",
        examples=[False],
    )
    by_agent: dict[str, int] = Field(examples=[{"unified-profiler": 30, "score-risk": 75}])
    balance: int = Field(examples=[500])
    shortfall: int = Field(description="How many are missing.", examples=[0])


class QuoteView(Told):
    rows: QuotedRows | None = Field(description="Of the primary file.")
    bytes: int = Field(description="Of all files that have arrived, parameters aside.", examples=[48_213_900])
    seconds: QuotedSeconds | None = Field(description="Null before any file has arrived.")
    memory_bytes: QuotedMemory | None = Field(description="Null where nothing is known of these agents' memory.")
    credits: QuotedCredits
    agents: list[str] = Field(description="Those that would run, in order.", examples=[["unified-profiler"]])
    files: dict[str, list[QuotedFile]] = Field(description="By role, what has arrived.")
    missing: dict[str, str] = Field(
        description="By role, what `process` would refuse the task for.",
        examples=[{"primary": "A file for the role 'primary' is missing."}],
    )
    warnings: list[str] = Field(examples=[["Drift detector will not run: it needs a file for the role 'baseline'."]])
