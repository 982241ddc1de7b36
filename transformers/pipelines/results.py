"""How a whole pipeline went, step by step: its results.json (CATALOGUE §6)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from backend.errors import DependencyFailed
from transformers.reporting.report import StepOutcome


class StepState(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class StepError(BaseModel):
    code: str
    message: str


class StepResult(BaseModel):
    """`output` is the text, or the value where a schema was given; `time` in seconds."""

    model_config = ConfigDict(extra="ignore")

    status: StepState
    output: Any = None
    time: float = 0.0
    model: str | None = None
    fallback: bool = False
    error: StepError | None = None


class PipelineResults(BaseModel):
    """`total_time` in seconds is the task's running time: steps that ran together overlap in it."""

    results: dict[str, StepResult]
    total_time: float
    success_count: int
    total_count: int
    success_rate: float


def pipeline_results(outcomes: Sequence[StepOutcome], milliseconds: int) -> PipelineResults:
    results = {outcome.agent_id: _result(outcome) for outcome in outcomes}
    succeeded = sum(result.status is StepState.OK for result in results.values())
    return PipelineResults(
        results=results,
        total_time=milliseconds / 1000,
        success_count=succeeded,
        total_count=len(results),
        success_rate=round(succeeded / len(results), 4) if results else 0.0,
    )


def _result(outcome: StepOutcome) -> StepResult:
    if outcome.result is not None:
        return StepResult.model_validate(outcome.result.data)
    skipped = outcome.error_code == DependencyFailed.error_code
    return StepResult(
        status=StepState.SKIPPED if skipped else StepState.FAILED,
        error=StepError(code=outcome.error_code or "", message=outcome.message or ""),
    )
