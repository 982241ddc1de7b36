"""Thousands: "1,234" among 1234s, or the other way round."""

import re
from collections.abc import Mapping

from transformers.detection.workbench import Doubt, Workbench

GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
PLAIN = re.compile(r"[+-]?[1-9][0-9]{3,17}(\.[0-9]+)?")
SMALL = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]+)?")
NUMBERS = 0.9  # of the present cells
CONVENTION = 0.6  # of the numbers that could be grouped: a narrow majority is no convention
SURE = 0.95


def look(bench: Workbench, place: int, values: Mapping[str, int]) -> bool:
    """Whether the column holds both; then `bench.rewritten` and doubts say so."""
    grouped, plain, small = (sum(n for text, n in values.items() if f.fullmatch(text)) for f in (GROUPED, PLAIN, SMALL))
    if not grouped or not plain or grouped + plain + small < NUMBERS * sum(values.values()):
        return False
    share = max(grouped, plain) / (grouped + plain)
    if share >= CONVENTION:
        odd, written = (PLAIN, _with_commas) if grouped > plain else (GROUPED, _without_commas)
        forms = {text: written(text) for text in values if odd.fullmatch(text)}
        bench.rewritten[place] = forms
        doubts = [Doubt(text, form, share, SURE) for text, form in forms.items()]
        bench.doubt_texts(place, "format", "number_format", doubts)
    return True


def _without_commas(text: str) -> str:
    return text.replace(",", "")


def _with_commas(text: str) -> str:
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}{point}{rest}"
