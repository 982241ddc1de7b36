"""How a batch went, counted item by item: no answer is held, only the first failures."""

from collections import Counter
from dataclasses import dataclass, field

from backend.language_models.questions import Usage
from transformers.findings import ROW_ISSUES_KEPT, RowIssue, Severity
from transformers.waiting_agent import ItemResult


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


def _issue(item: ItemResult, code: str) -> RowIssue:
    return RowIssue(
        row_index=item.position,
        column=item.name,
        issue_type=code.lower(),
        severity=Severity.MEDIUM,
        message=item.error_message or "",
    )
