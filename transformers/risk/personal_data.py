"""Personal and secret data by value: forms, check digits, and what a thing is not.

A card number, an SSN or a date is not a phone number: the stricter test is asked first, and one cell is one thing.
Sources of the rules: ISO/IEC 7812 (cards), ISO 13616 (IBAN), SSA (numbers never issued), NANP (telephones).
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from enum import StrEnum

from transformers.risk.check_digits import passes_luhn


class PersonalKind(StrEnum):
    CREDIT_CARD = "credit_card"
    US_SSN = "us_ssn"
    NATIONAL_ID = "national_id"
    IBAN = "iban"
    BANK_ACCOUNT = "bank_account"
    SECRET = "secret"  # noqa: S105  the name of a kind, not one
    PASSWORD = "password"  # noqa: S105  the same
    CARD_SECURITY_CODE = "card_security_code"
    CARD_DETAIL = "card_detail"
    HEALTH = "health"
    SPECIAL_CATEGORY = "special_category"
    EMAIL = "email"
    PHONE = "phone"
    PERSON_NAME = "person_name"
    DATE_OF_BIRTH = "date_of_birth"
    ADDRESS = "address"
    POSTCODE = "postcode"
    CITY = "city"
    GENDER = "gender"
    AGE = "age"
    IP_ADDRESS = "ip_address"
    MAC_ADDRESS = "mac_address"
    USERNAME = "username"
    INCOME = "income"
    LOCATION = "location"
    VEHICLE_ID = "vehicle_id"
    DEVICE_ID = "device_id"
    CRYPTO_WALLET = "crypto_wallet"
    PERSON_TITLE = "person_title"


NEVER_SHOWN = (PersonalKind.SECRET, PersonalKind.IBAN, PersonalKind.CREDIT_CARD, PersonalKind.US_SSN)
LONGEST_READ = 2000  # characters of one cell that are searched

_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}")
_CARD = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){11,18}(?![\w-]|[.,]\d)")
_SSN = re.compile(r"(?<![\w.-])(\d{3})-(\d{2})-(\d{4})(?![\w-]|\.\d)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?!\w)")
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")
_PHONE = re.compile(
    r"(?<![\w.,/-])(?:"
    r"\+\d{1,3}(?:[ .()/-]{0,2}\d){6,13}"  # international
    r"|(?:1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}"  # North America
    r"|\(?0\d{1,5}\)?(?:[ /-]\d{2,8}){1,4}"  # national, with its trunk nought and gaps
    r")(?![\w-]|[.,]\d)"
)
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{4}")
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}"
    r"|\bgithub_pat_\w{50,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bsk_live_[A-Za-z0-9]{16,}|\bsk-[A-Za-z0-9_-]{32,}"
    r"|\bAIza[0-9A-Za-z_-]{35}|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r"|\b[a-z][a-z0-9+]{1,20}://[^\s:/@]{1,64}:[^\s/@]{1,64}@[\w.-]+"
)
_PASSWORD_HASH = re.compile(
    r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$(argon2(id?|d)|[156]|y|scrypt|pbkdf2[\w-]*)\$\S{8,}|pbkdf2_sha\d+\$\S{8,}"
    r"|\{S?SHA\d*\}\S{20,}"
)
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SD": 18,
    "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22,
    "VG": 24, "XK": 20,
}  # fmt: skip
_CARD_RANGES = (  # issuer prefix (as a range of its first digits) and the lengths it has
    ("4", "4", (13, 16, 19)), ("51", "55", (16,)), ("2221", "2720", (16,)), ("34", "34", (15,)), ("37", "37", (15,)),
    ("6011", "6011", (16, 19)), ("644", "649", (16, 19)), ("65", "65", (16, 19)), ("3528", "3589", (16, 17, 18, 19)),
    ("300", "305", (14, 16)), ("36", "36", (14,)), ("38", "39", (14, 16)), ("62", "62", (16, 17, 18, 19)),
    ("50", "50", (12, 13, 14, 15, 16, 17, 18, 19)),
)  # fmt: skip
_SPECIMEN_SSNS = {"078051120", "219099999", "123456789"}  # printed in wallets and leaflets


def kind_of_value(value: str) -> PersonalKind | None:
    """What a whole cell is, if it is personal or secret by its own form."""
    text = value.strip()
    if len(text) < 7 or len(text) > LONGEST_READ:  # noqa: PLR2004  the shortest of them, an IPv4 address or a phone
        return None
    return next((kind for kind, test in _WHOLE.items() if test(text)), None)


def found_within(text: str) -> Iterator[tuple[PersonalKind, str]]:
    """(kind, the words) of what is hidden in a longer text."""
    rest = text[:LONGEST_READ]
    for kind, (form, test) in _WITHIN.items():
        for match in form.finditer(rest):
            if test(match[0]):
                yield kind, match[0]
        rest = form.sub(lambda match, test=test: "\n" if test(match[0]) else match[0], rest)  # type: ignore[misc]


def is_credit_card(text: str) -> bool:
    digits = re.sub(r"[ -]", "", text)
    if not digits.isascii() or not digits.isdigit() or len(set(digits)) == 1:
        return False
    return passes_luhn(digits) and any(
        low <= digits[: len(low)] <= high and len(digits) in lengths for low, high, lengths in _CARD_RANGES
    )


def is_us_ssn(text: str) -> bool:
    """Area 000, 666 and 900-999, group 00 and serial 0000 were never issued."""
    digits = text.replace("-", "")
    if len(digits) != 9 or not digits.isdigit() or digits in _SPECIMEN_SSNS:  # noqa: PLR2004  an SSN's digits
        return False
    return digits[:3] not in {"000", "666"} and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def is_iban(text: str) -> bool:
    compact = text.replace(" ", "").upper()
    if _IBAN_LENGTHS.get(compact[:2]) != len(compact) or not compact.isalnum() or not compact.isascii():
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def is_ip_address(text: str) -> bool:
    """No version number: 1.2.3.4 is an address by form, 127.0.0.1 and the like are nobody's."""
    if text.count(".") != 3 and text.count(":") < 2:  # noqa: PLR2004  dots of IPv4, colons of IPv6
        return False
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def is_phone(text: str) -> bool:
    digits = sum(c.isdigit() for c in text)
    if not 7 <= digits <= 15 or _DATE.fullmatch(text) or not _PHONE.fullmatch(text):  # noqa: PLR2004  ITU-T E.164
        return False
    return not (is_credit_card(text) or _SSN.fullmatch(text))


