"""What the fields' risks mean together: a level for each, one for the table, notes, alerts and advice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from transformers.findings import Alert, Issue, Recommendation, Severity, SummaryCard
from transformers.judgement import issues_of
from transformers.risk.fields import FieldRisk, Leak, field_risk
from transformers.risk.personal_data import PersonalKind
from transformers.risk.personal_fields import QUASI_IDENTIFIERS, WEIGHTS

__all__ = ["FieldRisk", "Leak", "Levels", "RiskReport", "field_risk", "judged"]

EACH_FURTHER = 2.0  # points for each further field at medium or above: together they say more than the worst alone
MOST_FURTHER = 10.0
SINGLING_OUT = 3  # quasi-identifiers that together single most people out (Sweeney 2000: birth date, postcode, sex)
NAMED = 6


@dataclass(frozen=True)
class Levels:
    high: float
    medium: float

    def of(self, score: float) -> Severity:
        if score >= self.high:
            return Severity.HIGH
        if score >= self.medium:
            return Severity.MEDIUM
        return Severity.LOW if score > 0 else Severity.INFO


@dataclass(frozen=True)
class RiskReport:
    data: dict[str, Any]
    metrics: dict[str, Any]
    alerts: tuple[Alert, ...]
    issues: tuple[Issue, ...]
    recommendations: tuple[Recommendation, ...]
    cards: tuple[SummaryCard, ...]
    text: str


def judged(agent_id: str, fields: Sequence[FieldRisk], levels: Levels, *, notes: bool) -> RiskReport:
    ranked = sorted((f for f in fields if f.score), key=lambda f: -f.score)
    overall = overall_score(ranked, levels)
    singling = sorted({k.kind for f in ranked for k in f.kinds if k.kind in QUASI_IDENTIFIERS})
    alerts = tuple(_alerts(agent_id, ranked, levels, singling))
    return RiskReport(
        data=_data(fields, levels, overall, notes=notes) | {"quasi_identifiers": [str(kind) for kind in singling]},
        metrics={
            "overall_risk": overall,
            "risk_level": levels.of(overall).value,
            "personal_fields": len(ranked),
            "high_risk_fields": sum(levels.of(f.score) is Severity.HIGH for f in ranked),
            "medium_risk_fields": sum(levels.of(f.score) is Severity.MEDIUM for f in ranked),
        },
        alerts=alerts,
        issues=_issues(agent_id, ranked, levels),
        recommendations=tuple(_recommendations(agent_id, ranked, levels)),
        cards=_cards(overall, levels, ranked),
        text=_text(fields, ranked, overall, levels),
    )


def overall_score(ranked: Sequence[FieldRisk], levels: Levels) -> float:
    """The worst field's, and a little for each further one that counts."""
    further = sum(f.score >= levels.medium for f in ranked[1:])
    worst = ranked[0].score if ranked else 0.0
    return round(min(100.0, worst + min(MOST_FURTHER, EACH_FURTHER * further)), 1)


def _data(fields: Sequence[FieldRisk], levels: Levels, overall: float, *, notes: bool) -> dict[str, Any]:
    listed = [
        {
            "name": f.name,
            "risk_score": f.score,
            "risk_level": levels.of(f.score).value,
            "kinds": [k.model_dump(mode="json") for k in f.kinds],
            "regulations": _regulations(f) if notes else [],
        }
        for f in fields
    ]
    by_note: dict[str, list[str]] = {}
    for f in fields:
        for note in _regulations(f) if notes else []:
            by_note.setdefault(note, []).append(f.name)
    return {"overall_risk": overall, "risk_level": levels.of(overall).value, "fields": listed, "regulations": by_note}


def _regulations(field: FieldRisk) -> list[str]:
    return sorted({note for k in field.kinds for note in WEIGHTS[k.kind].notes})


def _spoken(field: FieldRisk) -> str:
    return ", ".join(k.kind.value.replace("_", " ") for k in field.kinds)


