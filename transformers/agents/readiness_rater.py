"""readiness-rater: is the table fit for use? Completeness, consistency and schema health, each deduction listed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from transformers.cells.checks import broken, missing
from transformers.cells.columns import walk_columns
from transformers.cells.values import chunks
from transformers.findings import AgentResult, Alert, Issue, Recommendation, Severity, SummaryCard
from transformers.judgement import issues_of
from transformers.profiling.readiness_scores import (
    ColumnFacts,
    Component,
    Deduction,
    Readiness,
    Score,
    deductions,
    scores,
)
from transformers.profiling.rows import note_repeated, repeated_rows
from transformers.row_findings import RowFindings
from transformers.tables import Table, quoted
from transformers.tool import Agent, AgentContext, AgentParameters

if TYPE_CHECKING:
    import duckdb

AGENT_ID = "readiness-rater"
SERIOUS, NOTABLE = 5.0, 1.0  # points of a component's hundred from which a deduction is of high and of medium severity
ADVISED = 10  # recommendations: the deductions that cost most
COLUMNS_A_QUERY = 100  # of text read side by side: wider scans only hold more


class ReadinessRaterParameters(AgentParameters):
    """The weights are divided by their sum."""

    completeness_weight: float = Field(default=0.3, ge=0, le=1, description="Weight of completeness.")
    consistency_weight: float = Field(default=0.3, ge=0, le=1, description="Weight of consistency.")
    schema_health_weight: float = Field(default=0.4, ge=0, le=1, description="Weight of schema health.")
    ready_threshold: float = Field(default=80, ge=0, le=100, description="Score from which the data is ready.")
    review_threshold: float = Field(default=50, ge=0, le=100, description="Score from which it needs review only.")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not sum(self.weights.values()):
            raise ValueError("at least one weight must be above zero")
        if self.review_threshold > self.ready_threshold:
            raise ValueError("review_threshold must not be above ready_threshold")
        return self

    @property
    def weights(self) -> dict[Component, float]:
        return {
            Component.COMPLETENESS: self.completeness_weight,
            Component.CONSISTENCY: self.consistency_weight,
            Component.SCHEMA_HEALTH: self.schema_health_weight,
        }


def run(context: AgentContext) -> AgentResult:
    table, parameters = context.primary, context.parameters
    assert isinstance(parameters, ReadinessRaterParameters)
    with context.database() as db:
        facts = _facts(db, table, lambda done: context.report_progress(0.7 * done))
        columns = [fact.column for fact in facts]
        rows = RowFindings.over(db, table)
        duplicates, first = repeated_rows(db, table, [column.name for column in columns])
        note_repeated(rows, duplicates, first)
        rows.find(db, table, missing(columns) + broken(columns))
    context.report_progress(1.0)
    found = deductions(table, facts, len(duplicates))
    return _result(scores(found, parameters.weights), found, rows, parameters)


def _facts(db: "duckdb.DuckDBPyConnection", table: Table, tick: Callable[[float], None]) -> list[ColumnFacts]:
    facts: list[ColumnFacts] = []
    for some in walk_columns(db, table):
        distinct, variants = _spellings(db)
        untrimmed = _untrimmed(db, table, [column.name for column in some if column.is_text])
        facts += [
            ColumnFacts(
                column=column,
                distinct=distinct.get(place, 0),
                case_variants=variants.get(place, 0) if column.is_text else 0,
                untrimmed=untrimmed.get(column.name, 0),
            )
            for place, column in enumerate(some)
        ]
        tick(len(facts) / len(table.columns))
    return facts


def _spellings(db: "duckdb.DuckDBPyConnection") -> tuple[dict[int, int], dict[int, int]]:
    """By the column's place: distinct values, and the cells that differ from more frequent ones in case only.

    Most columns have no such cells: hashes tell, in eight bytes a value.
    """
    found = db.execute(
        "SELECT c, count(*), count(DISTINCT hash(lower(v))) FROM cell_values WHERE v <> '' GROUP BY c"
    ).fetchall()
    mixed = [place for place, n, folded in found if folded < n]
    return {place: n for place, n, _ in found}, _variants(db, mixed) if mixed else {}


def _variants(db: "duckdb.DuckDBPyConnection", places: list[int]) -> dict[int, int]:
    groups = (
        f"SELECT c, sum(n) - max(n) AS fewer FROM cell_values WHERE v <> '' AND c IN ({', '.join(map(str, places))})"
        " GROUP BY c, lower(v) HAVING count(*) > 1"
    )
    return dict(db.execute(f"SELECT c, sum(fewer)::BIGINT FROM ({groups}) GROUP BY c").fetchall())


def _untrimmed(db: "duckdb.DuckDBPyConnection", table: Table, names: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in chunks(names, COLUMNS_A_QUERY):
        counts = ", ".join(f"count(*) FILTER ({quoted(name)} <> trim({quoted(name)}))" for name in some)
        [row] = db.execute(f"SELECT {counts} FROM {quoted(table.role)}").fetchall()
        found |= dict(zip(some, row, strict=True))
    return found


def _result(
    parts: tuple[Score, ...], found: tuple[Deduction, ...], rows: RowFindings, parameters: ReadinessRaterParameters
) -> AgentResult:
    overall = round(sum(part.score * part.weight for part in parts) / sum(part.weight for part in parts), 2)
    verdict = _verdict(overall, parameters)
    issues = _issues(found)
    return AgentResult(
        agent_id=AGENT_ID,
        agent_name=AGENT.name,
        summary_metrics={"readiness_score": overall, "readiness": verdict.value}
        | {f"{part.name.value.replace(' ', '_')}_score": part.score for part in parts},
        data={
            "score": overall,
            "readiness": verdict.value,
            "components": [part.model_dump(mode="json") for part in parts],
        },
        alerts=_alerts(verdict, overall, parts),
        issues=issues,
        row_level_issues=rows.kept,
        issue_summary=rows.summary(issues),
        recommendations=_recommendations(found),
        executive_summary=(_card(verdict, overall),),
        analysis_text=_text(verdict, overall, parts),
    )


def _verdict(overall: float, parameters: ReadinessRaterParameters) -> Readiness:
    if overall >= parameters.ready_threshold:
        return Readiness.READY
    return Readiness.NEEDS_REVIEW if overall >= parameters.review_threshold else Readiness.NOT_READY


def _severity(points: float) -> Severity:
    if points >= SERIOUS:
        return Severity.HIGH
    return Severity.MEDIUM if points >= NOTABLE else Severity.LOW


def _issues(found: tuple[Deduction, ...]) -> tuple[Issue, ...]:
    said = (
        (d.field, d.kind, _severity(d.points), f"{d.component.value.capitalize()} −{d.points:.3g}: {d.reason}.")
        for d in found
    )
    return issues_of(AGENT_ID, said)


def _alerts(verdict: Readiness, overall: float, parts: tuple[Score, ...]) -> tuple[Alert, ...]:
    if verdict is Readiness.READY:
        return ()
    weakest = min(parts, key=lambda part: part.score)
    severity = Severity.HIGH if verdict is Readiness.NOT_READY else Severity.MEDIUM
    message = (
        f"The data is {_spoken(verdict)} ({overall:.1f} of 100); {weakest.name.value} is weakest ({weakest.score:.1f})."
    )
    return (
        Alert(
            alert_id=f"{AGENT_ID}-alert-1",
            severity=severity,
            category="readiness",
            message=message,
            affected_fields_count=len({d.field for part in parts for d in part.deductions if d.field}),
            recommendation="Mend what the deductions list, the largest first.",
        ),
    )


def _recommendations(found: tuple[Deduction, ...]) -> tuple[Recommendation, ...]:
    return tuple(
        Recommendation(
            recommendation_id=f"{AGENT_ID}-recommendation-{i}",
            agent_id=AGENT_ID,
            field_name=d.field,
            priority=_severity(d.points),
            recommendation=f"Win back {d.points:.3g} points of {d.component.value}: {d.reason}.",
            timeline="this week" if d.points >= SERIOUS else "this month",
            estimated_effort_hours=2.0,
            owner="data owner",
        )
        for i, d in enumerate((d for d in found[:ADVISED] if d.points >= NOTABLE), 1)
    )


def _card(verdict: Readiness, overall: float) -> SummaryCard:
    status = {Readiness.READY: "good", Readiness.NEEDS_REVIEW: "warning", Readiness.NOT_READY: "bad"}[verdict]
    return SummaryCard(
        summary_id="readiness",
        title="Readiness",
        value=f"{overall:.1f} ({_spoken(verdict)})",
        status=status,
        description="Completeness, consistency and schema health, weighted.",
    )


def _spoken(verdict: Readiness) -> str:
    return {
        Readiness.READY: "ready",
        Readiness.NEEDS_REVIEW: "in need of review",
        Readiness.NOT_READY: "not ready",
    }[verdict]


def _text(verdict: Readiness, overall: float, parts: tuple[Score, ...]) -> str:
    listed = ", ".join(f"{part.name.value} {part.score:.1f}" for part in parts)
    return f"The table is {_spoken(verdict)}: {overall:.1f} of 100 ({listed})."


AGENT = Agent(
    id=AGENT_ID,
    name="Readiness rater",
    description="Completeness, consistency and schema health: ready, needs review or not ready, each deduction listed.",
    parameters=ReadinessRaterParameters,
    run=run,
)
