"""Whether the four areas are answered for, measured by the personal data that the table holds.

Without personal data nothing has to be proven: what is absent is a note. With it each area counts by its weight; data
of special categories without a legal ground, or a secret in the clear, is not compliant whatever the rest.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transformers.findings import Alert, Issue, Recommendation, Severity, SummaryCard
from transformers.governance.areas import RULES, Area, Field
from transformers.judgement import alerts_of, issues_of, recommendations_of
from transformers.risk.fields import FieldRisk
from transformers.risk.personal_data import PersonalKind
from transformers.risk.personal_fields import QUASI_IDENTIFIERS
from transformers.row_findings import RANK

SPECIAL = (PersonalKind.HEALTH, PersonalKind.SPECIAL_CATEGORY)
SECRETS = (PersonalKind.SECRET, PersonalKind.PASSWORD, PersonalKind.CARD_SECURITY_CODE)
ENOUGH = 0.95  # of an area's strength: nearly every row answers
SURE = 0.7  # confidence in a kind of personal data from which something is asked of the table
SINGLING_OUT = 3  # quasi-identifiers that together point at a person (Sweeney 2000)
NAMED = 6
STATUS = {"compliant": "good", "needs_review": "warning", "non_compliant": "bad"}


@dataclass(frozen=True)
class Finding:
    kind: str
    field: str
    severity: Severity
    message: str
    lack: str


@dataclass(frozen=True)
class GovernanceReport:
    agent_id: str
    risks: Sequence[FieldRisk]
    fields: Mapping[Area, Sequence[Field]]
    refused: int  # rows whose consent says no
    compliant_from: float
    review_from: float

    @property
    def personal(self) -> list[FieldRisk]:
        """Fields that point at somebody, alone or together, or hold a secret."""
        sure = [risk for risk in self.risks if any(kind.confidence >= SURE for kind in risk.kinds)]
        direct = [risk for risk in sure if any(k.kind not in QUASI_IDENTIFIERS for k in _sure_kinds(risk))]
        quasi = [risk for risk in sure if risk not in direct]
        together = len({k.kind for risk in quasi for k in _sure_kinds(risk)}) >= SINGLING_OUT
        return [risk for risk in sure if risk in direct or together or bool(direct)]

    def kinds(self) -> set[PersonalKind]:
        return {kind.kind for risk in self.personal for kind in _sure_kinds(risk)}

    def strength(self, area: Area) -> float:
        return max((field.strength for field in self.fields[area]), default=0.0)

    @property
    def score(self) -> float:
        """Of a hundred. Where nothing has to be proven it is all."""
        if not self.personal:
            return 100.0
        return round(100 * sum(RULES[area].weight * self.strength(area) for area in Area), 2)

    @property
    def verdict(self) -> str:
        grave = any(finding.severity in {Severity.CRITICAL, Severity.HIGH} for finding in self.findings())
        if grave or self.score < self.review_from:
            return "non_compliant"
        return "compliant" if self.score >= self.compliant_from and not self.findings() else "needs_review"

    def findings(self) -> list[Finding]:
        """Only what the personal data makes matter; most serious first."""
        return sorted(self._findings(), key=lambda finding: RANK[finding.severity]) if self.personal else []

    def _findings(self) -> Iterator[Finding]:
        for risk in self.personal:
            if any(kind.kind in SECRETS for kind in _sure_kinds(risk)):
                message = "Holds a secret, which has no place in a data file."
                yield Finding("secret_in_data", risk.name, Severity.CRITICAL, message, "its removal, and new secrets")
        for area in Area:
            yield from self._lack(area)
        if self.refused:
            message = f"{self.refused:,} rows say no to the use of their data, and are in the table."
            field = self.fields[Area.CONSENT][0].column.name
            yield Finding("consent_refused", field, Severity.MEDIUM, message, "their removal, or another legal ground")

    def _lack(self, area: Area) -> Iterator[Finding]:
        rule, strength = RULES[area], self.strength(area)
        best = max(self.fields[area], key=lambda field: field.strength, default=None)
        if best is None:
            message = f"No column tells {_spoken(area)}. {rule.matters}"
            yield Finding(f"{area.value}_missing", "", self._severity(area), message, rule.lack)
        elif strength < ENOUGH:
            why = "its values have another shape" if best.believed < 1 else f"{1 - best.filled:.1%} of it is missing"
            message = f"{best.column.name} tells {_spoken(area)}, but {why}. {rule.matters}"
            yield Finding(f"{area.value}_incomplete", best.column.name, Severity.LOW, message, "the values that lack")

    def _severity(self, area: Area) -> Severity:
        if area is Area.CONSENT:
            return Severity.HIGH if self.kinds() & set(SPECIAL) else Severity.MEDIUM
        return Severity.MEDIUM if area is Area.RETENTION else Severity.LOW

    def metrics(self) -> dict[str, Any]:
        return {
            "governance_score": self.score,
            "governance_status": self.verdict,
            "personal_fields": len(self.personal),
            "areas_covered": sum(self.strength(area) >= ENOUGH for area in Area),
            "findings": len(self.findings()),
        }

    def data(self) -> dict[str, Any]:
        return {
            "score": self.score,
            "status": self.verdict,
            "personal_fields": [
                {"name": risk.name, "kinds": [kind.kind.value for kind in _sure_kinds(risk)]} for risk in self.personal
            ],
            "areas": [self._area(area) for area in Area],
            "rows_without_consent": self.refused,
        }

    def _area(self, area: Area) -> dict[str, Any]:
        return {
            "name": area.value,
            "weight": RULES[area].weight,
            "strength": round(self.strength(area), 4),
            "matters": bool(self.personal),
            "reason": RULES[area].matters,
            "missing": "" if self.strength(area) >= ENOUGH else RULES[area].lack,
            "fields": [
                {"name": f.column.name, "filled": round(f.filled, 4), "confidence": round(f.believed, 4)}
                for f in self.fields[area]
            ],
        }

    def issues(self) -> tuple[Issue, ...]:
        found = ((finding.field, finding.kind, finding.severity, finding.message) for finding in self.findings())
        return issues_of(self.agent_id, found)

    def alerts(self) -> tuple[Alert, ...]:
        if self.verdict == "compliant":
            return ()
        worst = self.findings()[0].severity if self.findings() else Severity.LOW
        severity = Severity.HIGH if self.verdict == "non_compliant" else Severity.MEDIUM
        kinds = ", ".join(sorted(kind.value.replace("_", " ") for kind in self.kinds())[:NAMED])
        lacks = "; ".join(finding.lack for finding in self.findings()[:NAMED])
        message = f"Personal data ({kinds}) without all that has to go with it. Missing: {lacks}."
        advice = "Add what is missing, or leave the personal fields out."
        told = (min(severity, worst, key=lambda one: RANK[one]), message, len(self.personal), advice)
        return alerts_of(self.agent_id, "governance", [told])

    def recommendations(self) -> tuple[Recommendation, ...]:
        found = (
            (
                finding.field,
                finding.severity,
                f"Provide {finding.lack}.",
                "now" if finding.severity in {Severity.CRITICAL, Severity.HIGH} else "this quarter",
            )
            for finding in self.findings()
        )
        return recommendations_of(self.agent_id, found, hours=4.0, owner="data protection officer")

    def cards(self) -> tuple[SummaryCard, ...]:
        return (
            SummaryCard(
                summary_id="governance",
                title="Governance",
                value=self.verdict.replace("_", " "),
                status=STATUS[self.verdict],
                description=f"{self.score:.0f} of 100 over lineage, consent, classification and retention.",
            ),
        )

    def text(self) -> str:
        if not self.personal:
            return "No personal data was found, so that nothing has to be proven: compliant."
        names = ", ".join(risk.name for risk in self.personal[:NAMED])
        covered = [area.value for area in Area if self.strength(area) >= ENOUGH]
        answered = ", ".join(covered) if covered else "no area"
        return (
            f"{len(self.personal)} fields hold personal data ({names}); the table answers for {answered}:"
            f" {self.verdict.replace('_', ' ')}, {self.score:.0f} of 100."
        )


def _sure_kinds(risk: FieldRisk) -> list[Any]:
    return [kind for kind in risk.kinds if kind.confidence >= SURE]


def _spoken(area: Area) -> str:
    return {
        Area.LINEAGE: "where a row came from",
        Area.CONSENT: "the consent or legal ground",
        Area.CLASSIFICATION: "how a row is classified",
        Area.RETENTION: "how long a row may be kept",
    }[area]
