"""One field's risk: which kinds of personal or secret data it holds, how sure that is, and which cells surprise."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transformers.findings import Severity
from transformers.profiling.table_profile import Described
from transformers.risk.births import are_births
from transformers.risk.column_kinds import by_column
from transformers.risk.header_words import EVENTS
from transformers.risk.personal_data import PersonalKind, found_within, kind_of_value, masked
from transformers.risk.personal_fields import (
    UNSHOWN,
    WEIGHTS,
    contradicts,
    kinds_by_name,
    names_a_thing,
    weak_kinds_by_name,
    words_of,
)
from transformers.risk.phones import are_phones
from transformers.risk.prose import spoken_of

EXPECTED_SHARE = 0.5  # from here a kind is what the column is for; below, its cells are a surprise
SURE, BY_NAME, SURPRISING = 1.0, 0.75, 0.7  # confidence: form and name, a name alone, a few cells of another column
BY_FORM = 0.9
BY_CONTEXT = 0.6  # a guess from what stands in the other columns
CONTEXT = "context"
LEAST_PHONES = 2  # a phone number has no check digit: one lone find is chance
LEAST_NAMED = 0.01  # of the texts: titles of articles name somebody now and then
LEAST_NAMES = 2  # a lone name in a text may be a product's or a street's
EXAMPLES = 3
GRAVE = 85  # sensitivity from which a single cell is a high risk: cards, accounts, ids, secrets
SENTENCE = 3  # blanks: fewer make a name or a label
SHORTEST_PROSE = 12  # below it a cell is one thing, and was asked as a whole


class KindFound(Described):
    """`share` of the cells read; `by`: value, name, both, or context. Examples are masked."""

    kind: PersonalKind
    by: str
    share: float
    confidence: float
    cells: int
    examples: tuple[str, ...] = ()


class FieldRisk(Described):
    name: str
    score: float
    kinds: tuple[KindFound, ...] = ()


@dataclass(frozen=True)
class Leak:
    """A cell that holds what its column does not."""

    row: int
    column: str
    kind: PersonalKind
    severity: Severity
    masked: str


Found = dict[PersonalKind, list[tuple[int, str]]]


def field_risk(
    name: str,
    cells: Sequence[tuple[int, str]],
    *,
    temporal: bool,
    measured: bool,
    by_value: bool,
    by_name: bool,
) -> tuple[FieldRisk, list[Leak]]:
    """`cells` are (source row, text). Moments and measured numbers are read by their name only."""
    found = _by_value(cells) if by_value and not temporal and not measured else {}
    values = [text for _, text in cells]
    named = [kind for kind in kinds_by_name(name) if not contradicts(kind, values)] if by_name and cells else []
    if by_value and not temporal and not measured:
        found |= by_column(
            cells, named=bool(named), weak=weak_kinds_by_name(name) if by_name else (), thing=names_a_thing(name)
        )
    kinds = [_found(kind, found.get(kind, []), len(cells), named=kind in named) for kind in _ordered(found, named)]
    if temporal and by_value and not kinds and not re.search(EVENTS, words_of(name)) and are_births(values):
        kinds = [
            KindFound(kind=PersonalKind.DATE_OF_BIRTH, by=CONTEXT, share=1.0, confidence=BY_CONTEXT, cells=len(cells))
        ]
    leaks = [leak for kind, where in found.items() if _surprises(kind, kinds) for leak in _leaks(name, kind, where)]
    return scored(name, kinds), leaks


def scored(name: str, kinds: Sequence[KindFound]) -> FieldRisk:
    score = max((WEIGHTS[k.kind].sensitivity * k.confidence for k in kinds), default=0.0)
    return FieldRisk(name=name, score=round(score, 1), kinds=tuple(kinds))


def _surprises(kind: PersonalKind, kinds: Sequence[KindFound]) -> bool:
    """Not where the column is for this kind, or is named for something at least as sensitive."""
    expected = [k.kind for k in kinds if k.share >= EXPECTED_SHARE or k.by != "value"]
    return all(kind is not other and WEIGHTS[other].sensitivity < WEIGHTS[kind].sensitivity for other in expected)


def _ordered(found: Found, named: Iterable[PersonalKind]) -> list[PersonalKind]:
    return sorted({*found, *named}, key=lambda kind: (-WEIGHTS[kind].sensitivity, kind))


def _by_value(cells: Sequence[tuple[int, str]]) -> Found:
    found: Found = defaultdict(list)
    known: dict[str, list[tuple[PersonalKind, str]]] = {}
    for row, text in cells:
        if text not in known:
            known[text] = _kinds_in(text)
        for kind, words in known[text]:
            found[kind].append((row, words))
    return {kind: where for kind, where in found.items() if not _by_chance(kind, where, cells)}


def _kinds_in(text: str) -> list[tuple[PersonalKind, str]]:
    whole = kind_of_value(text)
    if whole is not None:
        return [(whole, text)]
    if len(text) < SHORTEST_PROSE:
        return []
    said = spoken_of(text) if text.count(" ") >= SENTENCE else ()
    return list(dict.fromkeys((*found_within(text), *said)))


def _by_chance(kind: PersonalKind, where: Sequence[tuple[int, str]], cells: Sequence[tuple[int, str]]) -> bool:
    """One digit string in ten passes Luhn's test: among others of its length a few cards are no cards."""
    few = len({row for row, _ in where}) < EXPECTED_SHARE * len(cells)
    if kind is PersonalKind.CREDIT_CARD and few:
        alike = sum(re.fullmatch(r"\d[\d -]{10,22}", text) is not None for _, text in cells)
        return alike > 2 * len(where)
    if kind is PersonalKind.IP_ADDRESS and few:
        return True  # version numbers, sections of a law
    if kind is PersonalKind.PERSON_NAME:
        return len(where) < max(LEAST_NAMES, LEAST_NAMED * len(cells))
    if kind is not PersonalKind.PHONE:
        return False
    if _are_codes(cells):
        return not are_phones(list(dict.fromkeys(text for _, text in cells)))
    return few and len(where) < LEAST_PHONES


