"""What the other columns tell: a town, a postcode or an old date is somebody's only in a table of people."""

import re
from collections.abc import Sequence

from transformers.risk.fields import CONTEXT, FieldRisk, KindFound, scored
from transformers.risk.header_words import PLACES
from transformers.risk.personal_data import PersonalKind as Kind
from transformers.risk.personal_fields import words_of

_PEOPLE = {
    Kind.PERSON_NAME, Kind.PERSON_TITLE, Kind.NATIONAL_ID, Kind.US_SSN, Kind.DATE_OF_BIRTH, Kind.GENDER, Kind.AGE,
    Kind.USERNAME, Kind.PASSWORD, Kind.HEALTH, Kind.INCOME, Kind.CREDIT_CARD, Kind.IBAN,
}  # fmt: skip
_REACHED = {Kind.EMAIL, Kind.PHONE}  # shops have them too
_OF_PEOPLE_ONLY = {Kind.CITY, Kind.POSTCODE, Kind.LOCATION}
_LIVED_AT = {Kind.ADDRESS}  # somebody's, but for the addresses in a table of shops
SOME = 0.2  # of a column's cells: a lone leak makes no table of people
_SOMEBODYS = (
    r"\b(home|birth|residence|customer|patient|employee|person|user|client|contact|billing|shipping|delivery|mailing)\b"
)


def in_context(fields: Sequence[FieldRisk]) -> list[FieldRisk]:
    """Without what means nothing in a table that is not of people."""
    if _is_of_people(fields):
        return list(fields)
    theirs = _OF_PEOPLE_ONLY | (_LIVED_AT if _is_of_places(fields) else set())
    return [_without(field, [kind for kind in field.kinds if not _depends(field, kind, theirs)]) for field in fields]


def _is_of_people(fields: Sequence[FieldRisk]) -> bool:
    sure = {found.kind for field in fields for found in field.kinds if _is_sure(found)}
    return bool(sure & _PEOPLE) or (bool(sure & _REACHED) and not _is_of_places(fields))


def _is_of_places(fields: Sequence[FieldRisk]) -> bool:
    return any(re.search(PLACES, words_of(field.name)) for field in fields)


def _is_sure(found: KindFound) -> bool:
    return found.by in {"name", "both"} or (found.by == "value" and found.share >= SOME)


def _depends(field: FieldRisk, found: KindFound, theirs: set[Kind]) -> bool:
    if found.by == CONTEXT:
        return True
    return found.kind in theirs and re.search(_SOMEBODYS, words_of(field.name)) is None


def _without(field: FieldRisk, kinds: Sequence[KindFound]) -> FieldRisk:
    return field if len(kinds) == len(field.kinds) else scored(field.name, kinds)
