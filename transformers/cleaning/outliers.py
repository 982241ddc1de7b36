"""outlier-remover's form and plan: values far from their column's others are flagged; what more, the customer says.

A value outside the fences is seldom an error (a long tail is the commonest reason): the default changes nothing.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from transformers.cells.kinds import literal
from transformers.cleaning.imputation import decimals, written
from transformers.cleaning.rules import CellRule, FlaggedCells, FlagRule, Plan, RowRule, Stage, Work
from transformers.findings import Alert, Severity
from transformers.outliers.fences import Fences, Method, Rule, fences, number_of, quantities
from transformers.outliers.rows import standing_alone
from transformers.tables import quoted
from transformers.tool import AgentParameters

AGENT_ID = "outlier-remover"
LONG_TAIL = 0.05  # of a column's values: so many are no outliers but its shape
FAR_OUT = 3.0  # interquartile ranges beyond the quartiles: Tukey's outer fence
ROWS_TABLE = "outlier_rows"


class OutlierRemoverParameters(AgentParameters):
    detection_method: Literal["iqr", "z_score", "percentile"] = Field(
        default="iqr", description="By interquartile ranges, standard deviations, or percentiles."
    )
    removal_strategy: Literal["flag", "remove", "impute_mean", "impute_median"] = Field(
        default="flag",
        description="Flag and leave; set the row aside; or write the mean or median of the values inside the fences.",
    )
    z_threshold: float = Field(default=3.0, gt=0, le=100, description="Standard deviations from the mean.")
    iqr_multiplier: float = Field(default=1.5, gt=0, le=100, description="Interquartile ranges beyond the quartiles.")
    lower_percentile: float = Field(default=1.0, ge=0, lt=100, description="Percent below which values are outliers.")
    upper_percentile: float = Field(default=99.0, gt=0, le=100, description="Percent above which values are outliers.")
    detect_joint_outliers: bool = Field(
        default=True, description="Flag rows that stand alone in all numbers together (isolation forest)."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lower_percentile >= self.upper_percentile:
            raise ValueError("lower_percentile must be below upper_percentile")
        return self

    @property
    def rule(self) -> Rule:
        method = Method(self.detection_method)
        return Rule(method, self.z_threshold, self.iqr_multiplier, self.lower_percentile, self.upper_percentile)


def plan(work: Work, form: OutlierRemoverParameters) -> Plan:
    measured = quantities(work.columns)
    found = fences(work.db, work.table.rows, measured, form.rule)
    work.report_progress(0.4)
    outside = [one for one in found if one.outside]
    strategy = form.removal_strategy
    joint = _joint(work, form, found)
    work.report_progress(1.0)
    return Plan(
        cells=tuple(_imputed(work, outside, median=strategy == "impute_median")) if "impute" in strategy else (),
        rows=tuple(_removed(outside, form)) if strategy == "remove" else (),
        flags=(*(_flagged(outside, form) if strategy == "flag" else ()), *joint),
        data={"columns": [_told(one) for one in found], "not_measured": _unmeasured(work, found)},
        metrics={"outlying_cells": sum(one.outside for one in found), "columns_measured": len(found)},
        alerts=tuple(_alerts(outside)),
        text=_text(outside, found),
    )


def _condition(one: Fences) -> str:
    return one.beyond(number_of(one.column, quoted(one.column.name)))


def _message(one: Fences, form: OutlierRemoverParameters) -> str:
    return f"Outside {one.low:.6g} … {one.high:.6g} ({form.detection_method.replace('_', ' ')})"


def _confidence(one: Fences) -> float:
    """How unusual it is to lie outside: the share of the column's values that do not."""
    return round(1 - one.share, 4)


def _flagged(outside: Sequence[Fences], form: OutlierRemoverParameters) -> Iterator[FlagRule]:
    """Far outliers apart: beyond Tukey's outer fence an error is likelier."""
    for one in outside:
        number = number_of(one.column, quoted(one.column.name))
        reach = FAR_OUT * (one.q3 - one.q1)
        far = f"coalesce(NOT ({number} BETWEEN {one.q1 - reach!r} AND {one.q3 + reach!r}), false)"
        far = far if reach > 0 else "false"
        message = _message(one, form)
        yield FlagRule("outlier", one.column.name, f"({_condition(one)} AND NOT {far})", Severity.LOW, f"{message}.")
        told = f"{message}, and far out: more than {FAR_OUT:g} interquartile ranges."
        yield FlagRule("far_outlier", one.column.name, f"({_condition(one)} AND {far})", Severity.MEDIUM, told)


