"""Columns onto the standard schema: by what they are called and by what they hold, with a confidence.

The name's evidence is how near it comes to a synonym; the values' is whether they are what the field's values look
like. Either can speak alone, together they confirm, and values that contradict the name halve it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from transformers.cells.columns import Column, LogicalType
from transformers.cells.semantic_types import SemanticType as Semantic
from transformers.mastering.names import words_of
from transformers.mastering.vocabulary import FIELDS, StandardField

SAME_WORDS = 0.95  # the very words of a synonym; what is short of certain is that words have other meanings too
QUALIFIED = 0.75  # a synonym and more words: ship_city is a city, of some kind
ALIKE = 0.85  # letters in common (Jaro-Winkler) from which a name may be a synonym misspelled
ALIKE_WORTH = 0.8  # what such a likeness is worth
BY_VALUE = 0.8  # an address with an @ is an e-mail whatever the column is called; shared among the fields it may be
TELLING = (Semantic.EMAIL, Semantic.URL, Semantic.IBAN)  # a field whose values do not look like these is not it
CONTRADICTED = 0.5
SHORTEST_ALIKE = 5  # letters: shorter words resemble each other by chance


@dataclass(frozen=True)
class ColumnMapping:
    """A column and the standard field that it is. `why` says what spoke for it."""

    column: str
    field: str
    confidence: float
    why: str


def map_columns(columns: Sequence[Column], given: Mapping[str, str]) -> list[ColumnMapping]:
    """At most one column a field, the most confident first; what the customer has given is certain."""
    found = [ColumnMapping(column, field, 1.0, "given") for column, field in given.items()]
    taken, fields = set(given), set(given.values())
    every = [candidate for column in columns for candidate in _candidates(column)]
    place = {column.name: i for i, column in enumerate(columns)}
    for candidate in sorted(every, key=lambda one: (-one.confidence, place[one.column], one.field)):
        if candidate.column not in taken and candidate.field not in fields:
            taken.add(candidate.column)
            fields.add(candidate.field)
            found.append(candidate)
    return sorted(found, key=lambda one: place.get(one.column, len(place)))


def _candidates(column: Column) -> Iterator[ColumnMapping]:
    words = words_of(column.name)
    for field in FIELDS:
        by_name, why = _name_evidence(words, field)
        by_value = column.semantic is not None and column.semantic in field.meaning
        contradicted = not _can_be(column, field)
        confidence = by_name * (CONTRADICTED if contradicted else 1.0)
        if by_value and not contradicted:
            confidence = 1 - (1 - confidence) * (1 - BY_VALUE / _fields_of(column.semantic))
            why = f"{why}, values" if why else "values"
        if confidence > 0:
            yield ColumnMapping(column.name, field.name, round(confidence, 4), why)


def _can_be(column: Column, field: StandardField) -> bool:
    if column.logical is LogicalType.EMPTY:
        return True
    if column.semantic not in field.meaning and any(meaning in TELLING for meaning in field.meaning):
        return False
    if column.semantic is not None and _CLAIMED.get(column.semantic, field.name) != field.name:
        return column.semantic in field.meaning
    return column.logical in field.types


def _fields_of(meaning: Semantic | None) -> int:
    return sum(1 for field in FIELDS if meaning in field.meaning)


_CLAIMED: Mapping[object, str] = MappingProxyType({meaning: one.name for one in FIELDS for meaning in one.meaning})


def _name_evidence(words: Sequence[str], field: StandardField) -> tuple[float, str]:
    """The best of the synonyms, and why."""
    best, why = 0.0, ""
    for synonym in field.synonyms:
        known = _nearness(words, words_of(synonym))
        if known > best:
            best, why = known, f"name is {synonym!r}" if known == SAME_WORDS else f"name resembles {synonym!r}"
    return best, why


def _nearness(words: Sequence[str], synonym: Sequence[str]) -> float:
    from rapidfuzz.distance import JaroWinkler

    name, known = "".join(words), "".join(synonym)
    if not name:
        return 0.0
    if name == known:
        return SAME_WORDS
    if len(known) > 2 and _holds(words, synonym):  # noqa: PLR2004 - "id" is part of too many names
        return QUALIFIED * len(known) / len(name)
    if min(len(name), len(known)) < SHORTEST_ALIKE:
        return 0.0
    alike = JaroWinkler.normalized_similarity(name, known)
    return alike * ALIKE_WORTH if alike >= ALIKE else 0.0


def _holds(words: Sequence[str], synonym: Sequence[str]) -> bool:
    """Whether the name ends in the synonym: what comes last says what the column is."""
    return len(words) > len(synonym) and list(words[-len(synonym) :]) == list(synonym)
