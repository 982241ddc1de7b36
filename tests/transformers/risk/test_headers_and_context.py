import random
from typing import Any

import pytest
from workshop import Workshop

from transformers.agents.score_risk import AGENT
from transformers.risk.personal_data import PersonalKind
from transformers.risk.personal_fields import kinds_by_name

HEADERS = {
    PersonalKind.PASSWORD: ["user_password", "Passwort", "senha", "contraseña", "mot de passe", "密码"],
    PersonalKind.DATE_OF_BIRTH: ["dob", "birthDate", "Geburtsdatum", "fecha_nacimiento", "data di nascita", "出生日期"],
    PersonalKind.PERSON_NAME: [
        "first_name",
        "Vorname",
        "apellidos",
        "cognome",
        "customerName",
        "achternaam",
        "фамилия",
    ],
    PersonalKind.PHONE: ["phone_number", "Telefonnummer", "celular", "mobile", "電話"],
    PersonalKind.NATIONAL_ID: ["passport_no", "Führerschein-Nr", "codice_fiscale", "PESEL", "身份证"],
    PersonalKind.CREDIT_CARD: ["CCNumber", "credit card no", "Kreditkartennummer"],
    PersonalKind.INCOME: ["annual_salary", "Gehalt", "salario"],
}
NOTHING = [
    "email_sent", "phone_model", "password_changed", "birth_rate", "order_no", "product_name", "ip_version",
    "unit_price", "address_count", "mac address", "web_address", "country_of_birth", "size", "created_at", "state",
]  # fmt: skip


@pytest.mark.parametrize("kind", HEADERS)
def test_a_header_is_understood_in_many_languages(kind: PersonalKind) -> None:
    assert [header for header in HEADERS[kind] if kind not in kinds_by_name(header)] == []


@pytest.mark.parametrize("header", NOTHING)
def test_a_header_of_a_thing_promises_nothing(header: str) -> None:
    assert set(kinds_by_name(header)) <= {PersonalKind.DEVICE_ID}


def found(workshop: Workshop, data: dict[str, list[str]]) -> dict[str, Any]:
    fields = workshop.run(AGENT, data).data["fields"]
    return {field["name"]: field["kinds"][0]["kind"] for field in fields if field["risk_score"]}


def test_a_town_is_somebodys_only_in_a_table_of_people(workshop: Workshop) -> None:
    towns = ["Leeds", "York", "Bath", "Hull"] * 5
    assert found(workshop, {"city": towns, "abv": ["0.05", "0.06"] * 10}) == {}
    people = found(workshop, {"city": towns, "first_name": ["Ann", "Bob", "Eve", "Tom"] * 5})
    assert people == {"city": "city", "first_name": "person_name"}


def test_old_dates_are_births_only_beside_people(workshop: Workshop) -> None:
    chance = random.Random(3)
    days = [f"{chance.randint(1945, 2003)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}" for _ in range(60)]
    mails = [f"u{i}@example.com" for i in range(60)]
    assert found(workshop, {"c1": days}) == {}
    assert found(workshop, {"c1": days, "c2": mails}) == {"c1": "date_of_birth", "c2": "email"}
    assert found(workshop, {"built_on": days, "c2": mails}) == {"c2": "email"}


def test_values_contradict_a_misleading_header(workshop: Workshop) -> None:
    data = {
        "phone": ["Oak table", "Steel bolt"] * 20,
        "email": [str(10**9 + 7919 * i) for i in range(40)],
        "address": [f"{i:08x}-0000-4000-a000-{i:012x}" for i in range(40)],
        "age": ["2022-05-01", "2022-06-01"] * 20,
        "colour": [f"u{i}@example.com" for i in range(40)],
    }
    assert found(workshop, data) == {"colour": "email"}


def test_a_mangled_card_number_is_personal_by_its_header(workshop: Workshop) -> None:
    assert found(workshop, {"CCNumber": [f"5.{i}4563E+15" for i in range(40)]}) == {"CCNumber": "credit_card"}


def test_a_whole_column_with_check_digits_is_known_under_any_header(workshop: Workshop) -> None:
    letters = "TRWAGMYFPDXBNJZSQVHLCKE"
    values = [f"{10_000_019 * i % 10**8:08d}" for i in range(1, 41)]
    assert found(workshop, {"batch": [v + letters[int(v) % 23] for v in values], "x": values}) == {
        "batch": "national_id"
    }