def _are_codes(cells: Sequence[tuple[int, str]]) -> bool:
    """Whether most cells are digits with marks between them, as part numbers and references are."""
    codes = sum(re.fullmatch(r"[\d(][\d ()./-]+", text) is not None for _, text in cells)
    return codes > EXPECTED_SHARE * len(cells)


def _found(kind: PersonalKind, where: Sequence[tuple[int, str]], read: int, *, named: bool) -> KindFound:
    rows = len({row for row, _ in where})
    share = rows / read if read else 0.0
    if share >= EXPECTED_SHARE:
        confidence = SURE if named else BY_FORM
    else:
        confidence = max(BY_NAME if named else 0.0, SURPRISING if where else 0.0)
    by = "both" if named and where else "name" if named else "value"
    examples = [_shown(kind, words) for words in dict.fromkeys(words for _, words in where)][:EXAMPLES]
    return KindFound(
        kind=kind, by=by, share=round(share, 4), confidence=confidence, cells=rows, examples=tuple(examples)
    )


def _leaks(name: str, kind: PersonalKind, where: Sequence[tuple[int, str]]) -> list[Leak]:
    severity = Severity.HIGH if WEIGHTS[kind].sensitivity >= GRAVE else Severity.MEDIUM
    first: Counter[int] = Counter()
    leaks = []
    for row, words in where:
        first[row] += 1
        if first[row] == 1:  # a cell counts once a kind
            leaks.append(Leak(row=row, column=name, kind=kind, severity=severity, masked=_shown(kind, words)))
    return leaks


def _shown(kind: PersonalKind, words: str) -> str:
    """Of a secret not even its length."""
    return UNSHOWN if kind in {PersonalKind.PASSWORD, PersonalKind.SECRET} else masked(words)
