"""Personal and secret data by a column's name, and what each kind weighs.

A name alone is a hint: where values can contradict it (a gender of 17 letters), they are asked.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from transformers.profiling.table_profile import shown
from transformers.risk.personal_data import PersonalKind as Kind
from transformers.risk.personal_data import is_us_ssn, masked, safe_to_show


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
    Kind.POSTCODE: Weight(35, (GDPR, HIPAA)),
    Kind.GENDER: Weight(35, (GDPR,)),
    Kind.AGE: Weight(30, (GDPR,)),
    Kind.CITY: Weight(25, (GDPR,)),
}
QUASI_IDENTIFIERS = (Kind.DATE_OF_BIRTH, Kind.AGE, Kind.POSTCODE, Kind.CITY, Kind.GENDER)

_NAME_OF = "first|last|given|fore|sur|family|middle|maiden|full|christian|nick"
_PEOPLE = "customer|client|patient|employee|person|contact|student|member|holder|applicant|guest|passenger"
_NATIONAL_ID = (
    r"\b(national id|national identifier|passport|driver'?s? licen[cs]e|nino|nin|tax id|taxpayer|identity card"
    r"|id card|personnummer|cpf|curp|aadhaa?r|nif|dni|pesel|codice fiscale)\b"
)
_HEALTH = (
    r"\b(diagnos[ie]s|icd ?(9|10|code)|medications?|prescriptions?|allerg(y|ies)|blood (type|group)|symptoms?"
    r"|medical record|mrn|mental health|treatment|therapy|family history|health (insurance|status)|disability|hiv)\b"
)
_SPECIAL = (
    r"\b(race|ethnicity|ethnic|religion|religious|political (party|opinion|affiliation)|sexual orientation"
    r"|trade union|biometric|fingerprint|criminal record)\b"
)
_PERSON = (
    rf"\b({_NAME_OF}) ?(name|initial)\b|\b(surname|forename|maiden|lastname|firstname|fname|lname)\b"
    rf"|\b({_PEOPLE})s? ?(full )?name\b|^(first|last|author)$"
)
_NAMES: tuple[tuple[Kind, str], ...] = (
    (Kind.PASSWORD, r"\b(password|passwd|passphrase|pwd|pin code|pincode hash)\b"),
    (Kind.SECRET, r"\b(secret|api key|apikey|access key|private key|access token|auth token|refresh token)\b"),
    (Kind.CARD_SECURITY_CODE, r"\b(cvv2?|cvc2?|security code)\b"),
    (Kind.US_SSN, r"\b(ssn|social security)\b"),
    (Kind.NATIONAL_ID, _NATIONAL_ID),
    (Kind.CARD_DETAIL, r"\b(cc|card|credit card) (type|expires|expiry|exp|expiration|brand|network|holder)\b"),
    (Kind.CREDIT_CARD, r"\b(cc|card|credit card|creditcard|pan)( number| no| num| nr)\b|\bcredit ?card\b|\bccnum\b"),
    (Kind.IBAN, r"\biban\b"),
    (Kind.BANK_ACCOUNT, r"\b(bank account|account (number|no)|routing number|sort code|kontonummer)\b"),
    (Kind.HEALTH, _HEALTH),
    (Kind.SPECIAL_CATEGORY, _SPECIAL),
    (Kind.EMAIL, r"\be ?mail\b"),
    (Kind.DATE_OF_BIRTH, r"\b(birth ?day|birth ?date|date of birth|dob|born( on)?|geburtsdatum)\b"),
    (Kind.PHONE, r"\b(phone|telephone|mobile|cell ?phone|fax|handy)( number| no| num| nr)?$|\btel$"),
    (Kind.PERSON_NAME, _PERSON),
    (Kind.ADDRESS, r"\b(street|address( ?(line ?)?\d)?|addr|strasse|house number|residence)\b"),
    (Kind.USERNAME, r"\b(user ?name|login( name)?|screen name|handle)\b"),
    (Kind.INCOME, r"\b(salary|income|wage|net worth|credit score)\b"),
    (Kind.POSTCODE, r"\b(zip( ?code)?|post ?code|postal code|plz)\b"),
    (Kind.GENDER, r"\b(gender|sex)\b"),
    (Kind.AGE, r"^age$|\bage (years|at)\b|\b(patient|customer) age\b"),
    (Kind.CITY, r"^(home |birth |residence )?(city|town)$"),
    (Kind.IP_ADDRESS, r"\b(ip|ip address|ipv[46]|client ip|remote addr)\b"),
    (Kind.LOCATION, r"^(lat|latitude|lon|lng|long|longitude)$|\bgps\b"),
)  # fmt: skip
_TECHNICAL = r"\b(mac|memory|web|url|contract|file|host|e ?mail|ip|server) address\b"  # no place to live


def words_of(name: str) -> str:
    """CCNumber, cc_number and CC-Number are all `cc number`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3 \2\4", name)
    return " ".join(re.sub(r"[^\w']|_", " ", spaced).lower().split())


