"""What is said of a whole batch: counts, tokens, and its errors by code."""

from transformers.findings import AgentResult, Alert, IssueSummary, Recommendation, Severity, SummaryCard
from transformers.inference.batch_count import BatchCount

MOST = 0.5  # from so large a share on, failing is the rule


def findings_of(count: BatchCount, agent_id: str, agent_name: str) -> AgentResult:
    errors = [
        {"code": code, "count": often, "message": count.examples[code].error_message,
         "first_custom_id": count.examples[code].name, "first_position": count.examples[code].position}
        for code, often in count.codes.most_common()
    ]  # fmt: skip
    metrics = {
        "total": count.total, "ok": count.ok, "failed": count.failed, "success_rate": count.success_rate,
        "calls": count.calls, "input_tokens": count.input_tokens, "output_tokens": count.output_tokens,
    }  # fmt: skip
    return AgentResult(
        agent_id=agent_id,
        agent_name=agent_name,
        status="partial" if count.failed else "success",
        summary_metrics=metrics,
        data={**metrics, "errors": errors, "models": dict(count.models)},
        alerts=_alerts(count),
        row_level_issues=tuple(count.issues),
        issue_summary=_summary(count),
        recommendations=_recommendations(count, agent_id),
        executive_summary=_cards(count),
        analysis_text=_text(count),
    )


def _severity(count: BatchCount) -> Severity:
    return Severity.HIGH if count.failed > MOST * count.total else Severity.MEDIUM


def _summary(count: BatchCount) -> IssueSummary:
    return IssueSummary(
        total_issues=count.failed,
        by_type={code.lower(): often for code, often in count.codes.items()},
        by_severity={Severity.MEDIUM.value: count.failed} if count.failed else {},
        affected_rows=count.failed,
        truncated=count.failed > len(count.issues),
    )


def _alerts(count: BatchCount) -> tuple[Alert, ...]:
    return tuple(
        Alert(
            alert_id=f"batch-{code.lower()}",
            severity=_severity(count),
            category="batch",
            message=f"{often:,} of {count.total:,} items failed with {code}: {count.examples[code].error_message}",
            recommendation="Retry the task: only what failed is asked again.",
        )
        for code, often in count.codes.most_common()
    )


def _recommendations(count: BatchCount, agent_id: str) -> tuple[Recommendation, ...]:
    if not count.failed:
        return ()
    return (
        Recommendation(
            recommendation_id="batch-retry",
            agent_id=agent_id,
            field_name="",
            priority=_severity(count),
            recommendation="Retry the task: only the items that failed are asked again, and only they are paid for.",
        ),
    )


def _cards(count: BatchCount) -> tuple[SummaryCard, ...]:
    tokens = f"{count.input_tokens:,} read, {count.output_tokens:,} written"
    return (
        SummaryCard(
            summary_id="batch-items",
            title="Items answered",
            value=f"{count.ok:,}/{count.total:,}",
            status="warning" if count.failed else "good",
            description=f"{100 * count.success_rate:.4g} % of the batch went well.",
        ),
        SummaryCard(
            summary_id="batch-tokens",
            title="Tokens",
            value=f"{count.input_tokens + count.output_tokens:,}",
            status="info",
            description=f"{tokens}, in {count.calls:,} calls.",
        ),
    )


def _text(count: BatchCount) -> str:
    failed = ", ".join(f"{often:,} × {code}" for code, often in count.codes.most_common())
    words = f"{count.ok:,} of {count.total:,} items were answered."
    return f"{words} Failed: {failed}." if failed else words
