"""What only a whole column tells: numbers with their check digits, names that abound, phones, streets."""

from collections.abc import Collection, Sequence

from transformers.risk.given_numbers import given_numbers
from transformers.risk.people import are_people, are_sexes, are_titles
from transformers.risk.personal_data import PersonalKind, kind_of_value
from transformers.risk.phones import are_phones
from transformers.risk.streets import are_addresses

Cells = Sequence[tuple[int, str]]
ASKED = 400  # different values: more would tell the same, and cost time
LONGEST = 120  # characters of what is one thing
OWN_FORM = 0.5  # of the values have a form that only one thing has: the column needs no further reading


def by_column(
    cells: Cells, *, named: bool, weak: Collection[PersonalKind], thing: bool
) -> dict[PersonalKind, list[tuple[int, str]]]:
    """By kind, the cells that count for it. A column named for something personal is asked for its numbers only.

    Counties and firms are called like people: where the header names a `thing`, no names are looked for.
    """
    if not cells or sum(len(text) > LONGEST for _, text in cells) > OWN_FORM * len(cells):
        return {}
    texts = [text for _, text in cells]
    values = list(dict.fromkeys(texts))[:ASKED]
    if sum(kind_of_value(value) is not None for value in values) > OWN_FORM * len(values):
        return {}
    number = next(given_numbers(values), None)
    if number is not None:
        return {number.kind: [(row, text) for row, text in cells if number.fits(text)]}
    kind = None if named else _kind(texts, values, weak, thing=thing)
    return {} if kind is None else {kind: list(cells)}


def _kind(
    texts: Sequence[str], values: Sequence[str], weak: Collection[PersonalKind], *, thing: bool
) -> PersonalKind | None:
    if are_sexes(texts):
        return PersonalKind.GENDER
    if are_titles(texts):
        return PersonalKind.PERSON_TITLE
    if are_phones(values):
        return PersonalKind.PHONE
    if are_addresses(texts):
        return PersonalKind.ADDRESS
    people = not thing and are_people(texts, called_so=PersonalKind.PERSON_NAME in weak)
    return PersonalKind.PERSON_NAME if people else None
