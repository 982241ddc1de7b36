"""What is said of a whole ingest."""

from transformers.findings import Severity
from transformers.ingestion.ingest_findings import Failed, IngestEnd, findings_of
from transformers.ingestion.outcome import DocumentFault, Ingested

FAULT = DocumentFault(document="bad.pdf", error_code="UNREADABLE_FILE", message="It is damaged.")


def ingested(**known: object) -> Ingested:
    counts = {"documents": 2, "chunks": 5, "vectors": 7, "tokens": 50, "replaced": 1}
    return Ingested.model_validate({"collection": "a", **counts, **known})


def test_an_ingest_of_which_all_went_well_has_nothing_to_mend() -> None:
    found = findings_of(IngestEnd([ingested()]), "collect", "Collect")
    assert (found.status, found.alerts, found.recommendations) == ("success", (), ())
    assert found.summary_metrics["chunks"] == 5
    assert found.executive_summary[0].value == "1/1"


def test_a_failed_collection_is_told_with_its_reason_in_its_place() -> None:
    found = findings_of(
        IngestEnd([Failed("a", "TIMEOUT", "Too long."), ingested(collection="b")]), "collect", "Collect"
    )
    assert found.status == "partial"
    assert [one["status"] for one in found.data["collections"]] == ["failed", "active"]
    assert found.alerts[0].severity is Severity.HIGH
    assert "'a' was not ingested: Too long." in found.alerts[0].message


def test_documents_that_could_not_be_read_are_counted_and_named() -> None:
    end = IngestEnd([ingested(unreadable_documents=150, unreadable=(FAULT,))])
    found = findings_of(end, "collect", "Collect")
    assert found.status == "partial"
    assert found.summary_metrics["documents_unreadable"] == 150
    assert (found.row_level_issues[0].column, found.row_level_issues[0].issue_type) == ("bad.pdf", "unreadable_file")
