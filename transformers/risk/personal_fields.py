"""Personal and secret data by a column's name, and what each kind weighs.

A name alone is a hint: where values can contradict it (a gender of 17 letters), they are asked.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from transformers.profiling.table_profile import shown
from transformers.risk.header_words import META, NAMES, TECHNICAL, THINGS, WEAK
from transformers.risk.people import plain
from transformers.risk.personal_data import PersonalKind as Kind
from transformers.risk.personal_data import is_us_ssn, masked, safe_to_show

UNSHOWN = "••••••"  # of a password not even its length


@dataclass(frozen=True)
class Weight:
    """`sensitivity` 0-100: what harm a leak of it does. `notes`: the rules that speak of it."""

    sensitivity: int
    notes: tuple[str, ...]


GDPR, GDPR_SPECIAL = "GDPR Art. 4 (personal data)", "GDPR Art. 9 (special category)"
CCPA, CCPA_SENSITIVE = "CCPA (personal information)", "CCPA (sensitive personal information)"
HIPAA, HIPAA_PHI = "HIPAA identifier", "HIPAA health information"

WEIGHTS = {
    Kind.SECRET: Weight(100, ("Access secret: revoke and rotate",)),
    Kind.PASSWORD: Weight(100, (GDPR, CCPA_SENSITIVE)),
    Kind.CREDIT_CARD: Weight(95, (GDPR, CCPA_SENSITIVE, "PCI DSS")),
    Kind.US_SSN: Weight(95, (GDPR, CCPA_SENSITIVE, HIPAA)),
    Kind.CARD_SECURITY_CODE: Weight(95, (GDPR, CCPA_SENSITIVE, "PCI DSS: must not be stored")),
    Kind.NATIONAL_ID: Weight(95, (GDPR, CCPA_SENSITIVE, HIPAA)),
    Kind.IBAN: Weight(85, (GDPR, CCPA_SENSITIVE, HIPAA)),
    Kind.BANK_ACCOUNT: Weight(85, (GDPR, CCPA_SENSITIVE, HIPAA)),
    Kind.HEALTH: Weight(90, (GDPR_SPECIAL, CCPA_SENSITIVE, HIPAA_PHI)),
    Kind.SPECIAL_CATEGORY: Weight(85, (GDPR_SPECIAL, CCPA_SENSITIVE)),
    Kind.DATE_OF_BIRTH: Weight(70, (GDPR, CCPA, HIPAA)),
    Kind.EMAIL: Weight(70, (GDPR, CCPA, HIPAA)),
    Kind.PHONE: Weight(65, (GDPR, CCPA, HIPAA)),
    Kind.PERSON_NAME: Weight(60, (GDPR, CCPA, HIPAA)),
    Kind.ADDRESS: Weight(60, (GDPR, CCPA, HIPAA)),
    Kind.INCOME: Weight(55, (GDPR, CCPA)),
    Kind.CARD_DETAIL: Weight(50, (GDPR, "PCI DSS")),
    Kind.USERNAME: Weight(50, (GDPR, CCPA)),
    Kind.LOCATION: Weight(45, (GDPR, CCPA_SENSITIVE)),
    Kind.IP_ADDRESS: Weight(45, (GDPR, CCPA, HIPAA)),
    Kind.MAC_ADDRESS: Weight(45, (GDPR, CCPA, HIPAA)),
    Kind.CRYPTO_WALLET: Weight(60, (GDPR, CCPA)),
    Kind.DEVICE_ID: Weight(50, (GDPR, CCPA, HIPAA)),
    Kind.VEHICLE_ID: Weight(45, (GDPR, CCPA, HIPAA)),
    Kind.POSTCODE: Weight(35, (GDPR, HIPAA)),
    Kind.GENDER: Weight(35, (GDPR,)),
    Kind.AGE: Weight(30, (GDPR,)),
    Kind.CITY: Weight(25, (GDPR,)),
    Kind.PERSON_TITLE: Weight(20, (GDPR,)),
}
QUASI_IDENTIFIERS = (Kind.DATE_OF_BIRTH, Kind.AGE, Kind.POSTCODE, Kind.CITY, Kind.GENDER)


def words_of(name: str) -> str:
    """CCNumber, cc_number and CC-Number are all `cc number`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3 \2\4", name)
    return " ".join(re.sub(r"[^\w']|_", " ", plain(spaced)).split())


@lru_cache(maxsize=4096)
def kinds_by_name(name: str) -> tuple[Kind, ...]:
    words = words_of(name)
    if re.search(META, words):
        return ()
    return tuple(kind for kind, form in NAMES if re.search(form, words) and not _technical(kind, words))


def weak_kinds_by_name(name: str) -> tuple[Kind, ...]:
    """What the name may mean, were the values to say the same."""
    words = words_of(name)
    return tuple(kind for kind, form in WEAK if re.search(form, words))


def names_a_thing(name: str) -> bool:
    return re.search(THINGS, words_of(name)) is not None


def _technical(kind: Kind, words: str) -> bool:
    return kind in TECHNICAL and re.search(TECHNICAL[kind], words) is not None