def masked(value: str) -> str:
    """The shape, and the last two letters or digits: enough to find the cell, too little to use it."""
    left = sum(c.isalnum() for c in value)
    hidden = []
    for c in value:
        left -= c.isalnum()
        hidden.append("•" if c.isalnum() and (left >= 2 or len(value) < 6) else c)  # noqa: PLR2004  of a short word, nothing
    return "".join(hidden)


def safe_to_show(text: str) -> str:
    """The text with card numbers, SSNs, IBANs, secrets, e-mail addresses and phone numbers masked."""
    for kind in (*NEVER_SHOWN, PersonalKind.EMAIL, PersonalKind.PHONE):
        form, test = _WITHIN[kind]
        text = form.sub(lambda match, test=test: masked(match[0]) if test(match[0]) else match[0], text)  # type: ignore[misc]
    return text


_WITHIN: dict[PersonalKind, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    PersonalKind.SECRET: (_SECRET, lambda _: True),
    PersonalKind.IBAN: (_IBAN, is_iban),
    PersonalKind.CREDIT_CARD: (_CARD, is_credit_card),
    PersonalKind.US_SSN: (_SSN, is_us_ssn),
    PersonalKind.EMAIL: (_EMAIL, lambda _: True),
    PersonalKind.PHONE: (_PHONE, is_phone),
}
_WHOLE: dict[PersonalKind, Callable[[str], bool]] = {
    PersonalKind.SECRET: lambda text: _SECRET.search(text) is not None,
    PersonalKind.PASSWORD: lambda text: _PASSWORD_HASH.fullmatch(text) is not None,
    PersonalKind.EMAIL: lambda text: _EMAIL.fullmatch(text) is not None,
    PersonalKind.IBAN: lambda text: _IBAN.fullmatch(text) is not None and is_iban(text),
    PersonalKind.CREDIT_CARD: lambda text: _CARD.fullmatch(text) is not None and is_credit_card(text),
    PersonalKind.US_SSN: lambda text: _SSN.fullmatch(text) is not None and is_us_ssn(text),
    PersonalKind.IP_ADDRESS: is_ip_address,
    PersonalKind.MAC_ADDRESS: lambda text: _MAC.fullmatch(text) is not None,
    PersonalKind.PHONE: is_phone,
}
