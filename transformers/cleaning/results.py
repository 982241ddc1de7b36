"""A stage's findings as a report shows them, the same way for all eight agents."""

from typing import Any

from transformers.cleaning.rules import Applied, Plan, Stage
from transformers.findings import AgentResult, Alert, Bar, Chart, Issue, Recommendation, Severity, SummaryCard
from transformers.row_findings import RowFindings

HIGH_SHARE, MEDIUM_SHARE = 0.10, 0.05  # of the rows (CATALOGUE §2: impact)


def impact(part: float, whole: int, high: float = HIGH_SHARE, medium: float = MEDIUM_SHARE) -> str:
    """How much of the table it touches: high, medium or low."""
    share = part / whole if whole else 0.0
    if share >= high:
        return "high"
    return "medium" if share >= medium else "low"


def result_of(stage: Stage, plan: Plan, applied: Applied, flags: dict[str, int], rows: RowFindings) -> AgentResult:
    issues = _issues(stage, applied)
    return AgentResult(
        agent_id=stage.agent_id,
        agent_name=stage.name,
        summary_metrics=metrics_of(applied, flags) | dict(plan.metrics),
        data=_data(applied, flags) | dict(plan.data),
        alerts=(*_alerts(stage, applied), *plan.alerts),
        issues=issues,
        row_level_issues=rows.kept,
        issue_summary=rows.summary(issues),
        recommendations=(*_recommendations(stage, applied, flags), *plan.recommendations),
        executive_summary=_cards(stage, applied, flags),
        charts=_charts(applied, flags),
        analysis_text=" ".join(filter(None, (_text(stage, applied, flags), plan.text))),
    )


def _charts(applied: Applied, flags: dict[str, int]) -> tuple[Chart, ...]:
    """What was done and what was only seen, by rule; the rows before and after."""
    changed = [Bar(label=_spoken(rule), value=count.cells) for rule, count in sorted(applied.cells.items())]
    flagged = [Bar(label=f"{_spoken(rule)} (flagged)", value=cells) for rule, cells in flags.items()]
    rows = Bar(label="Rows", value=applied.table.rows, before=applied.rows_before)
    found = (
        Chart(title="Cells", bars=tuple(changed + flagged)),
        Chart(title="Rows before and after", bars=(rows,) if applied.rows_set_aside else ()),
    )
    return tuple(chart for chart in found if chart.bars)


def _spoken(rule: str) -> str:
    return rule.replace("_", " ")


def metrics_of(applied: Applied, flags: dict[str, int]) -> dict[str, Any]:
    return {
        "rows_before": applied.rows_before,
        "rows_after": applied.table.rows,
        "rows_set_aside": applied.rows_set_aside,
        "rows_changed": applied.rows_changed,
        "cells_changed": applied.cells_changed,
        "columns_dropped": len(applied.drops),
        "cells_flagged": sum(flags.values()),
    }


def rules_of(applied: Applied, flags: dict[str, int]) -> list[dict[str, Any]]:
    """What each rule did, one line each: action, rule, rows, cells, by column, impact."""
    whole = applied.rows_before
    done = [("changed", count) for _, count in sorted(applied.cells.items())]
    done += [("set_aside", count) for _, count in sorted(applied.rows.items())]
    lines: list[dict[str, Any]] = [
        {
            "action": action,
            "rule": count.rule,
            "rows": count.rows,
            "cells": count.cells,
            "columns": dict(count.columns),
            "impact": impact(count.rows, whole),
        }
        for action, count in done
    ]
    for drop in applied.drops:
        about = {"rows": whole, "cells": 0, "columns": {drop.column: whole}, "impact": impact(whole, whole)}
        lines.append({"action": "dropped", "rule": drop.rule, **about})
    for rule, cells in flags.items():
        lines.append({"action": "flagged", "rule": rule, "cells": cells, "impact": "none"})
    return lines


def _data(applied: Applied, flags: dict[str, int]) -> dict[str, Any]:
    return {
        "rules": rules_of(applied, flags),
        "examples": list(applied.examples),
        "columns_before": list(applied.types_before),
        "columns_after": list(applied.types_after),
        "types_changed": {
            name: {"before": kind, "after": applied.types_after[name]}
            for name, kind in applied.types_before.items()
            if applied.types_after.get(name, kind) != kind
        },
    }


def _alerts(stage: Stage, applied: Applied) -> tuple[Alert, ...]:
    found = []
    for part, what in ((applied.rows_set_aside, "set aside"), (applied.rows_changed, "changed")):
        size = impact(part, applied.rows_before)
        if size != "low":
            share = 100 * part / applied.rows_before
            found.append((size, f"{part:,} of {applied.rows_before:,} rows ({share:.1f} %) were {what}."))
    return tuple(
        Alert(
            alert_id=f"{stage.agent_id}-alert-{number}",
            severity=Severity(size),
            category="impact",
            message=message,
            affected_fields_count=len({column for count in applied.cells.values() for column in count.columns}),
            recommendation="Look at the examples before you use the table.",
        )
        for number, (size, message) in enumerate(sorted(found, key=lambda one: one[0] != "high"), start=1)
    )


def _issues(stage: Stage, applied: Applied) -> tuple[Issue, ...]:
    return tuple(
        Issue(
            issue_id=f"{stage.agent_id}-issue-{number}",
            agent_id=stage.agent_id,
            field_name=drop.column,
            issue_type="column_dropped",
            severity=Severity.MEDIUM,
            message=drop.reason,
        )
        for number, drop in enumerate(applied.drops, start=1)
    )


def _recommendations(stage: Stage, applied: Applied, flags: dict[str, int]) -> tuple[Recommendation, ...]:
    advised = []
    if applied.rows_set_aside:
        advised.append((Severity.MEDIUM, f"Review the {applied.rows_set_aside:,} rows that were set aside."))
    if sum(flags.values()):
        advised.append((Severity.LOW, f"Decide on the {sum(flags.values()):,} cells that were flagged, not changed."))
    return tuple(
        Recommendation(
            recommendation_id=f"{stage.agent_id}-recommendation-{number}",
            agent_id=stage.agent_id,
            field_name="",
            priority=priority,
            recommendation=sentence,
            timeline="this week",
            estimated_effort_hours=1.0,
            owner="data owner",
        )
        for number, (priority, sentence) in enumerate(advised, start=1)
    )


def _cards(stage: Stage, applied: Applied, flags: dict[str, int]) -> tuple[SummaryCard, ...]:
    touched = applied.rows_changed + applied.rows_set_aside
    status = {"high": "bad", "medium": "warning", "low": "good"}[impact(touched, applied.rows_before)]
    return (
        SummaryCard(
            summary_id=stage.agent_id,
            title=stage.name,
            value=f"{applied.cells_changed:,} cells"
            + (f", −{applied.rows_set_aside:,} rows" if applied.rows_set_aside else ""),
            status=status,
            description=f"Cells changed, rows set aside; {sum(flags.values()):,} cells were flagged and left.",
        ),
    )


def _text(stage: Stage, applied: Applied, flags: dict[str, int]) -> str:
    done = (
        f"{stage.name}: {applied.cells_changed:,} cells changed in {applied.rows_changed:,} rows,"
        f" {applied.rows_set_aside:,} of {applied.rows_before:,} rows set aside,"
        f" {sum(flags.values()):,} cells flagged."
    )
    if not applied.drops:
        return done
    return f"{done} Columns dropped: {', '.join(drop.column for drop in applied.drops)}."
