import csv
import gzip
import os
import random
from pathlib import Path
from string import ascii_lowercase
from typing import Any
from uuid import UUID

import pytest
from workshop import Workshop

from transformers.agents.score_risk import AGENT
from transformers.risk.personal_data import (
    PersonalKind,
    is_credit_card,
    is_iban,
    is_phone,
    is_us_ssn,
    kind_of_value,
    masked,
    safe_to_show,
)

SHARED = Path(__file__).parents[4] / "shared" / "data"
needs_shared_data = pytest.mark.skipif(
    not SHARED.exists() and os.environ.get("CI") != "true", reason="../shared/data is not here"
)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("4111 1111 1111 1111", PersonalKind.CREDIT_CARD),
        ("378282246310005", PersonalKind.CREDIT_CARD),
        ("4111 1111 1111 1112", None),
        ("536-90-4399", PersonalKind.US_SSN),
        ("000-12-3456", None),
        ("666-12-3456", None),
        ("900-12-3456", None),
        ("DE89 3704 0044 0532 0130 00", PersonalKind.IBAN),
        ("DE89 3704 0044 0532 0130 01", None),
        ("+49 30 1234567", PersonalKind.PHONE),
        ("(555) 234-5678", PersonalKind.PHONE),
        ("212-555-0123", PersonalKind.PHONE),
        ("2024-01-31", None),
        ("31/01/2024", None),
        ("12345678", None),
        ("1234567.89", None),
        ("10.20.30.40", PersonalKind.IP_ADDRESS),
        ("127.0.0.1", None),
        ("2001:db8::1", PersonalKind.IP_ADDRESS),
        ("ann.smith@example.co.uk", PersonalKind.EMAIL),
        ("not an @ address", None),
        ("AKIAIOSFODNN7EXAMPLE", PersonalKind.SECRET),
        ("ghp_" + "a" * 36, PersonalKind.SECRET),
        ("postgresql://bob:hunter2@db.example.com", PersonalKind.SECRET),
        ("8c5d9f1e-5b7a-4a58-9d55-0d7a5e0f9c11", None),
        ("978-3-16-148410-0", None),
        ("41111111-1111-4111-a000-111111111111", None),
        ("gb82west12345698765432", None),
        ("GB82 WEST 1234 5698 7654 32", PersonalKind.IBAN),
    ],
)
def test_one_cell_is_one_thing(value: str, kind: PersonalKind | None) -> None:
    assert kind_of_value(value) is kind


def test_a_card_an_ssn_and_a_date_are_no_phone_numbers() -> None:
    for value in ("4111 1111 1111 1111", "536-90-4399", "2024-01-31", "31.01.2024", "01 02 2024"):
        assert not is_phone(value)


def test_check_digits_catch_every_single_wrong_digit() -> None:
    for number, test in (("4111111111111111", is_credit_card), ("DE89370400440532013000", is_iban)):
        assert test(number)
        for place in range(4, len(number)):
            wrong = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
            assert not test(wrong)


def test_specimen_ssns_are_nobodys() -> None:
    assert not is_us_ssn("078-05-1120")


def test_masking_keeps_the_shape_and_the_last_two() -> None:
    assert masked("4111-1111-1111-1234") == "••••-••••-••••-••34"
    assert masked("abc") == "•••"
    assert safe_to_show("card 4111 1111 1111 1111, call 12") == "card •••• •••• •••• ••11, call 12"


def fields(workshop: Workshop, data: dict[str, list[str | None]], **parameters: Any) -> dict[str, dict[str, Any]]:
    found = workshop.run(AGENT, data, **parameters).data["fields"]
    return {field["name"]: field for field in found if field["risk_score"]}


def test_a_column_is_known_by_its_values_whatever_it_is_called(workshop: Workshop) -> None:
    chance = random.Random(1)
    ssns = [f"{chance.randint(100, 599)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}" for _ in range(50)]
    found = fields(workshop, {"x": ssns, "y": [f"u{i}@example.com" for i in range(50)], "z": ["red", "blue"] * 25})
    assert {name: field["kinds"][0]["kind"] for name, field in found.items()} == {"x": "us_ssn", "y": "email"}
    assert found["x"]["risk_level"] == "high"
    assert "CCPA (sensitive personal information)" in found["x"]["regulations"]


def test_names_abound_in_a_column_of_people(workshop: Workshop) -> None:
    people = ["Anna Schmidt", "John Doe", "Maria Rossi", "Peter Pan", "Laura Palmer", "David Byrne"] * 5
    things = ["steel bolt", "copper pipe", "oak table", "glass jar", "wool scarf", "clay pot"] * 5
    assert list(fields(workshop, {"label": people, "label2": things})) == ["label"]


