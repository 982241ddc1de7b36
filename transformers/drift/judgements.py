"""What the drift of single columns means for the table: findings, ranked, and the figures for machines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from transformers.drift.binning import Bins
from transformers.drift.categories import Words
from transformers.drift.comparison import ColumnDrift
from transformers.drift.pairs import Matched
from transformers.drift.signals import Compared, Signal
from transformers.findings import Alert, Bar, Chart, Issue, Recommendation, Severity, SummaryCard
from transformers.judgement import alerts_of, issues_of, recommendations_of
from transformers.profiling.table_profile import SIGNIFICANT_DIGITS
from transformers.risk.personal_fields import display, is_hidden
from transformers.row_findings import RANK

NAMED = 6
CHARTED = 20  # columns
GRAVE = 0.25  # of the columns: from here the table as a whole is another one
LEADING = {  # the figure that each test stands for: of numbers, and of words
    "kolmogorov_smirnov": ("kolmogorov_smirnov", "cramers_v"),
    "chi2": ("cramers_v", "cramers_v"),
    "wasserstein": ("wasserstein", "cramers_v"),
}


@dataclass(frozen=True)
class DriftReport:
    """All of a comparison, judged. `test` chooses which figure leads a column's."""

    agent_id: str
    matched: Matched
    columns: tuple[ColumnDrift, ...]
    test: str
    rows: tuple[int, int]
    notes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def drifted(self) -> list[ColumnDrift]:
        found = [column for column in self.columns if column.drifted]
        return sorted(found, key=lambda column: RANK[column.severity])

    @property
    def share(self) -> float:
        judged = len(self.columns) + len(self.matched.missing)
        return (len(self.drifted) + len(self.matched.missing)) / judged if judged else 0.0

    @property
    def severity(self) -> Severity:
        found = [column.severity for column in self.drifted]
        found += [Severity.HIGH] * len(self.matched.missing) + [Severity.MEDIUM] * len(self.matched.added)
        return min(found, key=lambda severity: RANK[severity]) if found else Severity.INFO

    def metrics(self) -> dict[str, Any]:
        return {
            "columns_compared": len(self.columns),
            "columns_drifted": len(self.drifted),
            "columns_not_judged": sum(bool(column.unjudged) for column in self.columns),
            "drifted_share": round(self.share, 4),
            "new_columns": len(self.matched.added),
            "missing_columns": len(self.matched.missing),
            "type_changes": sum(column.pair.type_changed for column in self.columns),
            "drift_level": self.severity.value,
        }

    def data(self) -> dict[str, Any]:
        return {
            "baseline_rows": self.rows[0],
            "primary_rows": self.rows[1],
            "new_columns": [column.name for column in self.matched.added],
            "missing_columns": [column.name for column in self.matched.missing],
            "columns": [self._column(column) for column in self.columns],
            "sampled": self.notes,
        }

    def _column(self, one: ColumnDrift) -> dict[str, Any]:
        return {
            "name": one.pair.name,
            "baseline_type": one.pair.old.logical.value,
            "primary_type": one.pair.new.logical.value,
            "type_changed": one.pair.type_changed,
            "type_widened": one.pair.type_widened,
            "drifted": one.drifted,
            "severity": one.severity.value,
            "not_judged": one.unjudged,
            "leading_figure": self._leading(one),
            "signals": [_signal(signal) for signal in one.signals],
            "figures": {compared.aspect: _figures(compared) for compared in one.compared},
            "bins": _bins(one.bins) if one.bins and not is_hidden(one.pair.name) else [],
            "values": [_words(one.pair.name, words) for words in one.words],
        }

    def _leading(self, one: ColumnDrift) -> dict[str, Any] | None:
        numeric, worded = LEADING[self.test]
        for compared in one.compared:
            for figure in (numeric, worded):
                if compared.aspect == "value" and figure in compared.figures:
                    return {"figure": figure, "value": _rounded(compared.figures[figure])}
        return None

    def issues(self) -> tuple[Issue, ...]:
        found = [*self._schema_issues(), *(pair for one in self.drifted for pair in _issues_of(one))]
        return issues_of(self.agent_id, found)

    def _schema_issues(self) -> Iterator[tuple[str, str, Severity, str]]:
        for column in self.matched.missing:
            yield column.name, "missing_column", Severity.HIGH, "The baseline has this column; it is gone."
        for column in self.matched.added:
            yield column.name, "new_column", Severity.MEDIUM, "The baseline does not have this column."
        for one in self.columns:
            if one.pair.type_widened:
                was, now = one.pair.old.logical.value, one.pair.new.logical.value
                yield one.pair.name, "type_widened", Severity.INFO, f"Was {was}, is {now}."

    def alerts(self) -> tuple[Alert, ...]:
        return alerts_of(self.agent_id, "drift", self._alerts())

    def _alerts(self) -> Iterator[tuple[Severity, str, int, str]]:
        found: list[tuple[Severity, str, int, str]] = []
        if self.matched.missing:
            names = _named([column.name for column in self.matched.missing])
            advice = "Ask the source whether they were renamed or dropped before you load the file."
            found.append((Severity.HIGH, f"Columns are gone: {names}.", len(self.matched.missing), advice))
        if self.matched.added:
            names = _named([column.name for column in self.matched.added])
            advice = "Extend the schema, or drop them on purpose."
            found.append((Severity.MEDIUM, f"Columns are new: {names}.", len(self.matched.added), advice))
        for severity in (Severity.HIGH, Severity.MEDIUM, Severity.LOW):
            some = [one for one in self.drifted if one.severity is severity]
            if some:
                names = _named([f"{one.pair.name} ({_cause(one)})" for one in some])
                advice = "Look at the rows that are named, then decide: mend the source, or take a new baseline."
                found.append((severity, f"Drift of {severity.value} severity: {names}.", len(some), advice))
        yield from sorted(found, key=lambda alert: RANK[alert[0]])

    def recommendations(self) -> tuple[Recommendation, ...]:
        found = (
            (one.pair.name, one.severity, f"{one.pair.name}: {_advice(one)}", _until(one.severity))
            for one in self.drifted
            if one.severity is not Severity.LOW
        )
        return recommendations_of(self.agent_id, found, hours=2.0)

    def cards(self) -> tuple[SummaryCard, ...]:
        status = {Severity.HIGH: "bad", Severity.MEDIUM: "warning"}.get(self.severity, "good")
        return (
            SummaryCard(
                summary_id="drift",
                title="Drifted columns",
                value=f"{len(self.drifted)} of {len(self.columns)}",
                status=status,
                description="Columns whose values, types or missing share are no longer the baseline's.",
            ),
        )

    def charts(self) -> tuple[Chart, ...]:
        """The columns that drifted most, by the leading figure."""
        figures = [(one.pair.name, self._leading(one)) for one in self.columns]
        bars = [Bar(label=name, value=figure["value"]) for name, figure in figures if figure and figure["value"]]
        most = sorted(bars, key=lambda bar: -bar.value)[:CHARTED]
        return (Chart(title=f"Distance by column ({self.test.replace('_', ' ')})", bars=tuple(most)),) if most else ()

    def text(self) -> str:
        schema = f" {len(self.matched.added)} new and {len(self.matched.missing)} missing columns."
        if not self.drifted:
            return f"None of the {len(self.columns):,} columns drifted from the baseline.{schema}"
        grave = " The table as a whole is another one." if self.share >= GRAVE else ""
        names = _named([f"{one.pair.name} ({_cause(one)})" for one in self.drifted])
        return f"{len(self.drifted)} of {len(self.columns):,} columns drifted: {names}.{schema}{grave}"


