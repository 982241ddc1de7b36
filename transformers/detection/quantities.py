"""Numbers with something beside them: "12.0 oz", "$5", "0.05%". What stands beside a number is its unit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

BEFORE = r"[$€£¥₹~#]|[A-Z]{2,3}\s?[$€£¥₹]?\s?"  # a currency, mostly
AFTER = r"\s*(?:[%‰°\"'$€£¥₹µ]|[A-Za-z])[^0-9]{0,24}"  # no digits: "12227-000" and "H2G 1A7" are no quantities
QUANTITY = re.compile(rf"(?P<before>{BEFORE})?(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))(?P<after>{AFTER})?")
SIGNIFICANT = 12  # digits; what a binary fraction adds beyond them is noise
LONGEST = 40


@dataclass(frozen=True)
class Quantity:
    number: str
    before: str
    after: str  # with its gap

    @property
    def unit(self) -> str:
        return f"{self.before}|{self.after}"

    @property
    def is_bare(self) -> bool:
        return not self.before and not self.after


def quantity(text: str) -> Quantity | None:
    found = QUANTITY.fullmatch(text) if len(text) <= LONGEST else None
    return Quantity(found["number"], found["before"] or "", found["after"] or "") if found else None


def plain(number: str) -> str:
    """The shortest way to write the number: "12.0" is 12, "0.055999999999999994" is 0.056."""
    short = f"{float(number):.{SIGNIFICANT}g}"
    return number if "e" in short or (len(number) > 1 and number[0] == "0" and number[1] != ".") else short


def denoised(number: str) -> str:
    """As it is written ("12.50"), but for the noise of a binary fraction."""
    return plain(number) if sum(c.isdigit() for c in number.lstrip("0.")) > SIGNIFICANT else number


def units(values: Mapping[str, int]) -> tuple[dict[str, int], float]:
    """How often each unit is written, and the share of cells that are quantities at all."""
    counts: dict[str, int] = {}
    for text, n in values.items():
        read = quantity(text)
        if read:
            counts[read.unit] = counts.get(read.unit, 0) + n
    return counts, sum(counts.values()) / max(1, sum(values.values()))
