"""What is said of a whole ingest: each collection's counts, or why it was not ingested."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from transformers.findings import (
    ROW_ISSUES_KEPT,
    AgentResult,
    Alert,
    Recommendation,
    RowIssue,
    Severity,
    SummaryCard,
    summarise,
)
from transformers.ingestion.outcome import Ingested


@dataclass(frozen=True)
class Failed:
    """A collection that was not ingested."""

    collection: str
    error_code: str
    message: str


@dataclass(frozen=True)
class IngestEnd:
    """All collections, in the order in which they were asked for."""

    collections: Sequence[Ingested | Failed]

    @property
    def ok(self) -> list[Ingested]:
        return [one for one in self.collections if isinstance(one, Ingested)]

    @property
    def failed(self) -> list[Failed]:
        return [one for one in self.collections if isinstance(one, Failed)]

    @property
    def unreadable(self) -> int:
        return sum(one.unreadable_documents for one in self.ok)

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {"status": "active", **one.model_dump(mode="json")}
            if isinstance(one, Ingested)
            else {"status": "failed", "collection": one.collection, "error_code": one.error_code, "reason": one.message}
            for one in self.collections
        ]


def findings_of(end: IngestEnd, agent_id: str, agent_name: str) -> AgentResult:
    issues = tuple(islice(_row_issues(end), ROW_ISSUES_KEPT))
    metrics = {
        "collections": len(end.collections),
        "collections_failed": len(end.failed),
        "documents": sum(one.documents for one in end.ok),
        "documents_unreadable": end.unreadable,
        "chunks": sum(one.chunks for one in end.ok),
        "tokens": sum(one.tokens for one in end.ok),
        "replaced": sum(one.replaced for one in end.ok),
    }
    return AgentResult(
        agent_id=agent_id,
        agent_name=agent_name,
        status="partial" if end.failed or end.unreadable else "success",
        summary_metrics=metrics,
        data={"collections": end.as_json()},
        alerts=tuple(_alerts(end)),
        row_level_issues=issues,
        issue_summary=summarise([], issues),
        recommendations=tuple(_recommendations(end, agent_id)),
        executive_summary=_cards(end, metrics),
        analysis_text=_text(end, metrics),
    )


def _row_issues(end: IngestEnd) -> Iterator[RowIssue]:
    for one in end.ok:
        for fault in one.unreadable:
            yield RowIssue(
                row_index=0,
                column=fault.document,
                issue_type=fault.error_code.lower(),
                severity=Severity.MEDIUM,
                message=fault.message,
            )


def _alerts(end: IngestEnd) -> Iterator[Alert]:
    for failed in end.failed:
        yield Alert(
            alert_id=f"ingest-{failed.collection}",
            severity=Severity.HIGH,
            category="ingest",
            message=f"The collection {failed.collection!r} was not ingested: {failed.message}",
            recommendation="Mend what the message names and retry the task: only this collection is ingested again.",
        )
    for one in end.ok:
        if one.unreadable_documents:
            yield Alert(
                alert_id=f"ingest-{one.collection}-unreadable",
                severity=Severity.MEDIUM,
                category="ingest",
                message=f"{one.unreadable_documents:,} documents of {one.collection!r} could not be read.",
                affected_fields_count=one.unreadable_documents,
                recommendation="Open the files that are named, and ingest them again.",
            )


def _recommendations(end: IngestEnd, agent_id: str) -> Iterator[Recommendation]:
    for failed in end.failed:
        yield Recommendation(
            recommendation_id=f"ingest-{failed.collection}",
            agent_id=agent_id,
            field_name=failed.collection,
            priority=Severity.HIGH,
            recommendation=f"Retry the task for {failed.collection!r}; what is ingested is not done or paid again.",
        )


def _cards(end: IngestEnd, metrics: dict[str, int]) -> tuple[SummaryCard, ...]:
    return (
        SummaryCard(
            summary_id="ingest-collections",
            title="Collections ingested",
            value=f"{len(end.ok):,}/{len(end.collections):,}",
            status="warning" if end.failed else "good",
            description="Collections that can be searched from now on, of those that were asked for.",
        ),
        SummaryCard(
            summary_id="ingest-documents",
            title="Documents",
            value=f"{metrics['documents']:,}",
            status="warning" if end.unreadable else "good",
            description=f"{metrics['chunks']:,} chunks; {metrics['replaced']:,} documents replaced earlier ones, "
            f"{end.unreadable:,} could not be read.",
        ),
        SummaryCard(
            summary_id="ingest-tokens",
            title="Tokens embedded",
            value=f"{metrics['tokens']:,}",
            status="info",
            description="What the collections that went well are paid by.",
        ),
    )


def _text(end: IngestEnd, metrics: dict[str, int]) -> str:
    done = f"{metrics['documents']:,} documents became {metrics['chunks']:,} chunks in {len(end.ok):,} collections."
    failed = "".join(f" {one.collection!r} failed: {one.message}" for one in end.failed)
    return done + failed
