"""unified-profiler: what is in every column and in the table as a whole (CATALOGUE §2)."""

from typing import TYPE_CHECKING

from pydantic import Field

from transformers.cells.checks import broken, disguised
from transformers.cells.columns import Column, read_columns
from transformers.findings import AgentResult, RowIssue, Severity
from transformers.profiling.judgements import judged
from transformers.profiling.numbers import Pass, batches, measurable, quantiles
from transformers.profiling.rows import note_repeated, repeated_rows
from transformers.profiling.table import NumberFigures, RepeatedRows, profile_of
from transformers.profiling.table_profile import TableProfile
from transformers.profiling.values import value_figures
from transformers.row_findings import RowFindings
from transformers.tables import Table
from transformers.tool import Agent, AgentContext, AgentParameters

if TYPE_CHECKING:
    import duckdb

AGENT_ID = "unified-profiler"


class UnifiedProfilerParameters(AgentParameters):
    null_alert_threshold: float = Field(
        default=50, ge=0, le=100, description="Percent of missing cells above which a column raises an alert."
    )
    categorical_threshold: int = Field(
        default=20, ge=1, le=10_000, description="A text column with at most this many distinct values is categorical."
    )
    categorical_ratio_threshold: float = Field(
        default=0.05, ge=0, le=1, description="So is one whose distinct values are at most this share of its cells."
    )
    top_n_values: int = Field(default=10, ge=0, le=100, description="How many of the most frequent values are listed.")
    outlier_iqr_multiplier: float = Field(
        default=1.5, gt=0, le=100, description="Interquartile ranges beyond the quartiles at which outliers begin."
    )
    outlier_alert_threshold: float = Field(
        default=5, ge=0, le=100, description="Percent of outliers above which a column raises an alert."
    )


def run(context: AgentContext) -> AgentResult:
    table, parameters = context.primary, context.parameters
    assert isinstance(parameters, UnifiedProfilerParameters)
    with context.database() as db:
        columns = read_columns(db, table)
        context.report_progress(0.25)
        rows = RowFindings.over(db, table)
        values = value_figures(
            db,
            table,
            columns,
            parameters.top_n_values,
            lambda done: context.report_progress(0.25 + 0.4 * done / len(columns)),
        )
        numbers = _numbers(context, db, columns, rows)
        repeated = _repeated(db, table, columns, rows)
        rows.find(db, table, broken(columns) + disguised(columns))
    profile = profile_of(table, columns, values=values, numbers=numbers, repeated=repeated, limits=parameters)
    context.report_progress(1.0)
    return _result(profile, rows, parameters)


def _numbers(
    context: AgentContext, db: "duckdb.DuckDBPyConnection", columns: tuple[Column, ...], rows: RowFindings
) -> NumberFigures:
    """Quantiles, then one pass that also notes each outlier's row."""
    known = quantiles(db, context.primary, measurable(columns))
    measured = [column for column in measurable(columns) if column.name in known]
    if not measured:
        return NumberFigures.none()
    walk = Pass(measured, [known[column.name] for column in measured], context.parameters.outlier_iqr_multiplier)
    tick = lambda done: context.report_progress(0.65 + 0.25 * done)  # noqa: E731  one expression, used once
    for source_rows, matrix in batches(db, context.primary, measured, tick):
        outside = walk.add(matrix)
        for i in outside.any(axis=0).nonzero()[0]:
            places = outside[:, i].nonzero()[0]
            rows.count("outlier", Severity.LOW, measured[i].name, source_rows[places])
            kept = places[: max(rows.room("outlier"), 0)]
            rows.keep(_outlier(walk, i, int(source_rows[p]), float(matrix[p, i])) for p in kept)
    return NumberFigures(known, walk)


def _outlier(walk: Pass, i: int, row: int, value: float) -> RowIssue:
    return RowIssue(
        row_index=row,
        column=walk.columns[i].name,
        issue_type="outlier",
        severity=Severity.LOW,
        message=f"Outside {walk.low[i]:.6g} … {walk.high[i]:.6g}.",
        value=f"{value:.12g}",
    )


def _repeated(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: tuple[Column, ...], rows: RowFindings
) -> RepeatedRows:
    found, first = repeated_rows(db, table, [column.name for column in columns])
    note_repeated(rows, found, first)
    return RepeatedRows(count=len(found), groups=len(set(first.tolist())))


def _result(profile: TableProfile, rows: RowFindings, parameters: UnifiedProfilerParameters) -> AgentResult:
    verdict = judged(profile, rows, AGENT_ID, parameters)
    return AgentResult(
        agent_id=AGENT_ID,
        agent_name=AGENT.name,
        summary_metrics=verdict.metrics,
        data=profile.model_dump(mode="json"),
        alerts=verdict.alerts,
        issues=verdict.issues,
        row_level_issues=rows.kept,
        issue_summary=rows.summary(verdict.issues),
        recommendations=verdict.recommendations,
        executive_summary=verdict.cards,
        analysis_text=verdict.text,
    )


AGENT = Agent(
    id=AGENT_ID,
    name="Unified profiler",
    description="Types, missing values, distributions, patterns, outliers, duplicates, correlations and keys.",
    parameters=UnifiedProfilerParameters,
    run=run,
)
