"""drift-detector: is a table still what its baseline was? By effect size, with the rows behind it (CATALOGUE §2)."""

from typing import Literal

from pydantic import Field

from backend.errors import MissingInputRole
from transformers.cells.columns import read_columns
from transformers.drift.causes import causes
from transformers.drift.comparison import Limits, Sides, compare
from transformers.drift.judgements import DriftReport
from transformers.drift.noise import levels_of_tests
from transformers.drift.numbers import SAMPLED_ROWS
from transformers.drift.pairs import matched
from transformers.findings import AgentResult
from transformers.judgement import result_of
from transformers.profiling.table_profile import Sampled
from transformers.row_findings import RowFindings
from transformers.tables import Table
from transformers.tool import PRIMARY, Agent, AgentContext, AgentParameters

AGENT_ID = "drift-detector"
BASELINE = "baseline"
RULE = "the rows whose row number's hash falls into an even share"


class DriftDetectorParameters(AgentParameters):
    statistical_test: Literal["kolmogorov_smirnov", "chi2", "wasserstein"] = Field(
        default="kolmogorov_smirnov", description="The figure that leads a column's; all of them are told and judged."
    )
    significance_level: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="Chance of a false alarm, shared out over the tests. The effect must be large as well.",
    )
    min_sample_size: int = Field(
        default=100, ge=1, le=10_000_000, description="Values on both sides below which a column is not judged."
    )


def run(context: AgentContext) -> AgentResult:
    parameters, primary = context.parameters, context.primary
    assert isinstance(parameters, DriftDetectorParameters)
    baseline = context.tables.get(BASELINE)
    if baseline is None:
        raise MissingInputRole("Drift needs a baseline to compare with.", role=BASELINE, agent=AGENT_ID)
    with context.database() as db:
        sides = Sides(db, baseline, primary)
        old, new = read_columns(db, baseline), read_columns(db, primary)
        context.report_progress(0.3)
        found = matched(old, new)
        limits = Limits(levels_of_tests(parameters.significance_level, len(old)), parameters.min_sample_size)
        columns = compare(sides, found.pairs, limits, lambda done: context.report_progress(0.3 + 0.5 * done))
        rows = RowFindings.over(db, primary)
        rows.find(db, primary, causes(sides, columns))
    context.report_progress(1.0)
    notes = [note.model_dump(mode="json") for table in (baseline, primary) for note in _notes(table)]
    counts = (baseline.rows, primary.rows)
    report = DriftReport(AGENT_ID, found, columns, parameters.statistical_test, counts, notes)
    return result_of(AGENT_ID, AGENT.name, report, rows, report.charts())


def _notes(table: Table) -> list[Sampled]:
    if table.rows <= SAMPLED_ROWS:
        return []
    n = table.rows // -(-table.rows // SAMPLED_ROWS)
    figures = f"Wasserstein distances and patterns of the {table.role} table"
    return [Sampled(figure=figures, rule=RULE, n=n, of=table.rows)]


AGENT = Agent(
    id=AGENT_ID,
    name="Drift detector",
    description="New, missing and retyped columns, and values that are no longer distributed as in the baseline.",
    parameters=DriftDetectorParameters,
    run=run,
    roles=(PRIMARY, BASELINE),
)