def _removed(outside: Sequence[Fences], form: OutlierRemoverParameters) -> Iterator[RowRule]:
    for one in outside:
        reason = f"{one.column.name}: {_message(one, form)}."
        yield RowRule("outlier", _condition(one), reason, column=one.column.name, confidence=_confidence(one))


def _imputed(work: Work, outside: Sequence[Fences], *, median: bool) -> Iterator[CellRule]:
    figure, name = ("median", "impute_median") if median else ("favg", "impute_mean")
    for one in outside:
        number = number_of(one.column, quoted(one.column.name))
        inside = f"{number} BETWEEN {one.low!r} AND {one.high!r}"
        [(value,)] = work.db.execute(f'SELECT {figure}({number}) FROM "primary" WHERE {inside}').fetchall()
        if value is not None and math.isfinite(value):
            yield _rule(one, name, literal(written(value, decimals(work.db, one.column))))


def _rule(one: Fences, name: str, value: str) -> CellRule:
    column = one.column
    typed = value if column.is_text else f"CAST({value} AS {column.physical})"

    def within(cell: str) -> str:
        return f"CASE WHEN {one.beyond(number_of(column, cell))} THEN {typed} ELSE {cell} END"

    return CellRule(name, column.name, within, confidence=_confidence(one))


def _joint(work: Work, form: OutlierRemoverParameters, found: Sequence[Fences]) -> tuple[FlaggedCells, ...]:
    if not form.detect_joint_outliers:
        return ()
    rows, _ = standing_alone(work.db, found, work.table.rows, lambda done: work.report_progress(0.4 + 0.6 * done))
    if not rows:
        return ()
    work.db.execute(f"CREATE OR REPLACE TEMP TABLE {ROWS_TABLE}(source_row BIGINT, score DOUBLE)")
    work.db.executemany(f"INSERT INTO {ROWS_TABLE} VALUES (?, ?)", rows)
    message = "'Stands alone in its numbers taken together: score ' || round(score, 2) || ', where .5 is ordinary.'"
    relation = f"SELECT source_row, '' AS \"column\", NULL::VARCHAR AS value, {message} AS message FROM {ROWS_TABLE}"
    return (FlaggedCells("joint_outlier", Severity.LOW, relation),)


def _told(one: Fences) -> dict[str, Any]:
    return {
        "name": one.column.name,
        "low": float(f"{one.low:.12g}"),
        "high": float(f"{one.high:.12g}"),
        "median": float(f"{one.median:.12g}"),
        "values": one.n,
        "outside": one.outside,
        "outside_percent": round(100 * one.share, 4),
    }


def _unmeasured(work: Work, found: Sequence[Fences]) -> list[str]:
    """Numbers without fences: keys, codes, years, and columns whose middle half is one value."""
    names = {one.column.name for one in found}
    return [c.name for c in work.columns if c.logical.value in {"integer", "decimal"} and c.name not in names]


def _alerts(outside: Sequence[Fences]) -> Iterator[Alert]:
    tails = [one for one in outside if one.share > LONG_TAIL]
    if tails:
        names = ", ".join(f"{one.column.name} ({one.share:.1%})" for one in tails[:6])
        more = f" and {len(tails) - 6} more" if len(tails) > 6 else ""  # noqa: PLR2004  as many as are named
        yield Alert(
            alert_id=f"{AGENT_ID}-alert-long-tail",
            severity=Severity.MEDIUM,
            category="distribution",
            message=f"So many values lie outside that they are the column's shape, no errors: {names}{more}.",
            affected_fields_count=len(tails),
            recommendation="Do not remove them by this rule; use percentiles, or a wider multiplier.",
        )


def _text(outside: Sequence[Fences], found: Sequence[Fences]) -> str:
    cells = sum(one.outside for one in outside)
    return f"{cells:,} cells in {len(outside)} of {len(found)} measured columns lie outside the fences."


STAGE = Stage(AGENT_ID, "Outlier remover", OutlierRemoverParameters, plan)