def kinds_by_name(name: str) -> Iterator[Kind]:
    words = words_of(name)
    for kind, form in _NAMES:
        if re.search(form, words) and not (kind is Kind.ADDRESS and re.search(_TECHNICAL, words)):
            yield kind


def is_hidden(name: str) -> bool:
    """Whether no report shows this column's values, by its name alone."""
    hidden = {Kind.PASSWORD, Kind.SECRET, Kind.CARD_SECURITY_CODE, Kind.US_SSN, Kind.NATIONAL_ID, Kind.CREDIT_CARD,
              Kind.IBAN, Kind.BANK_ACCOUNT, Kind.EMAIL, Kind.PHONE}  # fmt: skip
    return any(kind in hidden for kind in kinds_by_name(name))


def display(name: str, value: str) -> str:
    """A value as a report may show it: short, and nothing in it that could be used against someone."""
    return masked(shown(value)) if is_hidden(name) else safe_to_show(shown(value))


def contradicts(kind: Kind, values: list[str]) -> bool:
    """Whether the values say that the column is not what its name says."""
    test = _PLAUSIBLE.get(kind)
    return test is not None and bool(values) and sum(map(test, values)) < PLAUSIBLE_SHARE * len(values)


PLAUSIBLE_SHARE = 0.5
_PLAUSIBLE: dict[Kind, Callable[[str], bool]] = {
    Kind.US_SSN: lambda v: is_us_ssn(v) or re.fullmatch(r"[*xX•\d-]{4,11}", v) is not None,
    Kind.CARD_SECURITY_CODE: lambda v: re.fullmatch(r"\d{3,4}", v) is not None,
    Kind.EMAIL: lambda v: "@" in v,
    Kind.PHONE: lambda v: 5 <= sum(c.isdigit() for c in v) <= 15 and not re.search(r"[A-Za-z]{3}", v),  # noqa: PLR2004
    Kind.PERSON_NAME: lambda v: not any(c.isdigit() for c in v) and len(v) <= 80,  # noqa: PLR2004
    Kind.DATE_OF_BIRTH: lambda v: sum(c.isdigit() for c in v) >= 3,  # noqa: PLR2004  a day and a year
    Kind.ADDRESS: lambda v: any(c.isalpha() for c in v) and any(c.isdigit() or c == " " for c in v) and "@" not in v,
    Kind.GENDER: lambda v: len(v) <= 20,  # noqa: PLR2004
    Kind.AGE: lambda v: re.fullmatch(r"\d{1,3}(\.\d+)?", v) is not None,
    Kind.POSTCODE: lambda v: 3 <= len(v) <= 10 and any(c.isdigit() for c in v),  # noqa: PLR2004
    Kind.CITY: lambda v: any(c.isalpha() for c in v),
    Kind.IP_ADDRESS: lambda v: v.count(".") == 3 or v.count(":") > 1,  # noqa: PLR2004
    Kind.LOCATION: lambda v: re.fullmatch(r"-?\d{1,3}(\.\d+)?", v) is not None,
    Kind.HEALTH: lambda v: len(v) > 1,
    Kind.NATIONAL_ID: lambda v: any(c.isdigit() for c in v),
    Kind.CREDIT_CARD: lambda v: sum(c.isdigit() for c in v) >= 4,  # noqa: PLR2004  the last four, or mangled
}