def test_a_card_number_in_a_note_is_a_leak_with_its_row_and_masked(workshop: Workshop) -> None:
    notes: list[str | None] = ["all is well with this order"] * 30
    notes[11] = "customer paid by 4111 1111 1111 1111 today"
    result = workshop.run(AGENT, {"note": notes})
    [issue] = result.row_level_issues
    assert (issue.row_index, issue.column, issue.issue_type) == (12, "note", "unexpected_credit_card")
    assert issue.value == "•••• •••• •••• ••11"
    assert "4111 1111" not in result.model_dump_json()


def test_long_order_numbers_are_no_cards_though_some_pass_luhn(workshop: Workshop) -> None:
    chance = random.Random(2)
    orders = [str(chance.randint(4 * 10**15, 5 * 10**15)) for _ in range(400)]
    assert any(is_credit_card(order) for order in orders)
    assert fields(workshop, {"order": orders}) == {}


def test_random_identifiers_and_words_hold_nothing_personal(workshop: Workshop) -> None:
    chance = random.Random(3)
    uuids = [str(UUID(int=chance.getrandbits(128), version=4)) for _ in range(5000)]
    words = [" ".join("".join(chance.choices(ascii_lowercase, k=8)) for _ in range(3)) for _ in range(5000)]
    assert fields(workshop, {"reference": uuids, "remark": words}) == {}


def test_each_detection_can_be_switched_off(workshop: Workshop) -> None:
    data: dict[str, list[str | None]] = {"email": ["a@example.com", "b@example.com"]}
    assert fields(workshop, data, pii_detection_enabled=False)["email"]["kinds"][0]["by"] == "name"
    assert fields(workshop, data, sensitive_field_detection_enabled=False)["email"]["kinds"][0]["by"] == "value"
    assert not fields(workshop, data, pii_detection_enabled=False, sensitive_field_detection_enabled=False)
    assert fields(workshop, data, governance_check_enabled=False)["email"]["regulations"] == []


def test_the_thresholds_decide_about_the_level(workshop: Workshop) -> None:
    data: dict[str, list[str | None]] = {"email": ["a@example.com", "b@example.com"]}
    assert fields(workshop, data)["email"]["risk_level"] == "high"
    assert fields(workshop, data, high_risk_threshold=90)["email"]["risk_level"] == "medium"
    assert fields(workshop, data, high_risk_threshold=90, medium_risk_threshold=80)["email"]["risk_level"] == "low"


def test_a_sample_is_said_and_is_the_same_every_time(workshop: Workshop) -> None:
    data = {"a": [f"u{i}@example.com" if i % 2 else "x" for i in range(1000)]}
    first, second = (workshop.run(AGENT, data, pii_sample_size=100).data for _ in range(2))
    [sampled] = first["sampled"]
    assert (sampled["n"], sampled["of"]) == (100, 1000)
    assert first == second
    assert workshop.run(AGENT, data).data["sampled"] == []


@needs_shared_data
def test_the_fields_of_invented_people_are_told_by_their_labels(workshop: Workshop) -> None:
    path = SHARED / "pii-fakenames3000" / "FakeNameGenerator.com_3000.csv"
    with path.open(encoding="utf-8-sig", newline="") as f:
        rows = list(csv.DictReader(f))
    found = fields(workshop, {name: [row[name] for row in rows] for name in rows[0]})
    personal = (
        "Gender Title GivenName MiddleInitial Surname StreetAddress City ZipCode EmailAddress Username Password"
        " TelephoneNumber MothersMaiden Birthday Age CCType CCNumber CVV2 CCExpires NationalID"
    )
    assert set(found) == set(personal.split())


@needs_shared_data
@pytest.mark.parametrize("name", ["auto", "autos", "eucalyptus", "grub-damage", "mass_6", "usp05", "housing_price"])
def test_cars_trees_and_houses_are_no_people(workshop: Workshop, name: str) -> None:
    with gzip.open(SHARED / "type-ptype" / f"{name}.csv.gz", "rt", encoding="utf-8", errors="replace", newline="") as f:
        header, *rows = list(csv.reader(f))
    names = [title or f"column {i}" for i, title in enumerate(header)]
    data = {title: [row[i] for row in rows if len(row) == len(header)] for i, title in enumerate(names)}
    assert fields(workshop, data) == {}
