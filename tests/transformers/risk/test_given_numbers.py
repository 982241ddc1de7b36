import random

import pytest

from transformers.risk.check_digits import is_base58_address, is_vin, passes_iso_7064_11_10, passes_verhoeff
from transformers.risk.given_numbers import GIVEN_NUMBERS, given_numbers

KNOWN = {  # published examples
    "Spain, DNI and NIE": ["12345678Z", "X1234567L"],
    "United Kingdom, National Insurance": ["AB123456C", "QQ 12 34 56 C".replace("QQ", "JG")],
    "United Kingdom, NHS": ["943 476 5919"],
    "Italy, codice fiscale": ["RSSMRA85T10A562S"],
    "France, NIR": ["2 55 08 14 168 025 38"],
    "Brazil, CPF": ["111.444.777-35"],
    "Poland, PESEL": ["44051401359"],
    "Sweden, personnummer": ["811228-9874"],
    "Finland, henkilötunnus": ["131052-308T"],
    "Switzerland, AHV": ["756.9217.0769.85"],
    "Belgium, national number": ["85.07.30-033.28"],
    "Netherlands, BSN": ["111222333"],
    "Canada, SIN, and Israel": ["130 692 544"],
    "China, resident identity": ["11010519491231002X"],
    "Turkey, kimlik": ["10000000146"],
    "Chile, RUT": ["12.345.678-5"],
    "Singapore, NRIC": ["S1234567D"],
    "vehicle identification": ["1M8GDM9AXKP042788"],
    "IMEI": ["490154203237518"],
    "Bitcoin address": ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"],
    "Ethereum address": ["0x52908400098527886E0F7030069857D2E4169EE7"],
}


@pytest.mark.parametrize("name", KNOWN)
def test_published_examples_fit(name: str) -> None:
    [number] = [number for number in GIVEN_NUMBERS if number.name == name]
    assert all(number.fits(text) for text in KNOWN[name])


@pytest.mark.parametrize("name", ["Spain, DNI and NIE", "Poland, PESEL", "Brazil, CPF", "China, resident identity"])
def test_a_wrong_digit_does_not_fit(name: str) -> None:
    [number] = [number for number in GIVEN_NUMBERS if number.name == name]
    text = KNOWN[name][0]
    wrong = next(text[:2] + digit + text[3:] for digit in "0123456789" if digit != text[2])
    assert not number.fits(wrong)


@pytest.mark.parametrize("length", [8, 9, 10, 11, 12, 13, 15, 16])
def test_random_digits_of_any_length_are_nobodys_numbers(length: int) -> None:
    chance = random.Random(length)
    values = ["".join(chance.choices("123456789", k=length)) for _ in range(300)]
    assert list(given_numbers(values)) == []


@pytest.mark.parametrize("start", [100_000_000, 10_000_000_000, 100_000_000_000_000])
def test_running_numbers_are_nobodys_either(start: int) -> None:
    assert list(given_numbers([str(start + i) for i in range(300)])) == []


def test_digits_of_another_script_are_digits() -> None:
    eastern = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    assert list(given_numbers([str(1_000_000_000 + i).translate(eastern) for i in range(12)])) == []
    [number] = [number for number in GIVEN_NUMBERS if number.name == "Poland, PESEL"]
    assert number.fits("44051401359".translate(eastern))


def test_few_values_tell_nothing() -> None:
    assert list(given_numbers(["12345678Z", "X1234567L"])) == []


def test_check_digits_are_computed_as_published() -> None:
    assert passes_verhoeff("2363")
    assert not passes_verhoeff("2364")
    assert passes_iso_7064_11_10("86095742719")
    assert is_vin("11111111111111111") is False  # digits alone name no car
    assert not is_base58_address("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb")
