"""Rare values a slip away from a frequent one of the same column.

Slips are insertions, deletions, replacements and swaps of letters; where digits differ it is another number. How much
nearness proves is measured on the column itself: where frequent values lie as near to each other, it proves little.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from transformers.detection.company import in_company
from transformers.detection.workbench import READ, Doubt, Workbench

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_RARE, MOST_FREQUENT = 4000, 1000  # values of a column that are compared
FREQUENT = 5  # times at least, and as many times the rare one
SHORTEST = 4  # letters; in a shorter word another letter is another word
NUMERAL = re.compile("[IVXLC]+|[A-Za-z]")  # a number, or a letter that counts
LONG_TEXT = 12  # letters: one slip in so many is one, in however short a word
LETTERS_A_SLIP = 6
MOST_SLIPS = 3
INFLECTED = 0.6  # what nearness is worth between forms of a word
CROWDED = 0.25  # of the frequent values are near another one: nearness proves nothing


def look(bench: Workbench) -> None:
    for place in sorted(bench.values):
        values = bench.read_values(place)
        doubts = list(slips(values)) if len(values) > 1 else []
        known = in_company(bench, place, doubts)
        bench.doubt_texts(place, "typo", "near_frequent_value", known, source=READ)


def slips(values: Mapping[str, int]) -> Sequence[Doubt]:
    by_count = _by_count(values)
    frequent = list(islice((v for v, n in by_count if n >= FREQUENT and _is_word(v)), MOST_FREQUENT))
    if not frequent:
        return []
    rare = list(islice((v for v, n in reversed(by_count) if n < FREQUENT * 4 and _is_word(v)), MOST_RARE))[::-1]
    if not rare:
        return []
    crowd = _crowding(frequent)
    if crowd > CROWDED:
        return []
    return [d for d in (_slip(v, near, values, crowd) for v, near in _near(rare, frequent)) if d]


def _by_count(values: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(values.items(), key=lambda item: (-item[1], item[0]))


def _is_word(text: str) -> bool:
    return len(text) >= SHORTEST and sum(map(str.isalpha, text)) * 2 > len(text)


def _near(rare: Sequence[str], frequent: Sequence[str]) -> list[tuple[str, list[tuple[str, int]]]]:
    found = []
    distances = _distances(rare, frequent)
    for place, text in enumerate(rare):
        most = min(MOST_SLIPS, len(text) // LETTERS_A_SLIP + 1)
        near = [(frequent[i], int(distances[place, i])) for i in (distances[place] <= most).nonzero()[0]]
        found.append((text, [(f, d) for f, d in near if f != text]))
    return found


def _distances(rows: Sequence[str], columns: Sequence[str]) -> "NDArray[np.uint8]":
    import numpy as np
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import cdist

    return cdist(rows, columns, scorer=OSA.distance, score_cutoff=MOST_SLIPS, dtype=np.uint8)


def _crowding(frequent: Sequence[str]) -> float:
    """The share of the frequent values that lie as near to another frequent one."""
    near = _near(frequent, frequent)
    return sum(bool(others) for _, others in near) / len(frequent)


def _slip(text: str, near: Sequence[tuple[str, int]], values: Mapping[str, int], crowd: float) -> Doubt | None:
    likely = [
        (f, d)
        for f, d in near
        if values[f] >= FREQUENT * values[text] and _digits(f) == _digits(text) and _slips_in_words(text, f, d)
    ]
    if not likely:
        return None
    right, distance = min(likely, key=lambda found: (found[1], -values[found[0]], found[0]))
    ratio = values[right] / (values[right] + FREQUENT * values[text])
    shared = 1 - distance / len(text)
    rivals = sum(1 for _, d in likely if d == distance)
    confidence = ratio * (1 - crowd) * shared * (INFLECTED if _is_inflection(text, right) else 1.0)
    return Doubt(text, right, confidence, certainty=(1 - crowd) / rivals)


def _slips_in_words(text: str, other: str, distance: int) -> bool:
    """Each word by itself is a slip away: "Dark" and "Pale" are not, whatever stands around them."""
    words, others = text.split(), other.split()
    if len(words) != len(others):
        return distance == 1
    differing = [(w, o) for w, o in zip(words, others, strict=True) if w != o]
    if any(NUMERAL.fullmatch(word) for pair in differing for word in pair):
        return False  # "Vol. I" and "Vol. II"
    if distance == 1 and len(text) >= LONG_TEXT:
        return True
    return all(len(w) >= SHORTEST and _distance(w, o) <= len(w) // LETTERS_A_SLIP + 1 for w, o in differing)


def _distance(word: str, other: str) -> int:
    from rapidfuzz.distance import OSA

    return int(OSA.distance(word, other))


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _is_inflection(text: str, other: str) -> bool:
    """Beer and beers: another form of a word rather than a slip."""
    longer, shorter = (text, other) if len(text) > len(other) else (other, text)
    return longer.startswith(shorter)
