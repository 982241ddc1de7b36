from typing import Any

import pytest
from workshop import Workshop

from transformers.agents.governance_checker import AGENT
from transformers.findings import AgentResult, Severity

N = 40
PEOPLE = {"email": [f"person{i}@example.com" for i in range(N)], "amount": [f"{i}.50" for i in range(N)]}
ANSWERS = {
    "marketing_consent": ["yes"] * N,
    "data_classification": ["confidential", "internal"] * (N // 2),
    "retention_until": ["2030-01-31"] * N,
    "source_system": ["crm"] * N,
}


def checked(workshop: Workshop, data: Any, **parameters: Any) -> AgentResult:
    return workshop.run(AGENT, data, **parameters)


def kinds(result: AgentResult) -> set[str]:
    return {issue.issue_type for issue in result.issues}


def test_a_table_without_personal_data_has_nothing_to_prove(workshop: Workshop) -> None:
    result = checked(workshop, {"sku": [f"A{i}" for i in range(N)], "amount": PEOPLE["amount"]})
    assert result.data["status"] == "compliant"
    assert not result.issues


def test_personal_data_with_all_four_areas_is_compliant(workshop: Workshop) -> None:
    result = checked(workshop, PEOPLE | ANSWERS)
    assert result.data["status"] == "compliant"
    assert result.data["score"] == 100
    assert not result.alerts


def test_personal_data_with_nothing_else_is_not_compliant(workshop: Workshop) -> None:
    result = checked(workshop, PEOPLE)
    assert result.data["status"] == "non_compliant"
    assert kinds(result) == {"consent_missing", "retention_missing", "classification_missing", "lineage_missing"}
    assert all(area["missing"] and area["reason"] for area in result.data["areas"])


@pytest.mark.parametrize("lacking", ANSWERS)
def test_one_missing_area_needs_review_and_is_named(workshop: Workshop, lacking: str) -> None:
    result = checked(workshop, PEOPLE | {name: cells for name, cells in ANSWERS.items() if name != lacking})
    assert result.data["status"] == "needs_review"
    assert len(result.issues) == 1


def test_health_data_without_a_legal_ground_is_not_compliant(workshop: Workshop) -> None:
    data = PEOPLE | ANSWERS | {"diagnosis": ["asthma", "flu"] * (N // 2)}
    assert checked(workshop, data).data["status"] == "compliant"
    del data["marketing_consent"]
    result = checked(workshop, data)
    assert result.data["status"] == "non_compliant"
    assert result.issues[0].severity is Severity.HIGH


def test_a_password_is_never_compliant(workshop: Workshop) -> None:
    result = checked(workshop, PEOPLE | ANSWERS | {"password": [f"hunter{i}" for i in range(N)]})
    assert result.data["status"] == "non_compliant"
    assert "secret_in_data" in kinds(result)


def test_rows_that_say_no_are_named(workshop: Workshop) -> None:
    data = PEOPLE | ANSWERS | {"marketing_consent": ["no", "yes", "withdrawn", *["yes"] * (N - 3)]}
    result = checked(workshop, data)
    assert [issue.row_index for issue in result.row_level_issues] == [1, 3]
    assert result.data["status"] == "needs_review"


def test_an_opt_out_of_no_is_no_refusal(workshop: Workshop) -> None:
    data = PEOPLE | {name: c for name, c in ANSWERS.items() if "consent" not in name} | {"opt_out": ["no"] * N}
    assert not checked(workshop, data).row_level_issues


def test_an_area_half_filled_is_incomplete(workshop: Workshop) -> None:
    result = checked(workshop, PEOPLE | ANSWERS | {"retention_until": [None, "2030-01-31"] * (N // 2)})
    assert kinds(result) == {"retention_incomplete"}


def test_a_header_alone_is_doubted_where_the_values_have_another_shape(workshop: Workshop) -> None:
    result = checked(workshop, PEOPLE | ANSWERS | {"marketing_consent": [f"text {i}" for i in range(N)]})
    assert "consent_incomplete" in kinds(result)


def test_a_cards_expiry_is_no_retention_period(workshop: Workshop) -> None:
    data = PEOPLE | {name: c for name, c in ANSWERS.items() if name != "retention_until"}
    assert "retention_missing" in kinds(checked(workshop, data | {"card_expiry_date": ["2030-01-31"] * N}))


@pytest.mark.parametrize(
    ("header", "area"),
    [
        ("createdAt", "lineage"),
        ("last_updated_on", "lineage"),
        ("GDPR Consent", "consent"),
        ("legalBasis", "consent"),
        ("Sensitivity Level", "classification"),
        ("delete_after", "retention"),
    ],
)
def test_headers_are_read_in_any_spelling(workshop: Workshop, header: str, area: str) -> None:
    found = checked(workshop, PEOPLE | {header: ["2024-01-31"] * N}).data["areas"]
    assert [a["name"] for a in found if a["fields"]] == [area]