def is_hidden(name: str) -> bool:
    """Whether no report shows this column's values, by its name alone."""
    hidden = {Kind.PASSWORD, Kind.SECRET, Kind.CARD_SECURITY_CODE, Kind.US_SSN, Kind.NATIONAL_ID, Kind.CREDIT_CARD,
              Kind.IBAN, Kind.BANK_ACCOUNT, Kind.EMAIL, Kind.PHONE}  # fmt: skip
    return any(kind in hidden for kind in kinds_by_name(name))


def display(name: str, value: str) -> str:
    """A value as a report may show it: short, and nothing in it that could be used against someone."""
    if any(kind in (Kind.PASSWORD, Kind.SECRET) for kind in kinds_by_name(name)):
        return UNSHOWN
    return masked(shown(value)) if is_hidden(name) else safe_to_show(shown(value))


def contradicts(kind: Kind, values: list[str]) -> bool:
    """Whether the values say that the column is not what its name says."""
    test = _PLAUSIBLE.get(kind)
    return test is not None and bool(values) and sum(map(test, values)) < PLAUSIBLE_SHARE * len(values)


def _may_be_address(value: str) -> bool:
    if "@" in value or re.fullmatch(r"[0-9a-fA-F-]{16,}|https?://.*", value):
        return False
    return re.fullmatch(r"\d{1,5}[a-zA-Z]?", value) is not None or (
        any(c.isalpha() for c in value) and any(c.isdigit() or c == " " for c in value)
    )


PLAUSIBLE_SHARE = 0.5
# switches and dates
_NO_WORD = re.compile(r"(?i)true|false|yes|no|[yn01]|\d{4}-\d{1,2}-\d{1,2}.*|\d{1,2}/\d{1,2}/\d{2,4}.*")
_PLAUSIBLE: dict[Kind, Callable[[str], bool]] = {
    Kind.US_SSN: lambda v: is_us_ssn(v) or re.fullmatch(r"[*xX•\d-]{4,11}", v) is not None,
    Kind.CARD_SECURITY_CODE: lambda v: re.fullmatch(r"\d{3,4}", v) is not None,
    Kind.EMAIL: lambda v: "@" in v,
    Kind.PHONE: lambda v: 5 <= sum(c.isdigit() for c in v) <= 15 and not re.search(r"[A-Za-z]{3}|\d{4}-\d\d-\d\d", v),  # noqa: PLR2004
    Kind.PERSON_NAME: lambda v: not any(c.isdigit() for c in v) and len(v) <= 80,  # noqa: PLR2004
    Kind.DATE_OF_BIRTH: lambda v: sum(c.isdigit() for c in v) >= 3 and not re.fullmatch(r"-?\d+\.\d{1,2}", v),  # noqa: PLR2004
    Kind.ADDRESS: _may_be_address,
    Kind.GENDER: lambda v: len(v) <= 20,  # noqa: PLR2004
    Kind.AGE: lambda v: re.fullmatch(r"(1[0-2])?\d{1,2}(\.\d+)?|\d{1,3} ?[-+–] ?\d{0,3}", v) is not None,
    Kind.POSTCODE: lambda v: 3 <= len(v) <= 10 and any(c.isdigit() for c in v),  # noqa: PLR2004
    Kind.CITY: lambda v: any(c.isalpha() for c in v) and not any(c.isdigit() for c in v),
    Kind.IP_ADDRESS: lambda v: v.count(".") == 3 or v.count(":") > 1,  # noqa: PLR2004
    Kind.LOCATION: lambda v: re.fullmatch(r"-?\d{1,3}(\.\d+)?", v) is not None,
    Kind.HEALTH: lambda v: len(v) > 1,
    Kind.NATIONAL_ID: lambda v: sum(c.isdigit() for c in v) >= 4 and len(v) <= 25,  # noqa: PLR2004
    Kind.CREDIT_CARD: lambda v: sum(c.isdigit() for c in v) >= 4,  # noqa: PLR2004  the last four, or mangled
    Kind.IBAN: lambda v: re.fullmatch(r"(?i)[A-Z]{2}[\dX*•]{2}[\w*• ]{8,}|[*xX• ]+\w{2,4}", v) is not None,
    Kind.BANK_ACCOUNT: lambda v: sum(c.isdigit() for c in v) >= 4,  # noqa: PLR2004
    Kind.PASSWORD: lambda v: not _NO_WORD.fullmatch(v),
    Kind.SECRET: lambda v: len(v) >= 6 and not _NO_WORD.fullmatch(v),  # noqa: PLR2004
    Kind.USERNAME: lambda v: len(v) <= 64 and len(v.split()) <= 2 and not _NO_WORD.fullmatch(v),  # noqa: PLR2004
    Kind.INCOME: lambda v: any(c.isdigit() for c in v),
    Kind.VEHICLE_ID: lambda v: 4 <= len(v) <= 20 and any(c.isdigit() for c in v),  # noqa: PLR2004
    Kind.DEVICE_ID: lambda v: len(v) >= 8 and any(c.isdigit() for c in v),  # noqa: PLR2004
}
