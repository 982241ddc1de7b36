"""Whether a column's values are telephone numbers of some country, by the countries' own numbering plans."""

import re
from collections.abc import Sequence

MOST = 0.8  # of the values are valid in one country; of part numbers of the same shape, one in three
MIXED = 0.6  # look like telephone numbers: else there is no need to ask
FEWEST = 5
ASKED = 60  # a number takes 0.1 ms a country
REGIONS = (
    "US", "GB", "DE", "FR", "ES", "IT", "NL", "BE", "CH", "AT", "PL", "SE", "NO", "DK", "FI", "PT", "CZ", "HU", "RO",
    "GR", "IE", "AU", "NZ", "IN", "CN", "JP", "KR", "BR", "MX", "AR", "ZA", "TR", "RU", "UA", "IL", "SG", "NG",
)  # fmt: skip
STRICT = ("US", "ES", "PT", "GR", "CZ")  # of any digits of the right length few are valid there
_DIGITS = re.compile(r"\D")
_WRITTEN = re.compile(
    r"(\+|00)?[ ]?\(?\d{1,5}\)?([ ./-]{1,2}\(?\d{1,8}\)?){1,6}|\+\d{7,15}|\(\d{2,5}\) ?\d[\d -]{4,10}"
)
_TRUNK = re.compile(r"0\d{8,11}")
_PLAIN = re.compile(r"0\d{8,11}|[2-9]\d{2}[2-9]\d{6}|1[2-9]\d{2}[2-9]\d{6}")  # with a trunk nought, or of North America
_NO_PHONE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d+[.,]\d+|\d{1,3}([., ]\d{3})+"
    r"|(\d{1,3}\.){3}\d{1,3}|(19|20)\d{2}[-/ ]+(19|20)?\d{2}"
)  # dates, numbers, addresses of machines, spans of years


def are_phones(values: Sequence[str]) -> bool:
    """`values` are different texts."""
    some = values[:ASKED]
    if _most(some, _PLAIN):
        return _of_one_country(some, STRICT if not _most(some, _TRUNK) else REGIONS)
    if not _most(some, _WRITTEN):
        return False
    return _of_one_country(some, REGIONS if _marked(some) else STRICT) or _of_many_countries(some)


def _most(values: Sequence[str], form: re.Pattern[str]) -> bool:
    fit = sum(_may_be(value, form) for value in values)
    return fit >= max(FEWEST, MIXED * len(values))


def _marked(values: Sequence[str]) -> bool:
    """Whether a nought, a plus or brackets open most of them: so telephone numbers do, and part numbers seldom."""
    return sum(value[0] in "0+(" for value in values) >= MIXED * len(values)


def _may_be(value: str, form: re.Pattern[str]) -> bool:
    digits = len(_DIGITS.sub("", value))
    return 6 <= digits <= 15 and form.fullmatch(value) is not None and not _NO_PHONE.fullmatch(value)  # noqa: PLR2004  E.164


def _of_one_country(values: Sequence[str], regions: Sequence[str]) -> bool:
    few = values[:10]
    likely = [region for region in regions if _share(few, region) >= MIXED]
    return any(_share(values, region) >= MOST for region in likely)


def _of_many_countries(values: Sequence[str]) -> bool:
    """Where groups of digits vary as nothing but telephone numbers of several countries do."""
    shapes = {re.sub(r"\d", "0", value) for value in values}
    valid = sum(any(_is_valid(value, region) for region in REGIONS) for value in values)
    return len(shapes) >= max(FEWEST, len(values) / 6) and valid >= MOST * len(values)


def _share(values: Sequence[str], region: str) -> float:
    return sum(_is_valid(value, region) for value in values) / len(values)


def _is_valid(value: str, region: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, region))
    except phonenumbers.NumberParseException:
        return False
