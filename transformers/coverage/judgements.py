"""From tests to a score: the weighted mean of three kinds of tests, and what to do about the ones that fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transformers.coverage.rules import Kind
from transformers.coverage.testing import BROKEN, Tested
from transformers.findings import Alert, Issue, Recommendation, Severity, SummaryCard
from transformers.judgement import alerts_of, issues_of, recommendations_of

NAMED = 6
STATUS = {"excellent": "good", "good": "good", "needs_work": "warning", "untested": "warning"}


@dataclass(frozen=True)
class Levels:
    excellent: float
    good: float

    def of(self, score: float | None) -> str:
        if score is None:
            return "untested"
        if score >= self.excellent:
            return "excellent"
        return "good" if score >= self.good else "needs_work"


@dataclass(frozen=True)
class CoverageReport:
    """`weights` are divided by the sum of those of the kinds that were tested at all."""

    agent_id: str
    tests: Sequence[Tested]
    weights: Mapping[Kind, float]
    levels: Levels
    columns: Sequence[str]

    def part(self, kind: Kind) -> float | None:
        """Of a hundred: the mean, over the tests of this kind, of the cells that pass."""
        shares = [one.passed_share for one in self.tests if one.rule.kind is kind]
        return 100 * sum(shares) / len(shares) if shares else None

    @property
    def score(self) -> float | None:
        parts = {kind: self.part(kind) for kind in Kind}
        weight = sum(self.weights[kind] for kind, part in parts.items() if part is not None)
        if not weight:
            return None
        return round(sum(self.weights[kind] * part for kind, part in parts.items() if part is not None) / weight, 2)

    @property
    def level(self) -> str:
        return self.levels.of(self.score)

    @property
    def untested(self) -> list[str]:
        named = {one.rule.column.name for one in self.tests}
        return [name for name in self.columns if name not in named]

    @property
    def failing(self) -> list[Tested]:
        """The customer's own first, then by how much fails."""
        return sorted((one for one in self.tests if one.failed), key=lambda one: (not one.rule.given, one.passed_share))

    def metrics(self) -> dict[str, Any]:
        return {
            "coverage_score": self.score,
            "coverage_level": self.level,
            "tests": len(self.tests),
            "tests_given": sum(one.rule.given for one in self.tests),
            "tests_failed": len(self.failing),
            "columns_tested": len(self.columns) - len(self.untested),
            "columns_untested": len(self.untested),
        }

    def data(self) -> dict[str, Any]:
        return {
            "score": self.score,
            "level": self.level,
            "components": [
                {"name": kind.value, "weight": self.weights[kind], "score": _rounded(self.part(kind))} for kind in Kind
            ],
            "tests": [
                {
                    "kind": one.rule.kind.value,
                    "column": one.rule.column.name,
                    "given": one.rule.given,
                    "rule": one.rule.says,
                    "cells": one.cells,
                    "failed": one.failed,
                    "passed_percent": _rounded(100 * one.passed_share),
                }
                for one in self.tests
            ],
            "untested_columns": self.untested,
        }

    def issues(self) -> tuple[Issue, ...]:
        found = (
            (
                one.rule.column.name,
                f"{BROKEN[one.rule.kind]}_test_failed",
                one.severity,
                f"{one.failed:,} of {one.cells:,} cells break {_spoken(one)}.",
            )
            for one in self.failing
        )
        return issues_of(self.agent_id, found)

    def alerts(self) -> tuple[Alert, ...]:
        given = [one for one in self.failing if one.rule.given]
        found = []
        if given:
            names = ", ".join(f"{one.rule.column.name} ({_spoken(one)})" for one in given[:NAMED])
            found.append((Severity.HIGH, f"Your own rules are broken: {names}.", len(given), "Look at the rows named."))
        if self.level == "needs_work":
            message = f"The table passes {self.score:.1f} of 100 by its tests."
            found.append((Severity.MEDIUM, message, len(self.failing), "Mend the tests that fail most."))
        return alerts_of(self.agent_id, "validity", found)

    def recommendations(self) -> tuple[Recommendation, ...]:
        advised = [
            (one.rule.column.name, one.severity, f"Mend the {one.failed:,} cells that break {_spoken(one)}.")
            for one in self.failing[:NAMED]
        ]
        if self.untested:
            names = ", ".join(self.untested[:NAMED])
            advised.append(("", Severity.LOW, f"{len(self.untested)} columns have no test; give one for: {names}."))
        found = ((name, priority, sentence, "this month") for name, priority, sentence in advised)
        return recommendations_of(self.agent_id, found, hours=1.0)

    def cards(self) -> tuple[SummaryCard, ...]:
        value = "untested" if self.score is None else f"{self.score:.1f} ({self.level.replace('_', ' ')})"
        return (
            SummaryCard(
                summary_id="test_coverage",
                title="Tests",
                value=value,
                status=STATUS[self.level],
                description=f"{len(self.tests)} tests of uniqueness, range and format; {len(self.failing)} fail.",
            ),
        )

    def text(self) -> str:
        if self.score is None:
            return "No rule was given, and none could be discovered."
        return (
            f"{len(self.tests)} tests over {len(self.columns) - len(self.untested)} of {len(self.columns)} columns:"
            f" {self.score:.1f} of 100 ({self.level.replace('_', ' ')}); {len(self.failing)} tests fail."
        )


def _spoken(one: Tested) -> str:
    return f"the {'given' if one.rule.given else 'discovered'} {one.rule.kind.value} rule “{one.rule.says}”"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
