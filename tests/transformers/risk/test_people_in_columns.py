import random

import pytest

from transformers.risk.births import are_births
from transformers.risk.people import are_people, are_sexes, are_titles
from transformers.risk.phones import are_phones
from transformers.risk.streets import are_addresses

PEOPLE = {
    "given names": ["Anna", "José", "Łukasz", "Zeynep", "Hiroko", "Björn", "Priya", "Qwxyz"],
    "surnames": ["Müller", "Kowalski", "Ivanova", "Jónsdóttir", "Papadopoulos", "Nguyen", "García", "Xx"],
    "whole names": ["Anna Schmidt", "Rossi, Marco", "Dr. Peter Weber", "Ms Priya Patel", "Jean-Luc Dubois", "A B"],
    "authors": ["Anna Schmidt, Bo Li", "Marco Rossi; X Y", "Priya Patel and Z", "Jean Dubois", "Peter Weber", "Q"],
}
THINGS = {
    "products": ["Oak table", "Steel bolt", "Glass jar", "Wool scarf", "Clay pot", "Red lamp"],
    "firms": ["Martin & Sons", "Meyer GmbH", "Schmidt Logistics Ltd", "Rossi Foods", "Weber Inc.", "Anna Bank"],
    "colours": ["red", "navy blue", "amber", "rose", "green", "violet"],
    "languages": ["Norwegian", "Hungarian", "Italian", "Slovenian", "Brazilian", "Persian"],
    "one name": ["Anna"] * 50,
    "nothing": [],
}


@pytest.mark.parametrize("name", PEOPLE)
def test_a_column_of_people_is_known_in_many_languages(name: str) -> None:
    assert are_people(PEOPLE[name] * 3)


@pytest.mark.parametrize("name", THINGS)
def test_a_column_of_things_names_nobody(name: str) -> None:
    assert not are_people(THINGS[name] * 3)


def test_sexes_and_titles_are_told_by_their_words() -> None:
    assert are_sexes(["male", "female"] * 5)
    assert are_sexes(["M", "F", "F"])
    assert not are_sexes(["M", "L", "S", "XL"])
    assert not are_sexes(["m", "m"])
    assert are_titles(["Mr.", "Mrs.", "Dr."])
    assert not are_titles(["Mr. Clean", "Dr. Who"])


def test_telephone_numbers_are_told_by_their_countrys_plan() -> None:
    chance = random.Random(1)
    french = [
        f"0{chance.choice('1234567')} " + " ".join(f"{chance.randint(0, 99):02d}" for _ in range(4)) for _ in range(60)
    ]
    american = [f"212{chance.randint(2, 9)}{chance.randint(100000, 999999)}" for _ in range(60)]
    assert are_phones(french)
    assert are_phones(american)


@pytest.mark.parametrize("seed", range(5))
def test_part_numbers_dates_and_order_numbers_are_no_telephone_numbers(seed: int) -> None:
    chance = random.Random(seed)
    digits = ["".join(chance.choices("0123456789", k=10)) for _ in range(60)]
    assert not are_phones([f"{d[:3]}-{d[3:6]}-{d[6:]}" for d in digits])
    assert not are_phones([d.lstrip("0") for d in digits])
    assert not are_phones([f"20{d[:2]}-{d[2:4]}-{d[4:6]}" for d in digits])
    assert not are_phones([f"{1950 + i}-{1951 + i}" for i in range(60)])
    assert not are_phones([f"{d[:2]}.{d[2:5]}.{d[5:8]}.{d[8:]}" for d in digits])


def test_addresses_have_a_street_and_a_number() -> None:
    assert are_addresses(
        ["12 Main St", "Hauptstraße 5", "Via Roma 10", "3 rue de la Paix", "Kerkstraat 9", "Calle Mayor 1"]
    )
    assert not are_addresses(["Oak table 5", "Room 12", "the 3 of us went that way.", "10 boxes", "Lot 7"])


def test_birthdays_are_spread_over_generations() -> None:
    chance = random.Random(2)
    births = [
        f"{chance.randint(1945, 2003)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}" for _ in range(100)
    ]
    assert are_births(births)
    assert not are_births([f"2022-{i % 12 + 1:02d}-{i % 28 + 1:02d}" for i in range(100)])
    assert not are_births([f"{date} 10:15" for date in births])
    assert not are_births([f"{1950 + i % 5 * 12}-01-01" for i in range(100)])
