"""governance-checker: lineage, consent, classification and retention, where personal data makes them matter."""

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from transformers.cells.columns import TEMPORAL, Column, LogicalType, read_columns
from transformers.cells.kinds import FALSE_WORDS, words
from transformers.findings import AgentResult, Severity
from transformers.governance.areas import Area, field_of, may_serve
from transformers.governance.areas import Field as AreaField
from transformers.governance.judgements import GovernanceReport
from transformers.judgement import result_of
from transformers.risk.fields import FieldRisk, field_risk
from transformers.risk.personal_fields import words_of
from transformers.risk.sample import draw_sample, sampled_cells
from transformers.row_findings import CellCheck, RowFindings
from transformers.tables import Table
from transformers.tool import Agent, AgentContext, AgentParameters

if TYPE_CHECKING:
    import duckdb

AGENT_ID = "governance-checker"
REFUSALS = (*FALSE_WORDS, "0", "withdrawn", "revoked", "refused", "denied", "declined", "opted out", "opt-out", "none")
MEANS_NO = {"out", "unsubscribed", "not"}  # in the header: here it is yes that refuses
CONSENTS = {"consent", "consents", "consented", "opt", "opted", "permission", "accepted", "agreed", "einwilligung",
            "consentement", "consentimiento"}  # fmt: skip


class GovernanceParameters(AgentParameters):
    sample_size: int = Field(
        default=10_000, ge=1, le=1_000_000, description="Rows whose values are read for personal data."
    )
    compliant_threshold: float = Field(default=80, ge=0, le=100, description="Score from which the table is compliant.")
    review_threshold: float = Field(default=40, ge=0, le=100, description="Score from which it only needs review.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.review_threshold > self.compliant_threshold:
            raise ValueError("review_threshold must not be above compliant_threshold")
        return self


def run(context: AgentContext) -> AgentResult:
    table, form = context.primary, context.parameters
    assert isinstance(form, GovernanceParameters)
    with context.database() as db:
        columns = read_columns(db, table)
        context.report_progress(0.4)
        risks = _risks(db, table, columns, form.sample_size)
        context.report_progress(0.8)
        fields = _fields(db, columns)
        rows = RowFindings.over(db, table)
        report = GovernanceReport(AGENT_ID, risks, fields, 0, form.compliant_threshold, form.review_threshold)
        refused = _refusals(db, fields[Area.CONSENT]) if report.personal else []
        rows.find(db, table, refused)
    context.report_progress(1.0)
    count = sum(check.count for check in refused)
    report = GovernanceReport(AGENT_ID, risks, fields, count, form.compliant_threshold, form.review_threshold)
    return result_of(AGENT_ID, AGENT.name, report, rows)


def _risks(db: "duckdb.DuckDBPyConnection", table: Table, columns: tuple[Column, ...], size: int) -> list[FieldRisk]:
    """By value, in rows chosen by the hash of their number, and by name."""
    draw_sample(db, table, size)
    return [_risk(db, column) for column in columns]


def _risk(db: "duckdb.DuckDBPyConnection", column: Column) -> FieldRisk:
    cells = sampled_cells(db, column)
    temporal, measured = column.logical in TEMPORAL, column.logical is LogicalType.DECIMAL
    risk, _ = field_risk(column.name, cells, temporal=temporal, measured=measured, by_value=True, by_name=True)
    return risk


def _fields(db: "duckdb.DuckDBPyConnection", columns: tuple[Column, ...]) -> dict[Area, list[AreaField]]:
    """The strongest of each area first."""
    found: dict[Area, list[AreaField]] = {area: [] for area in Area}
    for column in columns:
        for area in may_serve(column):
            [(distinct,)] = db.execute(
                f'SELECT approx_count_distinct({column.cell}) FROM "primary" WHERE NOT {column.is_missing}'
            ).fetchall()
            found[area].append(field_of(area, column, distinct))
    return {area: sorted(fields, key=lambda field: -field.strength) for area, fields in found.items()}


def _refusals(db: "duckdb.DuckDBPyConnection", fields: list[AreaField]) -> list[CellCheck]:
    """Rows whose consent column says no."""
    checks = []
    for field in fields:
        column, header = field.column, set(words_of(field.column.name).split())
        asks = header & CONSENTS and not header & MEANS_NO
        if asks and column.logical not in TEMPORAL:
            no = f"coalesce(lower({column.cell}) IN {words(REFUSALS)}, false)"
            [(count,)] = db.execute(f'SELECT count(*) FILTER ({no}) FROM "primary"').fetchall()
            message = "Says no to the use of the data."
            checks.append(CellCheck("consent_refused", Severity.MEDIUM, column.name, no, column.cell, count, message))
    return [check for check in checks if check.count]


AGENT = Agent(
    id=AGENT_ID,
    name="Governance checker",
    description="Lineage, consent, classification and retention: what a table of personal data has, and what it lacks.",
    parameters=GovernanceParameters,
    run=run,
)
