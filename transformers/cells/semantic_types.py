"""What a column means: e-mail addresses, postcodes, amounts of money … by what its values look like.

A form that only one thing has (an address with an @) decides alone. A form that many things share (digits) decides
only together with the column's name. Shares are of the present cells, over every row.
"""

import re
from enum import StrEnum

from transformers.cells.kinds import has_form, words
from transformers.cells.place_codes import COUNTRY_CODES, COUNTRY_CODES_3, CURRENCY_CODES

SEMANTIC_SHARE = 0.8  # real columns carry some dirt; below four in five the name would promise too much


class SemanticType(StrEnum):
    EMAIL = "email"
    URL = "url"
    UUID = "uuid"
    IP_ADDRESS = "ip_address"
    MAC_ADDRESS = "mac_address"
    IBAN = "iban"
    COUNTRY_CODE = "country_code"
    CURRENCY_CODE = "currency_code"
    PHONE_NUMBER = "phone_number"
    POSTCODE = "postcode"
    CURRENCY_AMOUNT = "currency_amount"
    PERCENTAGE = "percentage"
    JSON = "json"
    YEAR = "year"
    AGE = "age"
    LATITUDE = "latitude"
    LONGITUDE = "longitude"


_EMAIL = r"[^@\s,;<>]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}"
_URL = r"(?i)(https?|ftp)://[^\s]+|www\.[a-z0-9-]+\.[^\s]+"
_UUID = "(?i)[{]?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}[}]?"
_OCTET = "(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})"
_IPV6 = "([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|([0-9a-f]{1,4}:){1,6}(:[0-9a-f]{1,4}){1,6}"
_IP = rf"(?i)({_OCTET}\.){{3}}{_OCTET}|{_IPV6}"
_MAC = "(?i)([0-9a-f]{2}[:-]){5}[0-9a-f]{2}"
_IBAN = "[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{1,4}){3,8}"
_POSTCODES = (
    r"[0-9]{3,5}|[0-9]{5}-[0-9]{4}|(?i)[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]"
    r"|[0-9]{4} ?[A-Z]{2}|[0-9]{4}-[0-9]{3}|[0-9]{3} ?[0-9]{2}|[0-9]{2}-[0-9]{3}|[0-9]{3}-[0-9]{4}|[A-Z]{2}-?[0-9]{4,5}"
)
_PHONE = r"(\+|00)?[0-9]?[ .-]?(\([0-9]{1,5}\)|[0-9]{1,5})([ ./-]?[0-9]{1,5}){1,5}"

_KEY_WORDS = ("id", "key", "code", "no", "nr", "number", "uuid", "guid", "index", "ref", "sku", "isbn")
_NAMES = {
    SemanticType.PHONE_NUMBER: r"phone|mobile|cell|fax|tel(no|efon|ephone)?$|^tel",
    SemanticType.POSTCODE: r"zip|post.?(al)?.?code|postcode|plz|^cap$|pincode",
    SemanticType.COUNTRY_CODE: r"country|nation|^iso",
    SemanticType.CURRENCY_CODE: r"currency|^ccy|^cur$",
    SemanticType.LATITUDE: r"^lat(itude)?$|[_ .-]lat(itude)?$|^latitude",
    SemanticType.LONGITUDE: r"^(lon|lng|long)(gitude)?$|[_ .-](lon|lng|long)(gitude)?$|^longitude",
    SemanticType.YEAR: r"year|(^|[_ .-])yr([_ .-]|$)|(?-i:Yr([A-Z]|$))",
    SemanticType.AGE: r"^age$|^age[_ .-]|[_ .-]age$",
}


def name_suggests(name: str, semantic: SemanticType) -> bool:
    return semantic in _NAMES and re.search(_NAMES[semantic], name.strip(), re.IGNORECASE) is not None


def names_a_key(name: str) -> bool:
    """customerId, customer_id and CUSTOMER ID end in the word id; paid does not."""
    words = re.sub(r"[^a-z0-9]+", " ", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower()).split()
    return bool(words) and (words[-1] in _KEY_WORDS or words[0] in _KEY_WORDS)


def may_mean_something(name: str) -> bool:
    return any(name_suggests(name, semantic) for semantic in _RANGES)


def tests_for(name: str) -> list[SemanticType]:
    """What a text column of this name can be: what its form alone tells, and what its name says."""
    return [semantic for semantic in _TEXT_FORMS if semantic not in _NAMES or name_suggests(name, semantic)]


def text_test(text: str, semantic: SemanticType) -> str:
    """SQL: whether a cell (a trimmed VARCHAR expression) is one. The cheap part stands first."""
    return _TEXT_FORMS[semantic].format(text=text)


def _form(pattern: str) -> str:
    return has_form("{text}", pattern).replace("{", "{{").replace("}", "}}").replace("{{text}}", "{text}")


_TEXT_FORMS = {
    SemanticType.EMAIL: f"contains({{text}}, '@') AND {_form(_EMAIL)}",
    SemanticType.URL: f"contains({{text}}, '.') AND {_form(_URL)}",
    SemanticType.UUID: f"length({{text}}) IN (32, 36, 38) AND {_form(_UUID)}",
    SemanticType.IP_ADDRESS: f"length({{text}}) BETWEEN 4 AND 39 AND {_form(_IP)}",
    SemanticType.MAC_ADDRESS: f"length({{text}}) = 17 AND {_form(_MAC)}",
    SemanticType.IBAN: f"length({{text}}) BETWEEN 15 AND 42 AND {_form(_IBAN)}",
    SemanticType.JSON: "(starts_with({text}, '{{') OR starts_with({text}, '[')) AND json_valid({text})",
    SemanticType.COUNTRY_CODE: f"length({{text}}) IN (2, 3) AND {{text}} IN {words(COUNTRY_CODES + COUNTRY_CODES_3)}",
    SemanticType.CURRENCY_CODE: f"length({{text}}) = 3 AND {{text}} IN {words(CURRENCY_CODES)}",
    SemanticType.PHONE_NUMBER: (
        f"length({{text}}) BETWEEN 7 AND 24 AND {_form(_PHONE)}"
        " AND length(regexp_replace({text}, '[^0-9]', '', 'g')) BETWEEN 7 AND 15"
    ),
    SemanticType.POSTCODE: f"length({{text}}) BETWEEN 3 AND 10 AND {_form(_POSTCODES)}",
}

_RANGES = {
    SemanticType.YEAR: (1000, 2200),
    SemanticType.AGE: (0, 130),
    SemanticType.LATITUDE: (-90, 90),
    SemanticType.LONGITUDE: (-180, 180),
    SemanticType.POSTCODE: (100, 999_999),
    SemanticType.PHONE_NUMBER: (1_000_000, 999_999_999_999_999),
}


def meaning_of_number(name: str, low: float | None, high: float | None) -> SemanticType | None:
    """A number means something only when its name says so and every value can be it."""
    if low is None or high is None:
        return None
    for semantic, (least, most) in _RANGES.items():
        if name_suggests(name, semantic) and least <= low and high <= most:
            return semantic
    return None
