"""Dates: the one format most cells of a column share, and the same day written in another."""

import re
from collections.abc import Mapping
from datetime import date

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NUMBERS = re.compile(r"([0-9]{1,4})([-/.])([0-9]{1,2})\2([0-9]{1,4})")
NAMED = re.compile(r"([0-9]{1,2})[ -]([A-Za-z]{3,9})[ -,]+([0-9]{4})|([A-Za-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4})")
YEAR_DIGITS = 4
MIN_TOLD = 3  # days beyond the 12th, for the order of the others to be known
CONTRADICTED = 0.02  # of these: more the other way round, and a column holds both orders
PIVOT = 69  # 69 is 1969, 68 is 2068: POSIX's rule for two digits


def date_format(text: str) -> str | None:
    """The order, the separator, the digits of the year ("ymd-", "dmy/4", "mdy/2") or "named"; None for no date.

    A day up to 12 may be a month: such a text has the format "??/4".
    """
    found = NUMBERS.fullmatch(text)
    if not found:
        return "named" if _named(text) else None
    first, separator, second, third = found.groups()
    if len(first) == YEAR_DIGITS:
        return f"ymd{separator}" if _date(int(first), int(second), int(third)) else None
    if len(third) not in {2, YEAR_DIGITS} or len(first) > 2:  # noqa: PLR2004
        return None
    orders = [o for o, (d, m) in (("dmy", (first, second)), ("mdy", (second, first))) if _date(2000, int(m), int(d))]
    if not orders:
        return None
    return f"{orders[0] if len(orders) == 1 else '??'}{separator}{len(third)}"


def read_date(text: str, order: str) -> date | None:
    """`order` "dmy" or "mdy" settles what the text leaves open."""
    found = NUMBERS.fullmatch(text)
    if not found:
        return _named(text)
    first, _, second, third = found.groups()
    if len(first) == YEAR_DIGITS:
        return _date(int(first), int(second), int(third))
    year = int(third) if len(third) == YEAR_DIGITS else int(third) + (1900 if int(third) >= PIVOT else 2000)
    day, month = (first, second) if order == "dmy" else (second, first)
    return _date(year, int(month), int(day))


def write_date(day: date, written: str, *, padded: bool) -> str | None:
    """In the format `written`; None where it is not one of numbers."""
    if written == "named":
        return None
    separator = written[3]
    d, m = (f"{day.day:02d}", f"{day.month:02d}") if padded else (str(day.day), str(day.month))
    if written.startswith("ymd"):
        return separator.join((f"{day.year:04d}", m, d))
    year = f"{day.year:04d}" if written.endswith("4") else f"{day.year % 100:02d}"
    return separator.join((d, m, year) if written.startswith("dmy") else (m, d, year))


def rewritten(text: str, form: str, *, padded: bool) -> str | None:
    """The same day in the format `form`; the text itself where it has it; None where either leaves the day open.

    A year of two digits tells no century, and a century is not thrown away.
    """
    own = date_format(text)
    if own is None or own == form or own == "??" + form[3:]:
        return text if own else None
    if "??" in own + form or "2" in own[-1] + form[-1]:
        return None
    day = read_date(text, own[:3])
    return write_date(day, form, padded=padded) if day else None


def column_format(values: Mapping[str, int]) -> tuple[str, bool, float] | None:
    """The format most cells share, whether days are padded, and its share of all cells."""
    counts: dict[str, int] = {}
    padded: dict[str, int] = {}
    for text, n in values.items():
        written = date_format(text)
        if written:
            counts[written] = counts.get(written, 0) + n
            if re.search(r"(?<![0-9])0[1-9](?![0-9])", text):
                padded[written] = padded.get(written, 0) + n
    settled = _settle(counts)
    if not settled:
        return None
    best = min(settled, key=lambda f: (-settled[f], f))
    ambiguous = "??" + best[-2:]
    zeros = sum(padded.get(form, 0) for form in {best, ambiguous})
    return best, zeros > 0.1 * settled[best], settled[best] / sum(values.values())


def _settle(counts: Mapping[str, int]) -> dict[str, int]:
    """Texts that leave the order open count for the order that others of their form have, and no others contradict."""
    settled = {f: n for f, n in counts.items() if not f.startswith("??")}
    for form, n in counts.items():
        if form.startswith("??"):
            rest = form[2:]
            few, most = sorted(("dmy" + rest, "mdy" + rest), key=lambda f: counts.get(f, 0))
            told = counts.get(most, 0) >= MIN_TOLD and counts.get(few, 0) <= CONTRADICTED * counts[most]
            own = most if told else form
            settled[own] = settled.get(own, 0) + n
    return settled


def _named(text: str) -> date | None:
    found = NAMED.fullmatch(text)
    if not found:
        return None
    d, m, y = found.group(1, 2, 3) if found.group(1) else found.group(5, 4, 6)
    name = m[:3].lower()
    return _date(int(y), MONTHS.index(name) + 1, int(d)) if name in MONTHS else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
