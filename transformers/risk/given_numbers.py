"""Numbers that an office or a maker gave: to people (national ids), to their accounts, their cars and their phones.

One in ten random numbers passes a check digit, so that only a column can be told: nearly all of its values pass.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from transformers.risk.check_digits import (
    has_birth_date,
    is_base58_address,
    is_vin,
    passes_iso_7064_11_10,
    passes_luhn,
    passes_verhoeff,
    weighted,
)
from transformers.risk.personal_data import PersonalKind

NEARLY_ALL = 0.85  # real columns carry some dirt, and a check digit is passed by chance by one in ten only
FEWEST = 8  # different values: fewer may pass by chance
FIRST_LOOK = 40
_MONTHS = (0, 20, 40, 50, 60, 80)


@dataclass(frozen=True)
class GivenNumber:
    """`form` is asked of the text as written but for its digits' script, `test` of its letters and digits alone."""

    name: str
    kind: PersonalKind
    form: re.Pattern[str]
    test: Callable[[str], bool] = lambda _compact: True

    def fits(self, text: str) -> bool:
        text = _western_digits(text)
        return self.form.fullmatch(text) is not None and self.test(re.sub(r"[^0-9A-Za-z]", "", text))


def given_numbers(values: Sequence[str]) -> Iterator[GivenNumber]:
    """`values` are the different texts of a column. The first that comes is the most telling."""
    if len(values) < FEWEST or not any(c.isdigit() for c in values[0]):
        return
    for number in GIVEN_NUMBERS:
        if _share(number, values[:FIRST_LOOK]) >= NEARLY_ALL and _share(number, values) >= NEARLY_ALL:
            yield number


def _western_digits(text: str) -> str:
    """The digits of every script as 0 to 9: an Egyptian writes the same number in others."""
    return text if text.isascii() else "".join(str(int(c)) if c.isdecimal() else c for c in text)


def _share(number: GivenNumber, values: Sequence[str]) -> float:
    return sum(map(number.fits, values)) / len(values)


def _spanish(text: str) -> bool:
    body = text[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23] == text[-1]


def _french(text: str) -> bool:
    return (97 - int(text[:13].replace("2A", "19").replace("2B", "18")) % 97) == int(text[13:])


def _brazilian(text: str) -> bool:
    ends = [weighted(text[:n], range(n + 1, 1, -1)) * 10 % 11 % 10 for n in (9, 10)]
    return len(set(text)) > 1 and ends == [int(text[9]), int(text[10])]


def _polish(text: str) -> bool:
    return has_birth_date(text, month_add=_MONTHS) and weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _swedish(text: str) -> bool:
    return has_birth_date(text[-10:]) and passes_luhn(text[-10:])


def _finnish(text: str) -> bool:
    return (
        has_birth_date(text, "dmy") and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(text[:6] + text[-4:-1]) % 31] == text[-1]
    )


