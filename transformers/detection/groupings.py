"""Thousands: "1,234" among 1234s, or the other way round.

"2,500" is two and a half where a comma is the decimal point: nothing is said of a column in which that may be so.
"""

import re
from collections.abc import Iterable, Mapping

from transformers.detection.quantities import quantile
from transformers.detection.workbench import Doubt, Workbench

GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
PLAIN = re.compile(r"[+-]?[1-9][0-9]{3,17}(\.[0-9]+)?")
SMALL = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]+)?")
DECIMAL_COMMA = re.compile(r"[+-]?(0,[0-9]+|[0-9]+,([0-9]{1,2}|[0-9]{4,}))")  # no thousands, whatever stands beside
NUMBERS = 0.9  # of the present cells
CONVENTION = 0.6  # of the numbers that could be grouped: a narrow majority is no convention
SURE = 0.95
WIDER = 3.0  # times as large or small as the plain ones: still of their size


def look(bench: Workbench, place: int, values: Mapping[str, int]) -> bool:
    """Whether the column holds both; then `bench.rewritten` and doubts say so."""
    grouped, plain, small = ({t: n for t, n in values.items() if f.fullmatch(t)} for f in (GROUPED, PLAIN, SMALL))
    held = sum(sum(some.values()) for some in (grouped, plain, small))
    if not grouped or not plain or held < NUMBERS * sum(values.values()):
        return False
    most, few = max(_cells(grouped), _cells(plain)), min(_cells(grouped), _cells(plain))
    if most >= CONVENTION * (most + few) and _are_thousands(values, grouped, plain, small):
        odd, written = (plain, _with_commas) if _cells(grouped) == most else (grouped, _without_commas)
        forms = {text: written(text) for text in odd}
        bench.rewritten[place] = forms
        doubts = [Doubt(text, form, most / (most + few), SURE) for text, form in forms.items()]
        bench.doubt_texts(place, "format", "number_format", doubts)
    return True


def _cells(texts: Mapping[str, int]) -> int:
    return sum(texts.values())


def _are_thousands(
    values: Iterable[str], grouped: Mapping[str, int], plain: Mapping[str, int], small: Mapping[str, int]
) -> bool:
    """No text of the column has a decimal comma, and as thousands the grouped ones are of the plain ones' size."""
    if any(DECIMAL_COMMA.fullmatch(text) for text in values):
        return False
    sizes = [abs(float(text)) for text in plain]
    read = {text: abs(float(_without_commas(text))) for text in grouped}
    if not all(min(sizes) / WIDER <= number <= max(sizes) * WIDER for number in read.values()):
        return False
    others = {abs(float(text)): n for text, n in (*plain.items(), *small.items())}
    middle = quantile({number: grouped[text] for text, number in read.items()}, 0.5)
    return not quantile(others, 0.1) <= middle / 1000 <= quantile(others, 0.9)


def _without_commas(text: str) -> str:
    return text.replace(",", "")


def _with_commas(text: str) -> str:
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}{point}{rest}"
