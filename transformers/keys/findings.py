"""What the keys of a table mean for its owner: alerts, issues, advice and the sentence that opens the report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from transformers.findings import AgentResult, Alert, Issue, Recommendation, Severity, SummaryCard
from transformers.keys.candidates import LIKELY
from transformers.keys.key import EntityKey, ForeignKey, PrimaryKey
from transformers.row_findings import RowFindings
from transformers.tables import Table

SHOWN = 5


@dataclass(frozen=True)
class FoundKeys:
    """`primary`: the candidates, the likeliest first; `composite`: the minimal combinations."""

    primary: tuple[PrimaryKey, ...] = ()
    composite: tuple[PrimaryKey, ...] = ()
    entity: tuple[EntityKey, ...] = ()
    foreign: tuple[ForeignKey, ...] = ()
    possible: tuple[ForeignKey, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def recommended(self) -> PrimaryKey | None:
        """A single column where one will do; else the likeliest combination."""
        every = (*self.primary, *self.composite)
        return next((key for key in every if key.confidence >= LIKELY), every[0] if every else None)


def key_result(agent_id: str, name: str, table: Table, keys: FoundKeys, rows: RowFindings) -> AgentResult:
    issues = tuple(
        Issue(issue_id=f"{agent_id}-issue-{i}", agent_id=agent_id, field_name=field, issue_type=kind, severity=severity,
              message=message)
        for i, (kind, severity, field, message) in enumerate(_issues(table, keys), 1)
    )  # fmt: skip
    return AgentResult(
        agent_id=agent_id,
        agent_name=name,
        summary_metrics=_metrics(keys),
        data=_data(keys),
        alerts=tuple(_alerts(agent_id, table, keys)),
        issues=issues,
        row_level_issues=rows.kept,
        issue_summary=rows.summary(issues),
        recommendations=tuple(_recommendations(agent_id, keys)),
        executive_summary=(_card(keys),),
        analysis_text=_text(keys),
    )


def _metrics(keys: FoundKeys) -> dict[str, Any]:
    return {
        "primary_key": list(keys.recommended.columns) if keys.recommended else [],
        "primary_key_confidence": keys.recommended.confidence if keys.recommended else 0.0,
        "primary_key_candidates": len(keys.primary),
        "composite_key_candidates": len(keys.composite),
        "entity_keys": len(keys.entity),
        "foreign_keys": len(keys.foreign),
    }


def _data(keys: FoundKeys) -> dict[str, Any]:
    def listed(found: Sequence[PrimaryKey | EntityKey | ForeignKey]) -> list[dict[str, Any]]:
        return [one.model_dump(mode="json") for one in found]

    return {
        "primary_key": keys.recommended.model_dump(mode="json") if keys.recommended else None,
        "primary_keys": listed(keys.primary),
        "composite_keys": listed(keys.composite),
        "entity_keys": listed(keys.entity),
        "foreign_keys": listed(keys.foreign),
        "possible_foreign_keys": listed(keys.possible),
        "limits": list(keys.limits),
    }


def _issues(table: Table, keys: FoundKeys) -> Iterator[tuple[str, Severity, str, str]]:
    if table.rows > 1 and not keys.recommended:
        yield "no_primary_key", Severity.HIGH, "", "No column and no combination tells every row apart."
    for key in keys.primary:
        if key.distinct < table.rows:
            message = f"{table.rows - key.distinct:,} rows have no value or one that another row has."
            yield "key_not_unique", Severity.MEDIUM, key.columns[0], message
    for found in keys.foreign:
        if found.orphans:
            message = f"{found.orphans:,} rows point to no row of {found.table or 'this table'}.{found.references}."
            yield "orphaned_reference", Severity.HIGH, found.column, message


def _alerts(agent_id: str, table: Table, keys: FoundKeys) -> Iterator[Alert]:
    for i, (kind, severity, field, message) in enumerate(_issues(table, keys), 1):
        advice = {
            "no_primary_key": "Add a key, or remove the repeated rows.",
            "key_not_unique": "Find out which of the rows is right before you merge by this key.",
        }.get(kind, "Complete the referenced table, or correct the values.")
        yield Alert(
            alert_id=f"{agent_id}-alert-{i}",
            severity=severity,
            category="keys",
            message=f"{field}: {message}" if field else message,
            affected_fields_count=1 if field else len(table.columns),
            recommendation=advice,
        )


def _recommendations(agent_id: str, keys: FoundKeys) -> Iterator[Recommendation]:
    said = []
    if keys.recommended:
        columns = ", ".join(keys.recommended.columns)
        said.append((columns, Severity.MEDIUM, f"Declare {columns} as the primary key."))
    said += [
        (f.column, Severity.LOW, f"Declare {f.column} as a reference to {f.table or 'this table'}.{f.references}.")
        for f in keys.foreign
    ]
    for i, (field, priority, text) in enumerate(said, 1):
        yield Recommendation(
            recommendation_id=f"{agent_id}-recommendation-{i}",
            agent_id=agent_id,
            field_name=field,
            priority=priority,
            recommendation=text,
            timeline="this month",
            estimated_effort_hours=1.0,
            owner="data owner",
        )


def _card(keys: FoundKeys) -> SummaryCard:
    key = keys.recommended
    return SummaryCard(
        summary_id="primary_key",
        title="Primary key",
        value=", ".join(key.columns) if key else "none",
        status="good" if key and key.confidence >= LIKELY else "warning" if key else "bad",
        description="The columns that tell every row apart, and how much speaks for them.",
    )


def _text(keys: FoundKeys) -> str:
    key = keys.recommended
    opening = (
        f"{', '.join(key.columns)} identifies a row ({key.uniqueness:g} % different, confidence {key.confidence:.2f})."
        if key
        else "Nothing identifies a row."
    )
    entities = ", ".join(entity.column for entity in keys.entity[:SHOWN]) or "none"
    pointing = ", ".join(f"{f.column} → {f.table or 'this table'}.{f.references}" for f in keys.foreign) or "none"
    return f"{opening} Columns that identify an entity: {entities}. References: {pointing}."