def _norwegian(text: str) -> bool:
    first = weighted(text, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    return has_birth_date(text, "dmy") and first == weighted(text, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _baltic(text: str) -> bool:
    rest = weighted(text, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    rest = weighted(text, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10 if rest == 10 else rest  # noqa: PLR2004
    return has_birth_date(text[1:7]) and rest == int(text[10])


def _chinese(text: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return has_birth_date(text[8:14]) and "10X98765432"[weighted(text, weights) % 11] == text[17]


def _turkish(text: str) -> bool:
    odd, even = sum(map(int, text[:9:2])), sum(map(int, text[1:8:2]))
    return (odd * 7 - even) % 10 == int(text[9]) and sum(map(int, text[:10])) % 10 == int(text[10])


def _chilean(text: str) -> bool:
    rest = sum(int(d) * (2 + i % 6) for i, d in enumerate(reversed(text[:-1]))) % 11
    return "0K987654321"[rest] == text[-1]


def _singaporean(text: str) -> bool:
    rest = (weighted(text[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if text[0] in "TG" else 0)) % 11
    return ("JZIHGFEDCBA" if text[0] in "ST" else "XWUTRQPNMLK")[rest] == text[8]


def _dutch(text: str) -> bool:
    return weighted(text, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def _belgian(text: str) -> bool:
    body, check = text[:9], 97 - int(text[9:])
    return has_birth_date(text) and check in {int(body) % 97, int("2" + body) % 97}


def _swiss(text: str) -> bool:
    return weighted(text, (1, 3) * 6 + (1,)) % 10 == 0


def _romanian(text: str) -> bool:
    rest = weighted(text, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return has_birth_date(text[1:7]) and (1 if rest == 10 else rest) == int(text[12])  # noqa: PLR2004


def _routing(text: str) -> bool:
    return int(text[:2]) in {*range(13), *range(21, 33), *range(61, 73)} and weighted(text, (3, 7, 1) * 3) % 10 == 0


def _number(name: str, kind: PersonalKind, form: str, test: Callable[[str], bool] | None = None) -> GivenNumber:
    return GivenNumber(name, kind, re.compile(form), test or (lambda _compact: True))


_ID, _DEVICE, _WALLET = PersonalKind.NATIONAL_ID, PersonalKind.DEVICE_ID, PersonalKind.CRYPTO_WALLET
GIVEN_NUMBERS = (
    _number("Spain, DNI and NIE", _ID, r"[XYZ]?-?\d{7,8}-?[A-Z]", _spanish),
    _number("United Kingdom, National Insurance", _ID,
            r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"),
    _number("United Kingdom, NHS", _ID, r"\d{3}[ -]\d{3}[ -]\d{4}", lambda t: weighted(t, range(10, 0, -1)) % 11 == 0),
    _number("Italy, codice fiscale", _ID, r"(?i)[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]"),
    _number("France, NIR", _ID, r"[12] ?\d{2} ?\d{2} ?(\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", _french),
    _number("Brazil, CPF", _ID, r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}", _brazilian),
    _number("Poland, PESEL", _ID, r"\d{11}", _polish),
    _number("Sweden, personnummer", _ID, r"(19|20)?\d{6}[-+]?\d{4}", _swedish),
    _number("Finland, henkilötunnus", _ID, r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", _finnish),
    _number("Norway, fødselsnummer", _ID, r"\d{6} ?\d{5}", _norwegian),
    _number("Denmark, CPR, and Iceland, kennitala", _ID, r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])\d{2}-\d{4}"),
    _number("Estonia and Lithuania", _ID, r"[1-6]\d{10}", _baltic),
    _number("Czechia and Slovakia, rodné číslo", _ID, r"\d{6}/\d{4}",
            lambda t: has_birth_date(t, month_add=(0, 20, 50, 70)) and int(t) % 11 == 0),
    _number("Romania, CNP", _ID, r"[1-8]\d{12}", _romanian),
    _number("Switzerland, AHV", _ID, r"756\.?\d{4}\.?\d{4}\.?\d{2}", _swiss),
    _number("Germany, tax identity", _ID, r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", passes_iso_7064_11_10),
    _number("Belgium, national number", _ID, r"\d{2}\.?\d{2}\.?\d{2}[- ]?\d{3}[. ]?\d{2}", _belgian),
    _number("Netherlands, BSN", _ID, r"\d{9}", _dutch),
    _number("Australia, tax file number", _ID, r"\d{3} ?\d{3} ?\d{3}",
            lambda t: weighted(t, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0),
    _number("Canada, SIN, and Israel", _ID, r"[1-79]\d{2}[ -]?\d{3}[ -]?\d{3}", passes_luhn),
    _number("China, resident identity", _ID, r"[1-9]\d{16}[\dX]", _chinese),
    _number("India, Aadhaar", _ID, r"[2-9]\d{3} ?\d{4} ?\d{4}", passes_verhoeff),
    _number("India, PAN", _ID, r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]"),
    _number("Korea, resident registration", _ID, r"\d{2}(0[1-9]|1[0-2])\d{2}-[1-8]\d{6}"),
    _number("Mexico, CURP", _ID, r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d"),
    _number("Turkey, kimlik", _ID, r"[1-9]\d{10}", _turkish),
    _number("South Africa, identity", _ID, r"\d{6} ?\d{4} ?[01][89] ?\d",
            lambda t: has_birth_date(t) and passes_luhn(t)),
    _number("Chile, RUT", _ID, r"\d{1,2}\.?\d{3}\.?\d{3}-[\dK]", _chilean),
    _number("Singapore, NRIC", _ID, r"[STFG]\d{7}[A-Z]", _singaporean),
    _number("USA, ITIN", _ID, r"9\d{2}-[5-9]\d-\d{4}"),
    _number("USA, bank routing number", PersonalKind.BANK_ACCOUNT, r"\d{9}", _routing),
    _number("vehicle identification", PersonalKind.VEHICLE_ID, r"[A-HJ-NPR-Z0-9]{17}", is_vin),
    _number("IMEI", _DEVICE, r"(01|35|4[49]|5[1-4]|86|9[189])\d{13}|(35|86)-?\d{6}-?\d{6}-?\d", passes_luhn),
    _number("Bitcoin address", _WALLET, r"[13][1-9A-HJ-NP-Za-km-z]{25,34}", is_base58_address),
    _number("Bitcoin address, bech32", _WALLET, r"bc1[02-9ac-hj-np-z]{25,62}"),
    _number("Ethereum address", _WALLET, r"0x[0-9a-fA-F]{40}"),
)  # fmt: skip
