"""Made tables that are right, and look as if they were not: whatever is put right in them is corrupted.

Mixed units and currencies, seats and flight codes, panels (product × month, SKU × store), dates whose order nobody
told, decimal commas, "none" as an answer, times with dates and zones. Each is drawn by a seed.
"""

import csv
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

Columns = dict[str, list[str]]
Rows = list[tuple[str, ...]]
ROWS = 200


def unusual_tables(folder: Path, seed: int) -> Iterator[tuple[str, Path]]:
    for name, made in MADE.items():
        columns = made(random.Random(seed))
        path = folder / f"{name}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
        yield name, path


def _some(chance: random.Random, most: str, few: str, share: float, numbers: range) -> list[str]:
    """Numbers written as `most`, a share of them as `few`."""
    return [(few if chance.random() < share else most).format(chance.choice(numbers)) for _ in range(ROWS)]


def _currencies(chance: random.Random) -> Columns:
    return {
        "price": _some(chance, "${}", "€{}", 0.1, range(5, 90)),
        "paid": _some(chance, "USD {}", "EUR {}", 0.3, range(5, 90)),
        "fee": _some(chance, "{} GBP", "{} CHF", 0.05, range(1, 9)),
    }


def _units(chance: random.Random) -> Columns:
    units = ("kg", "g", "lb", "oz")
    return {
        "weight": _some(chance, "{} kg", "{} lb", 0.1, range(40, 120)),
        "dose": _some(chance, "{} mg", "{} mcg", 0.1, range(5, 50)),
        "salt": _some(chance, "{} mg", "{} g", 0.2, range(1, 40)),
        "pack": [f"{chance.randrange(1, 30)} {chance.choice(units)}" for _ in range(ROWS)],
        "length": [f"{chance.randrange(1, 9)}{chance.choice(('m', 'cm', 'mm'))}" for _ in range(ROWS)],
    }


def _codes(chance: random.Random) -> Columns:
    return {
        "seat": [f"{chance.randrange(1, 40)}{chance.choice('ABCDEF')}" for _ in range(ROWS)],
        "seat_of_few": [f"{chance.randrange(1, 40)}{'E' if chance.random() < 0.9 else 'F'}" for _ in range(ROWS)],
        "flight": _some(chance, "AA{}", "UA{}", 0.1, range(100, 999)),
        "house": [f"{chance.randrange(1, 90)}{chance.choice(('', '', '', 'a', 'bis'))}" for _ in range(ROWS)],
        "size": [f"{chance.randrange(36, 46)}{chance.choice(('EU', 'EU', 'EU', 'UK'))}" for _ in range(ROWS)],
    }


def _months(chance: random.Random) -> Columns:
    """A price that changes once; a plan that is changed later by some; a manager who follows another."""
    rows: Rows = []
    for product in range(60):
        change = chance.randrange(1, 12)
        price = chance.randrange(500, 9000)
        people, plans = chance.sample(range(40), 2), chance.sample(range(24), 2)
        for month in range(12):
            new = month >= change and product % 4 > 0
            late = month >= 12 - product % 3
            manager, plan = f"manager {people[new]}", f"plan {plans[late]}"
            rows.append((f"P{product}", f"2024-{month + 1:02d}", f"{(price + 37 * new) / 100:.2f}", manager, plan))
    return _of_rows(("product", "month", "price", "manager", "plan"), rows)


def _stores(chance: random.Random) -> Columns:
    """Two of eight stores are cheaper, and have suppliers of their own."""
    rows: Rows = []
    for sku in range(80):
        price, supplier = chance.randrange(500, 9000), chance.randrange(30)
        for store in range(8):
            own = store >= 6
            rows.append(
                (f"SKU{sku}", f"store {store}", f"{price * (90 if own else 100) // 100}", f"s{supplier + 40 * own}")
            )
    return _of_rows(("sku", "store", "price", "supplier"), rows)


def _seasons(chance: random.Random) -> Columns:
    """All prices rise in the last month; some products change hands in it."""
    rows: Rows = []
    for product in range(60):
        price, owner = chance.randrange(500, 9000), chance.randrange(25)
        for month in range(12):
            last = month == 11
            rows.append(
                (f"P{product}", f"{month + 1}", f"{price * (110 if last else 100) // 100}",
                 f"owner {(owner + (7 if last and product % 3 == 0 else 0)) % 25}")
            )  # fmt: skip
    return _of_rows(("product", "month", "price", "owner"), rows)


def _dates(chance: random.Random) -> Columns:
    first = [f"01/{chance.randrange(1, 13):02d}/2024" for _ in range(ROWS)]
    born = [date(1930, 1, 1) + timedelta(days=chance.randrange(25000)) for _ in range(ROWS)]
    return {
        "period": ["2024-03-01" if chance.random() < 0.1 else text for text in first],
        "born": [f"{day:%m/%d/%Y}" if chance.random() < 0.1 else f"{day:%m/%d/%y}" for day in born],
    }


def _times(chance: random.Random) -> Columns:
    def time() -> str:
        return f"{chance.randrange(24):02d}:{chance.randrange(60):02d}"

    rare = (lambda: f"2024-03-{chance.randrange(1, 29):02d} {time()}", lambda: f"{time()} UTC+5")
    halves = [f"{chance.randrange(1, 13)}:{chance.randrange(10, 60)}" for _ in range(ROWS)]
    return {
        "departs": [chance.choice(rare)() if chance.random() < 0.1 else time() for _ in range(ROWS)],
        "arrives": [text if chance.random() < 0.1 else f"{text} {chance.choice('ap')}m" for text in halves],
    }


def _commas(chance: random.Random) -> Columns:
    return {
        "litres": [f"{chance.randrange(10)},{chance.choice((125, 250, 500))}" if chance.random() < 0.2 else
                   str(chance.randrange(1, 9) * (1000 if chance.random() < 0.2 else 1)) for _ in range(ROWS)],
        "dose": ["0,500" if chance.random() < 0.1 else str(chance.randrange(1000, 3000)) for _ in range(ROWS)],
    }  # fmt: skip


def _answers(chance: random.Random) -> Columns:
    allergies = ("none", "pollen", "nuts", "penicillin")
    return {
        "allergy": [chance.choice(allergies) if chance.random() < 0.8 else "None" for _ in range(ROWS)],
        "middle_name": ["" if chance.random() < 0.5 else f"name {chance.randrange(50)}" for _ in range(ROWS)],
        "note": ["" if chance.random() < 0.7 else f"note {chance.randrange(999)}" for _ in range(ROWS)],
    }


def _of_rows(names: tuple[str, ...], rows: Rows) -> Columns:
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


MADE: dict[str, Callable[[random.Random], Columns]] = {
    "currencies": _currencies,
    "units": _units,
    "codes": _codes,
    "product-month": _months,
    "sku-store": _stores,
    "last-month": _seasons,
    "dates": _dates,
    "times": _times,
    "decimal-commas": _commas,
    "answers": _answers,
}
