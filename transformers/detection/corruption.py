"""One character that stands where many others should: learned from cells whose right value is known, used everywhere.

Where pairs of wrong and right values, found by other rules, differ by one and the same character in place of many
different ones, it is a systematic corruption: any cell with it may be wrong, and it reads as a blank to be filled.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from transformers.detection.conclusions import places_of
from transformers.detection.workbench import EVIDENCE, READ, Doubt, Workbench
from transformers.tables import SOURCE_ROW

MIN_PAIRS = 10
MIN_REPLACED = 5  # different characters that it stands for
MIN_SHARE = 0.5  # of the pairs of equal length are explained by it alone
MOST_PAIRS = 5000
COMMON_SHAPE = 0.03  # of a column's cells: a shape in use
MAX_SHAPED = 60  # characters: longer text has no shape
BEYOND_CHANCE = 0.5


def look(bench: Workbench) -> None:
    for character, share in corrupting(_pairs(bench)):
        for place in sorted(bench.values):
            values = bench.values[place]
            doubts = [d for d in _doubts(values, character, share) if d]
            bench.doubt_texts(place, "corruption", f"character:{character}", doubts)


def _pairs(bench: Workbench) -> list[tuple[str, str]]:
    """Cells and what other rules would rather read there."""
    pairs: list[tuple[str, str]] = []
    told = f"(SELECT place FROM {EVIDENCE} WHERE confidence >= 0.5 AND suggestion IS NOT NULL)"
    for place in places_of(bench, told):
        pairs += bench.db.execute(
            f"SELECT DISTINCT c{place}, suggestion FROM {EVIDENCE} JOIN {READ} ON {SOURCE_ROW} = source_row"
            f" WHERE place = {place} AND confidence >= 0.5 AND suggestion IS NOT NULL AND c{place} IS NOT NULL"
            f" AND length(suggestion) = length(c{place}) AND suggestion <> c{place} ORDER BY ALL LIMIT {MOST_PAIRS}"
        ).fetchall()
    return pairs


def corrupting(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, float]]:
    """Characters that explain at least half of the pairs, with their share."""
    explained: Counter[str] = Counter()
    replaced: dict[str, set[str]] = {}
    count = 0
    for wrong, right in pairs:
        differing = [(w, r) for w, r in zip(wrong, right, strict=True) if w != r]
        count += 1
        if len({w for w, _ in differing}) == 1 and len(differing) * 2 <= len(wrong) + 1:
            explained[differing[0][0]] += 1
            replaced.setdefault(differing[0][0], set()).update(r for _, r in differing)
    return [
        (c, n / count)
        for c, n in sorted(explained.items())
        if n >= MIN_PAIRS and n >= MIN_SHARE * count and len(replaced[c]) >= MIN_REPLACED
    ]


def _doubts(values: Mapping[str, int], character: str, share: float) -> Iterable[Doubt | None]:
    """Texts that read as another value, or as a shape of the column, once the character is taken for a blank."""
    texts = [v for v in values if character in v]
    if not texts or sum(values[v] for v in texts) > BEYOND_CHANCE * sum(values.values()):
        return
    by_length: dict[int, list[str]] = {}
    for value in values:
        by_length.setdefault(len(value), []).append(value)
    shapes = _shapes(values)
    for text in texts:
        read = [v for v in by_length[len(text)] if values[v] >= values[text] and _reads_as(text, v, character)]
        if read:
            best = max(read, key=lambda v: (values[v], v))
            yield _known(text, best, values, read, share)
        elif _shape(text) not in shapes and any(_reads_as(_masked(text, character), s, character) for s in shapes):
            yield Doubt(text, None, confidence=share)


def _known(text: str, best: str, values: Mapping[str, int], read: list[str], share: float) -> Doubt | None:
    confidence = share * values[best] / (values[best] + values[text] * 0.5)
    return Doubt(text, best, confidence, certainty=share * values[best] / sum(values[v] for v in read))


def _reads_as(text: str, value: str, character: str) -> bool:
    """The one blank kind of character differs, and nothing else."""
    if len(text) != len(value) or text == value:
        return False
    return all(t == v or (t == character and v != character) for t, v in zip(text, value, strict=True))


def _masked(text: str, character: str) -> str:
    return "".join(c if c == character else _shape(c) for c in text)


def _shape(text: str) -> str:
    return "".join("9" if c.isdigit() else "A" if c.isalpha() else c for c in text)


def _shapes(values: Mapping[str, int]) -> set[str]:
    counts: Counter[str] = Counter()
    for value, n in values.items():
        if len(value) <= MAX_SHAPED:
            counts[_shape(value)] += n
    every = sum(counts.values())
    return {shape for shape, n in counts.items() if n >= COMMON_SHAPE * every}
