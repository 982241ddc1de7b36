"""test-coverage-agent: uniqueness, range and format rules, given or discovered, put to every cell (CATALOGUE §2)."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from transformers.cells.columns import read_columns
from transformers.cleaning.bounds import Bounds, check_fit
from transformers.coverage import forms
from transformers.coverage.judgements import CoverageReport, Levels
from transformers.coverage.rules import Kind, discovered_rules, given_rules
from transformers.coverage.testing import tested
from transformers.findings import AgentResult
from transformers.judgement import result_of
from transformers.naming_columns import known
from transformers.row_findings import RowFindings
from transformers.tool import Agent, AgentContext, AgentParameters

AGENT_ID = "test-coverage-agent"


class CoverageParameters(AgentParameters):
    """The weights are divided by the sum of those whose kind of test there is."""

    uniqueness_weight: float = Field(default=0.4, ge=0, le=1, description="Weight of uniqueness.")
    range_weight: float = Field(default=0.3, ge=0, le=1, description="Weight of ranges.")
    format_weight: float = Field(default=0.3, ge=0, le=1, description="Weight of formats.")
    excellent_threshold: float = Field(default=90, ge=0, le=100, description="Score from which the data is excellent.")
    good_threshold: float = Field(default=75, ge=0, le=100, description="Score from which the data is good.")
    unique_columns: tuple[str, ...] = Field(default=(), description="Columns in which no value may occur twice.")
    range_tests: dict[str, Bounds] = Field(default={}, description="By column: {min, max}; dates as text.")
    format_tests: dict[str, str] = Field(
        default={}, description="By column: a regular expression (RE2) that the whole cell must match."
    )
    discover_rules: bool = Field(default=True, description="Also test by rules that nearly all of the cells keep.")

    @field_validator("format_tests")
    @classmethod
    def _linear(cls, patterns: dict[str, str]) -> dict[str, str]:
        forms.no_faults(patterns)
        return patterns

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not sum(self.weights.values()):
            raise ValueError("at least one weight must be above zero")
        if self.good_threshold > self.excellent_threshold:
            raise ValueError("good_threshold must not be above excellent_threshold")
        return self

    @property
    def weights(self) -> dict[Kind, float]:
        return {
            Kind.UNIQUENESS: self.uniqueness_weight,
            Kind.RANGE: self.range_weight,
            Kind.FORMAT: self.format_weight,
        }


def run(context: AgentContext) -> AgentResult:
    table, form = context.primary, context.parameters
    assert isinstance(form, CoverageParameters)
    unique = known("unique_columns", form.unique_columns, table.columns)
    ranges = {name: form.range_tests[name] for name in known("range_tests", form.range_tests, table.columns)}
    patterns = {name: form.format_tests[name] for name in known("format_tests", form.format_tests, table.columns)}
    with context.database() as db:
        forms.check(db, "format_tests", patterns)
        columns = {column.name: column for column in read_columns(db, table)}
        for name, bounds in ranges.items():
            check_fit(db, "range_tests", columns[name], bounds)
        context.report_progress(0.4)
        rules = list(given_rules(columns, unique, ranges, patterns))
        rules += discovered_rules(db, table.rows, list(columns.values()), rules) if form.discover_rules else []
        context.report_progress(0.7)
        rows = RowFindings.over(db, table)
        tests = tested(db, table, rules, rows)
    context.report_progress(1.0)
    levels = Levels(form.excellent_threshold, form.good_threshold)
    report = CoverageReport(AGENT_ID, tests, form.weights, levels, table.columns)
    return result_of(AGENT_ID, AGENT.name, report, rows)


AGENT = Agent(
    id=AGENT_ID,
    name="Test coverage",
    description="Uniqueness, range and format rules, given or discovered: what passes, and every row that fails.",
    parameters=CoverageParameters,
    run=run,
)
