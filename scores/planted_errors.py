"""Faults planted, by a seed, in tables that are taken to be right: what public benchmarks happen not to hold.

Only faults that the table itself can show: slips in words, values of other rows where rows that agree otherwise have
one value, cells emptied there, another unit in a column of numbers, words for nothing beside blanks.
"""

import csv
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from transformers.dependencies.agreement import agreement, coded

SHARE = 0.01  # of a column's cells, for each kind of fault that it can have
MAX_ROWS = 5000
REPEATED = 0.5  # of the cells hold a value that occurs at least FAMILIAR times: a slip can be told from it
FAMILIAR = 6
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Planted:
    """`faults`: (row from 1, column) → (kind, right value)."""

    path: Path
    faults: Mapping[tuple[int, str], tuple[str, str]]


def plant(clean: Path, folder: Path, seed: int, delimiter: str = ",") -> Planted:
    with clean.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file, delimiter=delimiter))[: MAX_ROWS + 1]
    rows = [[cell.strip() for cell in row] for row in rows if len(row) == len(header)]
    header = [name.strip() for name in header]
    chance = random.Random(seed)
    faults: dict[tuple[int, str], tuple[str, str]] = {}
    for place, name in enumerate(header):
        for kind in _kinds(rows, place):
            for at in sorted(chance.sample(range(len(rows)), max(1, int(len(rows) * SHARE)))):
                right = rows[at][place]
                wrong = _wrong(kind, right, rows, place, chance)
                if right and wrong != right and (at + 1, name) not in faults:
                    faults[at + 1, name] = (kind, right)
                    rows[at][place] = wrong
    path = folder / f"planted-{seed}-{clean.name}"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return Planted(path, faults)


def _kinds(rows: list[list[str]], place: int) -> Iterator[str]:
    cells = [row[place] for row in rows]
    counts = {cell: cells.count(cell) for cell in set(cells)}
    words = sum(any(c.isalpha() for c in cell) and len(cell) > len("empty") for cell in cells) / len(cells)
    repeated = sum(n for cell, n in counts.items() if n >= FAMILIAR) / len(cells)
    if words > REPEATED and repeated > REPEATED:
        yield "typo"
    if _is_told(rows, place) and len(counts) > 2:
        yield from ("swap", "emptied")
    if sum(_is_number(cell) for cell in cells) > 0.9 * len(cells) and len(counts) > FAMILIAR:
        yield "unit"


def _is_told(rows: list[list[str]], place: int) -> bool:
    """Some other column tells this one without exception, in groups of some size."""
    import numpy as np

    own = coded(np.array([row[place] for row in rows])) * 1
    for other in range(len(rows[0])):
        if other != place:
            known = agreement(coded(np.array([row[other] for row in rows])), own)
            if known.error == 0 and known.confidence == 1 and known.support >= 4 * known.groups > FAMILIAR:
                return known.support > 0.5 * len(rows)
    return False


def _wrong(kind: str, right: str, rows: list[list[str]], place: int, chance: random.Random) -> str:
    if kind == "typo":
        return _slip(right, chance)
    if kind == "swap":
        return chance.choice(rows)[place]
    return "" if kind == "emptied" else f"{right} kg"


def _slip(word: str, chance: random.Random) -> str:
    letters = [i for i, c in enumerate(word) if c.isalpha()]
    if len(letters) < 5:
        return word
    at = chance.choice(letters)
    kind = chance.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + chance.choice(LETTERS) + word[at:]
    if kind == 2:
        return word[:at] + chance.choice(LETTERS) + word[at + 1 :]
    return word[:at] + word[at : at + 2][::-1] + word[at + 2 :]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
