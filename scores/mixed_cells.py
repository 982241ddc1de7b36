"""Columns of dates and of numbers, written in many shapes by seeded dice, with the values that are meant."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

ROWS = 20_000
FIRST, LAST = date(1950, 1, 1), date(2024, 12, 31)


@dataclass(frozen=True)
class MixedColumn:
    name: str
    cells: list[str]
    meant: list[str]  # what a fixer should write; the cell itself where it is no date or number


Shape = Callable[[date], str]
SHAPES: dict[str, Shape] = {
    "iso": lambda day: day.isoformat(),
    "slashed iso": lambda day: f"{day.year}/{day.month}/{day.day}",
    "named": lambda day: f"{day:%d %b %Y}",
    "named month first": lambda day: f"{day:%B} {day.day}, {day.year}",
    "named with dashes": lambda day: f"{day:%d-%b-%Y}",
    "long": lambda day: f"{day:%A}, {day.day}{_th(day.day)} of {day:%B %Y}",
    "compact": lambda day: f"{day:%Y%m%d}",
    "dots": lambda day: f"{day:%d.%m.%Y}",
}
DAY_FIRST: dict[str, Shape] = {
    "slashes": lambda day: f"{day:%d/%m/%Y}",
    "short": lambda day: f"{day.day}/{day.month}/{day.year}",
}
MONTH_FIRST: dict[str, Shape] = {
    "slashes": lambda day: f"{day:%m/%d/%Y}",
    "short": lambda day: f"{day.month}/{day.day}/{day.year}",
}
NO_DATES = ("soon", "2024-02-30", "31/31/2024", "after lunch")


def _th(day: int) -> str:
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10 if day not in (11, 12, 13) else 0, "th")


def mixed_dates(seed: int) -> list[MixedColumn]:
    dice = random.Random(seed)
    return [
        _dates(dice, "mixed shapes, day first", SHAPES | DAY_FIRST),
        _dates(dice, "mixed shapes, month first", SHAPES | MONTH_FIRST),
        _dates(dice, "day first", DAY_FIRST),
        _dates(dice, "month first", MONTH_FIRST),
        _dates(dice, "two-digit years", {"short years": lambda day: f"{day:%d/%m/%y}", "iso": SHAPES["iso"]}),
        _dates(dice, "with words", SHAPES | DAY_FIRST, words=True),
        _moments(dice),
    ]


def _dates(dice: random.Random, name: str, shapes: dict[str, Shape], *, words: bool = False) -> MixedColumn:
    cells, meant = [], []
    span = (LAST - FIRST).days
    for _ in range(ROWS):
        day = FIRST + timedelta(days=dice.randrange(span))
        cell = dice.choice(list(shapes.values()))(day)
        value = day.isoformat()
        if words and dice.random() < 0.05:
            cell = value = dice.choice(NO_DATES)
        cells.append(cell)
        meant.append(value)
    return MixedColumn(name, cells, meant)


def _moments(dice: random.Random) -> MixedColumn:
    """Times of day too: ISO with T and zones, a twelve-hour clock, seconds since 1970, Excel's serial days."""
    cells, meant = [], []
    for _ in range(ROWS):
        moment = datetime(2001, 9, 10, tzinfo=UTC) + timedelta(minutes=dice.randrange(20 * 365 * 24 * 60))
        plain = f"{moment:%Y-%m-%d %H:%M:%S}"
        serial = (moment.replace(tzinfo=None) - datetime(1899, 12, 30)).total_seconds() / 86400  # noqa: DTZ001
        cell, value = dice.choice((
            (f"{moment:%Y-%m-%dT%H:%M:%SZ}", plain + "+00:00"),
            (f"{moment:%Y-%m-%d %H:%M:%S}+0200", plain + "+02:00"),
            (f"{moment:%d/%m/%Y %I:%M %p}", plain),
            (f"{moment:%d %b %Y %H:%M}", plain),
            (str(int(moment.timestamp())), plain),
            (f"{serial:.9f}", plain),
        ))  # fmt: skip
        cells.append(cell)
        meant.append(value)
    return MixedColumn("with times, zones, epochs and serials", cells, meant)


EURO, DOLLAR = ("€", "EUR"), ("$", "USD")
WRITTEN = (  # name, what groups thousands, what comes before the decimals, the currencies
    ("decimal points", ",", ".", (DOLLAR,)),
    ("decimal commas", ".", ",", (EURO,)),
    ("blanks", " ", ",", (EURO,)),
    ("two currencies", ",", ".", (DOLLAR, EURO)),
)


def mixed_numbers(seed: int) -> list[MixedColumn]:
    """Of two currencies in one column neither may be dropped: such cells are meant to stay."""
    dice = random.Random(seed)
    columns = []
    for name, group, point, currencies in WRITTEN:
        pairs = [_number(dice, _value(dice), group, point, currencies) for _ in range(ROWS)]
        columns.append(MixedColumn(name, [cell for cell, _ in pairs], [meant for _, meant in pairs]))
    return columns


def _value(dice: random.Random) -> float:
    return round(dice.choice((1, 100, 1e5)) * dice.random() * dice.choice((1, 1, -1)), dice.choice((0, 1, 2)))


def _number(
    dice: random.Random, value: float, group: str, point: str, currencies: Sequence[tuple[str, str]]
) -> tuple[str, str]:
    """The cell, and what is meant to stand there."""
    places = dice.choice((0, 2)) if value.is_integer() else 2
    if abs(value) < 0.5 * 10**-places:
        value = 0.0
    plain = f"{value:.{places}f}"
    body = f"{abs(value):,.{places}f}".replace(",", "\0").replace(".", point).replace("\0", group)
    sign = "-" if value < 0 else ""
    if dice.random() < 0.03:
        word = dice.choice(("n.s.", "see note", "12 or 13"))
        return word, word
    if dice.random() < 0.4:
        mark, code = dice.choice(currencies)
        cell = dice.choice((f"{sign}{mark}{body}", f"{sign}{body} {mark}", f"{code} {sign}{body}"))
        return cell, plain if len(currencies) == 1 else cell
    return dice.choice([sign + body, *([f"({body})", f"{body}-"] if sign else [f"+{body}"])]), plain