def _alerts(
    agent_id: str, ranked: Sequence[FieldRisk], levels: Levels, singling: Sequence[PersonalKind]
) -> Iterator[Alert]:
    secrets = [f for f in ranked if any(k.kind in {PersonalKind.SECRET, PersonalKind.PASSWORD} for k in f.kinds)]
    high = [f for f in ranked if levels.of(f.score) is Severity.HIGH and f not in secrets]
    medium = [f for f in ranked if levels.of(f.score) is Severity.MEDIUM]
    for severity, fields, message, advice in (
        (
            Severity.CRITICAL,
            secrets,
            "Passwords or keys are in the data: {}.",
            "Remove them, and revoke what is valid.",
        ),
        (Severity.HIGH, high, "Personal data of high risk: {}.", "Mask, tokenise or drop the fields before sharing."),
        (Severity.MEDIUM, medium, "Personal data of medium risk: {}.", "Limit who may see the fields."),
    ):
        if fields:
            names = ", ".join(f"{f.name} ({_spoken(f)})" for f in fields[:NAMED])
            rest = f" and {len(fields) - NAMED} more" if len(fields) > NAMED else ""
            yield _alert(f"{agent_id}-{severity.value}", severity, message.format(names + rest), len(fields), advice)
    if len(singling) >= SINGLING_OUT:
        kinds = ", ".join(kind.value.replace("_", " ") for kind in singling)
        message = f"Together these fields can single people out without a name: {kinds}."
        advice = "Coarsen them (year, region) before you call the data anonymous."
        yield _alert(f"{agent_id}-quasi-identifiers", Severity.MEDIUM, message, len(singling), advice)


def _alert(alert_id: str, severity: Severity, message: str, fields: int, advice: str) -> Alert:
    return Alert(
        alert_id=alert_id,
        severity=severity,
        category="privacy",
        message=message,
        affected_fields_count=fields,
        recommendation=advice,
    )


def _issues(agent_id: str, ranked: Sequence[FieldRisk], levels: Levels) -> tuple[Issue, ...]:
    found = (
        (f.name, "personal_data", levels.of(f.score),
         f"Holds {_spoken(f)} (risk {f.score:.0f} of 100, by {f.kinds[0].by}).")
        for f in ranked
    )  # fmt: skip
    return issues_of(agent_id, found)


def _recommendations(agent_id: str, ranked: Sequence[FieldRisk], levels: Levels) -> Iterator[Recommendation]:
    for i, f in enumerate((f for f in ranked if levels.of(f.score) is not Severity.LOW), 1):
        level = levels.of(f.score)
        yield Recommendation(
            recommendation_id=f"{agent_id}-recommendation-{i}",
            agent_id=agent_id,
            field_name=f.name,
            priority=level,
            recommendation=f"{f.name}: {_advice(f.kinds[0].kind)}",
            timeline="now" if level is Severity.HIGH else "this month",
            estimated_effort_hours=4.0 if level is Severity.HIGH else 2.0,
            owner="data protection officer",
        )


def _advice(kind: PersonalKind) -> str:
    if kind in {PersonalKind.SECRET, PersonalKind.PASSWORD, PersonalKind.CARD_SECURITY_CODE}:
        return "remove it; it has no place in a data file."
    if kind in {PersonalKind.CREDIT_CARD, PersonalKind.US_SSN, PersonalKind.NATIONAL_ID, PersonalKind.IBAN}:
        return "tokenise it, or keep the last digits only."
    if kind in {PersonalKind.HEALTH, PersonalKind.SPECIAL_CATEGORY}:
        return "keep it only with a legal ground that names it, and apart from names."
    return "hash or pseudonymise it where the person need not be known."


def _cards(overall: float, levels: Levels, ranked: Sequence[FieldRisk]) -> tuple[SummaryCard, ...]:
    level = levels.of(overall)
    status = {Severity.HIGH: "bad", Severity.MEDIUM: "warning"}.get(level, "good")
    return (
        SummaryCard(summary_id="privacy_risk", title="Privacy risk", value=f"{overall:.0f} of 100",
                    status=status, description="The worst field's risk, raised by each further one."),
        SummaryCard(summary_id="personal_fields", title="Personal fields", value=f"{len(ranked)}",
                    status="warning" if ranked else "good", description="Fields with personal or secret data."),
    )  # fmt: skip


def _text(fields: Sequence[FieldRisk], ranked: Sequence[FieldRisk], overall: float, levels: Levels) -> str:
    if not ranked:
        return f"No personal or secret data was found in {len(fields):,} fields."
    high = [f.name for f in ranked if levels.of(f.score) is Severity.HIGH]
    named = f" High risk: {', '.join(high[:NAMED])}." if high else ""
    return (
        f"{len(ranked)} of {len(fields):,} fields hold personal or secret data; the risk of the table is"
        f" {overall:.0f} of 100 ({levels.of(overall).value}).{named}"
    )
