"""What is said of a whole batch: counts, tokens, and its errors by code."""

from collections import Counter
from dataclasses import dataclass, field

from backend.language_models.questions import Usage
from transformers.findings import (
    ROW_ISSUES_KEPT,
    AgentResult,
    Alert,
    IssueSummary,
    Recommendation,
    RowIssue,
    Severity,
    SummaryCard,
)
from transformers.waiting_agent import ItemResult

MOST = 0.5  # from so large a share on, failing is the rule


@dataclass
class BatchCount:
    """Grows by one item after the other; holds no answers."""

    ok: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    calls: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    examples: dict[str, ItemResult] = field(default_factory=dict)  # the first of each code
    issues: list[RowIssue] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return self.codes.total()

    @property
    def total(self) -> int:
        return self.ok + self.failed

    @property
    def success_rate(self) -> float:
        return round(self.ok / self.total, 4) if self.total else 0.0

    def add(self, item: ItemResult) -> None:
        if item.error_code is not None:
            self._add_failed(item, item.error_code)
            return
        answer = item.answer or {}
        usage = Usage.model_validate(answer.get("usage") or {})
        self.ok += 1
        self.calls += usage.calls
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        self.models[answer.get("model", "")] += 1

    def _add_failed(self, item: ItemResult, code: str) -> None:
        self.codes[code] += 1
        self.examples.setdefault(code, item)
        if len(self.issues) < ROW_ISSUES_KEPT:
            self.issues.append(_issue(item, code))

    def in_words(self) -> str:
        """Why not one item went well: the commonest error, and how often it was met."""
        code, often = self.codes.most_common(1)[0]
        said = self.examples[code].error_message or ""
        return f"None of the {self.total:,} items was answered. {often:,} times {code}: {said}"


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


def _issue(item: ItemResult, code: str) -> RowIssue:
    return RowIssue(
        row_index=item.position,
        column=item.name,
        issue_type=code.lower(),
        severity=Severity.MEDIUM,
        message=item.error_message or "",
    )


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
