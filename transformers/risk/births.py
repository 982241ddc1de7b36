"""Whether a column's dates can be days of birth: over generations, none recent, hardly one like another."""

import re
from collections.abc import Sequence

_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")
_CLOCK = re.compile(r"\d{1,2}:\d{2}")
FEWEST = 20
GENERATION = 25  # years between the twentieth and the last twentieth of the people
LATEST = 2015  # of nearly all: dates of what happens in a business are later
EARLIEST = 1900
OWN_DAY = 0.4  # of the dates are different: those of series and holidays are not


def are_births(texts: Sequence[str]) -> bool:
    years = sorted(int(year) for text in texts for year in _YEAR.findall(text)[:1])
    if len(years) < max(FEWEST, len(texts) / 2) or any(map(_CLOCK.search, texts[:FEWEST])):
        return False
    early, late = years[len(years) // 20], years[-1 - len(years) // 20]
    spread = late - early >= GENERATION and early >= EARLIEST and late <= LATEST
    return spread and len(set(texts)) >= OWN_DAY * min(len(texts), 1000)