def _issues_of(one: ColumnDrift) -> Iterator[tuple[str, str, Severity, str]]:
    """One a kind: the most serious."""
    if one.pair.type_changed:
        was, now = one.pair.old.logical.value, one.pair.new.logical.value
        yield one.pair.name, "type_changed", Severity.HIGH, f"Was {was}, is {now}."
    told: set[str] = set()
    for signal in one.signals:
        if signal.kind not in told:
            told.add(signal.kind)
            yield one.pair.name, signal.kind, signal.severity, signal.message


def _cause(one: ColumnDrift) -> str:
    return "type" if one.pair.type_changed else one.signals[0].kind.replace("_", " ")


def _until(severity: Severity) -> str:
    return "before the next load" if severity is Severity.HIGH else "this month"


def _advice(one: ColumnDrift) -> str:
    if one.pair.type_changed:
        return f"ask the source why {one.pair.old.logical.value} became {one.pair.new.logical.value}."
    return {
        "missing_share_drift": "find out which rows lost the value, and where.",
        "outside_baseline_range": "check the unit and the decimal mark of the rows outside the baseline's range.",
        "misfit_share_drift": "find out what the source writes there now; the rows are named.",
        "notation_share_drift": "read it with care: the same value is written another way now.",
        "unseen_value": "map the new values to known ones, or accept them into the baseline.",
        "unseen_pattern": "check how the source writes the field now.",
    }.get(one.signals[0].kind, "compare the two distributions, and decide whether the change is real.")


def _named(names: Sequence[str]) -> str:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest


def _rounded(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS // 2}g}")


def _signal(signal: Signal) -> dict[str, Any]:
    return {
        "issue_type": signal.kind,
        "figure": signal.figure,
        "effect": _rounded(signal.effect),
        "p_value": _rounded(signal.p),
        "severity": signal.severity.value,
        "message": signal.message,
    }


def _figures(compared: Compared) -> dict[str, Any]:
    figures = {name: _rounded(value) for name, value in compared.figures.items()}
    return {"baseline_n": compared.m, "primary_n": compared.n, **figures}


def _bins(bins: Bins) -> list[dict[str, Any]]:
    old, new = bins.old / bins.old.sum(), bins.new / bins.new.sum()
    return [
        {
            "above": None if low == float("-inf") else _rounded(low),
            "up_to": None if high == float("inf") else _rounded(high),
            "baseline_share": _rounded(float(p)),
            "share": _rounded(float(q)),
        }
        for low, high, p, q in zip(bins.lows, bins.highs, old, new, strict=True)
        if p or q
    ]


def _words(name: str, words: Words) -> dict[str, Any]:
    labels = [display(name, label) for label in words.labels] + ["(all others)"]
    pairs = zip(labels, words.old / words.m, words.new / words.n, strict=True)
    shown = (lambda value: value) if words.aspect != "value" else (lambda value: display(name, value))
    return {
        "aspect": words.aspect,
        "shares": [
            {"value": v, "baseline_share": _rounded(float(p)), "share": _rounded(float(q))} for v, p, q in pairs
        ],
        "unseen": [{"value": shown(value), "count": count} for value, count in words.unseen],
        "unseen_values": words.unseen_values,
        "unseen_rows": words.unseen_rows,
        "vanished": [{"value": shown(value), "count": count} for value, count in words.vanished],
        "vanished_values": words.vanished_values,
    }
