"""What a profile means for its owner: alerts, issues, advice and the sentence that opens the report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from transformers.findings import Alert, Issue, Recommendation, Severity, SummaryCard
from transformers.judgement import issues_of
from transformers.profiling.table_profile import ColumnProfile, TableProfile
from transformers.row_findings import RANK, RowFindings

MISMATCH_ALERT = 1.0  # percent of cells that do not fit: below it a stray cell is an issue, no alarm
DUPLICATE_ALERT = 1.0
STRONG = 0.95  # two columns this alike say the same thing twice
NAMED = 5  # columns named in one message
ALL = 100.0  # percent: not worth saying


class AlertThresholds(Protocol):
    @property
    def null_alert_threshold(self) -> float: ...
    @property
    def outlier_alert_threshold(self) -> float: ...


@dataclass(frozen=True)
class Judgement:
    alerts: tuple[Alert, ...]
    issues: tuple[Issue, ...]
    recommendations: tuple[Recommendation, ...]
    cards: tuple[SummaryCard, ...]
    metrics: dict[str, Any]
    text: str


def judged(profile: TableProfile, rows: RowFindings, agent_id: str, limits: AlertThresholds) -> Judgement:
    alerts = [alert for _, alert in sorted(_alerts(profile, limits), key=lambda one: (RANK[one[1].severity], -one[0]))]
    issues = sorted(_issues(profile, limits), key=lambda issue: RANK[issue[1]])
    return Judgement(
        alerts=tuple(a.model_copy(update={"alert_id": f"{agent_id}-alert-{i}"}) for i, a in enumerate(alerts, 1)),
        issues=issues_of(agent_id, ((name, kind, severity, message) for kind, severity, name, message in issues)),
        recommendations=_recommendations(profile, agent_id),
        cards=_cards(profile),
        metrics=_metrics(profile, rows),
        text=_text(profile),
    )


Ranked = tuple[float, Alert]  # with the share, in percent, by which alerts of one severity are ranked
Shared = tuple[ColumnProfile, float]


def _alerts(profile: TableProfile, limits: AlertThresholds) -> Iterator[Ranked]:
    if not profile.rows:
        message = "The table has no rows."
        yield 100.0, _alert(Severity.CRITICAL, "completeness", message, 0, "Upload a file with data.")
        return
    columns, empty = profile.columns, [c for c in profile.columns if c.logical_type == "empty"]
    yield from _about(
        [(c, 100.0) for c in empty],
        Severity.HIGH, "completeness", "{n} without any value: {names}.",
        "Fill or drop the empty columns.",
    )  # fmt: skip
    yield from _about(
        [(c, c.null_percent) for c in columns if c.null_percent > limits.null_alert_threshold and c not in empty],
        Severity.HIGH, "completeness", f"{{n}} with more than {limits.null_alert_threshold:g} % missing: {{names}}.",
        "Find out why the values are missing before you use the columns.",
    )  # fmt: skip
    yield from _about(
        [(c, c.invalid_percent) for c in columns if c.invalid_percent > MISMATCH_ALERT],
        Severity.HIGH, "validity", "{n} with cells that do not fit the column's type: {names}.",
        "Correct the cells listed as type_mismatch.",
    )  # fmt: skip
    yield from _about_rows(profile)
    yield from _about(
        [(c, o.percent) for c in columns if (o := c.outliers) and o.percent > limits.outlier_alert_threshold],
        Severity.MEDIUM, "distribution",
        f"{{n}} with more than {limits.outlier_alert_threshold:g} % outliers: {{names}}.",
        "Check whether the values are errors or the tail of the distribution.",
    )  # fmt: skip
    yield from _about(
        [(c, 100 * c.disguised_nulls / profile.rows) for c in columns if c.disguised_nulls],
        Severity.LOW, "completeness", "{n} with words that stand for nothing (N/A, - …): {names}.",
        "Leave missing cells empty.",
    )  # fmt: skip
    yield from _about(
        [(c, 100.0) for c in columns if c.constant],
        Severity.LOW, "information", "{n} with one value only: {names}.",
        "Drop columns that tell nothing apart.",
    )  # fmt: skip


def _about_rows(profile: TableProfile) -> Iterator[Ranked]:
    if profile.duplicates.percent > DUPLICATE_ALERT:
        message = f"{profile.duplicates.count:,} rows ({profile.duplicates.percent:.4g} %) repeat an earlier row."
        advice = "Remove the repeated rows."
        yield profile.duplicates.percent, _alert(Severity.MEDIUM, "uniqueness", message, profile.column_count, advice)
    nearly = [d for d in profile.dependencies if not d.exact]
    if nearly:
        worst = max(nearly, key=lambda d: d.error)
        message = (
            f"{len(nearly)} rules between columns have exceptions, most of all {', '.join(worst.determinants)} →"
            f" {worst.dependent} ({100 * worst.error:.3g} % of {worst.support:,} rows)."
        )
        advice = "Look at the rows that disagree: one of their cells is probably wrong."
        yield 100 * worst.error, _alert(Severity.MEDIUM, "consistency", message, len(nearly), advice)


def _about(found: Sequence[Shared], severity: Severity, category: str, message: str, advice: str) -> Iterator[Ranked]:
    if found:
        n = f"{len(found)} column" + ("s" if len(found) > 1 else "")
        ranked = sorted(found, key=lambda one: -one[1])
        yield ranked[0][1], _alert(severity, category, message.format(n=n, names=_names(ranked)), len(found), advice)


def _names(found: Sequence[Shared]) -> str:
    listed = ", ".join(c.name if share >= ALL else f"{c.name} ({share:.3g} %)" for c, share in found[:NAMED])
    return listed if len(found) <= NAMED else f"{listed} and {len(found) - NAMED} more"


def _alert(severity: Severity, category: str, message: str, affected: int, advice: str) -> Alert:
    return Alert(
        alert_id="",
        severity=severity,
        category=category,
        message=message,
        affected_fields_count=affected,
        recommendation=advice,
    )


def _issues(profile: TableProfile, limits: AlertThresholds) -> Iterator[tuple[str, Severity, str, str]]:
    """(type, severity, field, message) about whole columns; single cells are row-level issues."""
    for c in profile.columns:
        if c.logical_type == "empty" and profile.rows:
            yield "empty_column", Severity.HIGH, c.name, "No cell has a value."
        elif c.nulls + c.disguised_nulls:
            high = c.null_percent > limits.null_alert_threshold
            message = f"{c.nulls + c.disguised_nulls:,} of {profile.rows:,} cells are missing ({c.null_percent:.4g} %)."
            yield "missing", Severity.HIGH if high else Severity.LOW, c.name, message
        if c.constant:
            yield "constant_column", Severity.LOW, c.name, "Every cell has the same value."
        if "ambiguous dates" in c.quality.deductions:
            message = "No date tells whether the day or the month comes first; the month is taken."
            yield "ambiguous_dates", Severity.MEDIUM, c.name, message
        if c.numbers and c.numbers.infinite:
            yield "infinite_values", Severity.MEDIUM, c.name, f"{c.numbers.infinite:,} cells are infinite."
    for pair in profile.correlations:
        if abs(pair.coefficient) >= STRONG:
            message = f"Goes with {pair.right} (r = {pair.coefficient:.3f}); one of them may be redundant."
            yield "strong_correlation", Severity.INFO, pair.left, message


def _recommendations(profile: TableProfile, agent_id: str) -> tuple[Recommendation, ...]:
    found: list[tuple[Severity, str, str, str, float]] = []
    if profile.duplicates.count:
        text = f"Remove the {profile.duplicates.count:,} rows that repeat an earlier one."
        found.append((Severity.MEDIUM, "", text, "this week", 1.0))
    for c in profile.columns:
        worst = max(c.quality.deductions, key=lambda reason: c.quality.deductions[reason], default="")
        if c.quality.score < 80:  # noqa: PLR2004  below grade B
            severity = Severity.HIGH if c.quality.score < 60 else Severity.MEDIUM  # noqa: PLR2004  grade D ends
            points = c.quality.deductions[worst]
            text = f"Mend {c.name}: grade {c.quality.grade}, mostly for {worst} ({points:.3g} points)."
            found.append((severity, c.name, text, "this week" if severity is Severity.HIGH else "this month", 2.0))
    if profile.rows and not profile.key_candidates:
        text = "Add a key: no column, and no few of them together, tell every row apart."
        found.append((Severity.LOW, "", text, "this quarter", 4.0))
    found.sort(key=lambda advice: RANK[advice[0]])
    return tuple(
        Recommendation(
            recommendation_id=f"{agent_id}-recommendation-{i}",
            agent_id=agent_id,
            field_name=name,
            priority=severity,
            recommendation=text,
            timeline=timeline,
            estimated_effort_hours=hours,
            owner="data owner",
        )
        for i, (severity, name, text, timeline, hours) in enumerate(found, 1)
    )


def _cards(profile: TableProfile) -> tuple[SummaryCard, ...]:
    quality = profile.quality
    good = {"A": "good", "B": "good", "C": "warning"}.get(quality.grade, "bad")
    missing = "good" if profile.missing_percent < 5 else "warning"  # noqa: PLR2004  one cell in twenty
    return (
        SummaryCard(summary_id="data_quality", title="Data quality", value=f"{quality.score:.1f} ({quality.grade})",
                    status=good, description="Mean of the columns' scores, less duplicate rows."),
        SummaryCard(summary_id="table_size", title="Table", value=f"{profile.rows:,} × {profile.column_count:,}",
                    status="info", description="Rows and columns."),
        SummaryCard(summary_id="missing_cells", title="Missing cells", value=f"{profile.missing_percent:.2f} %",
                    status=missing, description="Empty cells and words that stand for nothing."),
        SummaryCard(summary_id="duplicate_rows", title="Duplicate rows", value=f"{profile.duplicates.count:,}",
                    status="warning" if profile.duplicates.count else "good",
                    description="Rows that repeat an earlier row in every column."),
    )  # fmt: skip


def _metrics(profile: TableProfile, rows: RowFindings) -> dict[str, Any]:
    return {
        "rows": profile.rows,
        "columns": profile.column_count,
        "missing_percent": profile.missing_percent,
        "invalid_cells": profile.invalid_cells,
        "duplicate_rows": profile.duplicates.count,
        "outliers": rows.of_kind("outlier"),
        "key_candidates": len(profile.key_candidates),
        "quality_score": profile.quality.score,
        "quality_grade": profile.quality.grade,
    }


def _text(profile: TableProfile) -> str:
    types = ", ".join(f"{n} {kind}" for kind, n in sorted(profile.logical_types.items(), key=lambda t: (-t[1], t[0])))
    keys = ", ".join(" + ".join(key.columns) for key in profile.key_candidates[:NAMED]) or "none"
    part = f" Looked at in part: {'; '.join(profile.limits)}." if profile.limits else ""
    return (
        f"The table has {profile.rows:,} rows and {profile.column_count:,} columns ({types or 'none'})."
        f" {profile.missing_percent:.2f} % of the cells are missing, {profile.invalid_cells:,} do not fit their"
        f" column's type, and {profile.duplicates.count:,} rows repeat an earlier one."
        f" Columns that identify a row: {keys}. Data quality: {profile.quality.score:.1f} of 100, grade"
        f" {profile.quality.grade}.{part}"
    )
