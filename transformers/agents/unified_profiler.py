"""unified-profiler: what is in every column and in the table as a whole (CATALOGUE §2)."""

from typing import TYPE_CHECKING

from pydantic import Field

from transformers.cells.checks import broken, disguised
from transformers.cells.columns import Column, walk_columns
from transformers.constraints import Constraint, suggest_constraints
from transformers.constraints.delivery import constraint_files
from transformers.findings import AgentResult
from transformers.keys.candidates import KeyLimits, composite_keys
from transformers.keys.key import KeyColumn
from transformers.profiling.correlations import correlations
from transformers.profiling.found_dependencies import found_dependencies
from transformers.profiling.found_features import found_features
from transformers.profiling.judgements import judged
from transformers.profiling.numbers import NumberFigures, number_figures
from transformers.profiling.rows import note_repeated, outlying, repeated_rows
from transformers.profiling.samples import sample_of
from transformers.profiling.table import RepeatedRows, profile_of
from transformers.profiling.table_profile import KeyCandidate, TableProfile
from transformers.profiling.values import ValueFigures, value_figures
from transformers.row_findings import RowFindings
from transformers.tables import Table
from transformers.tool import Agent, AgentContext, AgentParameters, Delivery

if TYPE_CHECKING:
    import duckdb

AGENT_ID = "unified-profiler"
LEAN_MEMORY = 100 * 2**20  # DuckDB spills the rest: a million rows take no longer, and the process stays under 250 MB


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


def run(context: AgentContext) -> Delivery:
    import duckdb

    assert isinstance(context.parameters, UnifiedProfilerParameters)
    with context.database() as db:
        db.execute(f"SET memory_limit = '{min(context.memory_bytes, LEAN_MEMORY) // 2**20}MiB'")
        try:
            profile, rows = _profiled(context, db)
        except duckdb.OutOfMemoryException:  # rows of very long texts need all there is
            db.execute(f"SET memory_limit = '{context.memory_bytes // 2**20}MiB'")
            profile, rows = _profiled(context, db)
    context.report_progress(1.0)
    constraints = suggest_constraints(profile)
    files = constraint_files(profile, constraints, context.primary.name, context.scratch)
    return Delivery(result=_result(profile, constraints, rows, context.parameters), files=files)


def _profiled(context: AgentContext, db: "duckdb.DuckDBPyConnection") -> tuple[TableProfile, RowFindings]:
    table = context.primary
    columns, values, numbers = _figures(context, db)
    rows = RowFindings.over(db, table)
    correlated = correlations(db, table, columns, numbers, lambda done: context.report_progress(0.7 + 0.1 * done))
    repeated = _repeated(db, table, columns, values, rows)
    context.report_progress(0.9)
    rows.find(db, table, broken(columns) + disguised(columns) + outlying(columns, numbers))
    sample = sample_of(db, table)
    profile = profile_of(
        table,
        columns,
        values=values,
        numbers=numbers,
        correlated=correlated,
        dependencies=found_dependencies(db, table, sample, columns, values),
        repeated=repeated,
        composite=_composite(db, table, columns, values),
        features=found_features(db, table, sample, columns),
        limits=context.parameters,
    )
    return profile, rows


def _figures(
    context: AgentContext, db: "duckdb.DuckDBPyConnection"
) -> tuple[list[Column], dict[str, ValueFigures], dict[str, NumberFigures]]:
    """One walk over the columns: each is read once, and all that is asked of it is asked of its distinct cells."""
    columns: list[Column] = []
    values: dict[str, ValueFigures] = {}
    numbers: dict[str, NumberFigures] = {}
    for some in walk_columns(db, context.primary):
        columns += some
        values |= value_figures(db, some, context.parameters.top_n_values)
        numbers |= number_figures(db, context.primary, some, context.parameters.outlier_iqr_multiplier)
        context.report_progress(0.7 * len(columns) / len(context.primary.columns))
    return columns, values, numbers


def _repeated(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: list[Column],
    values: dict[str, ValueFigures],
    rows: RowFindings,
) -> RepeatedRows:
    if any(figures.distinct == table.rows for figures in values.values()):  # as cells, trimmed: so the rows differ
        return RepeatedRows(count=0, groups=0)
    found, first = repeated_rows(db, table, [column.name for column in columns])
    note_repeated(rows, found, first)
    return RepeatedRows(count=len(found), groups=len(set(first.tolist())))


def _composite(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: list[Column], values: dict[str, ValueFigures]
) -> list[KeyCandidate]:
    """Looked for only where no single column tells every row apart."""
    counted = [KeyColumn(column, values[column.name].distinct, place) for place, column in enumerate(columns)]
    strict = KeyLimits(pk_uniqueness=100, most_columns=2)
    if any(key.distinct == table.rows and not key.is_measured for key in counted):
        return []
    found = composite_keys(db, table, counted, strict)
    return [KeyCandidate(columns=key.columns, distinct_percent=key.uniqueness, nulls=0) for key in found]


def _result(
    profile: TableProfile,
    constraints: tuple[Constraint, ...],
    rows: RowFindings,
    parameters: UnifiedProfilerParameters,
) -> AgentResult:
    verdict = judged(profile, rows, AGENT_ID, parameters)
    return AgentResult(
        agent_id=AGENT_ID,
        agent_name=AGENT.name,
        summary_metrics=verdict.metrics,
        data=profile.model_dump(mode="json") | {"constraints": [c.model_dump(mode="json") for c in constraints]},
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
    description="Types, missing values, distributions, outliers, duplicates, correlations, keys and constraints.",
    parameters=UnifiedProfilerParameters,
    run=run,
)
