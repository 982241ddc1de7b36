"""Made persons whose columns tell each other, and faults in what is told: keys of one and of two columns, by a seed."""

import csv
import random
from pathlib import Path

from scores.planted_errors import Planted

ROWS = 20_000
SHARE = 0.005  # of the cells of each column that is told, or tells
LETTERS = "ABCDEFGHIJ"
HEADER = ("first", "last", "area_code", "phone", "city", "state", "zip", "marital", "child", "salary", "exempt",
          "child_exempt")  # fmt: skip
FAULTY = ("city", "state", "zip", "exempt", "child_exempt")


def taxpayers(folder: Path, seed: int) -> Planted:
    chance = random.Random(seed)  # a seed, no secret
    rows = _persons(chance)
    path = folder / f"taxpayers-{seed}.csv"
    faults: dict[tuple[int, str], tuple[str, str]] = {}
    for at, row in enumerate(rows):
        for name in FAULTY:
            place = HEADER.index(name)
            if chance.random() < SHARE:
                wrong = f"{row[place]}-*" if name == "city" else chance.choice(rows)[place]
                if wrong != row[place]:
                    faults[at + 1, name] = ("mark" if name == "city" else "swap", row[place])
                    row[place] = wrong
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return Planted(path, faults)


def _persons(chance: random.Random) -> list[list[str]]:
    """A zip lies in a city and a state, an area code in a state; two columns together set an exemption."""
    states = [a + b for a in LETTERS for b in "KLMNP"]
    cities = {f"{10000 + i * 37}": f"TOWN{chr(65 + i % 26)}{chr(65 + i // 26)}VILLE" for i in range(700)}
    zips = {state: [z for i, z in enumerate(cities) if i * 7 % 50 == n] for n, state in enumerate(states)}
    zips = {state: found or list(cities)[:1] for state, found in zips.items()}
    exempt = {(s, m): str(chance.randrange(6) * 500 + chance.randrange(9) * 11) for s in states for m in "SM"}
    child = {(s, c): str(chance.randrange(5) * 300) for s in states for c in "YN"}
    rows = []
    for _ in range(ROWS):
        at = chance.randrange(len(states))
        state, marital, has_child = states[at], chance.choice("SM"), chance.choice("YN")
        code = chance.choice(zips[state])
        names = [f"Fn{chance.randrange(900)}", f"Ln{chance.randrange(3000)}", str(200 + at + 50 * chance.randrange(3))]
        phone = f"{chance.randrange(100, 999)}-{chance.randrange(1000, 9999)}"
        told = [exempt[state, marital], child[state, has_child]]
        salary = str(chance.randrange(1, 20) * 5000)
        rows.append([*names, phone, cities[code], state, code, marital, has_child, salary, *told])
    return rows
