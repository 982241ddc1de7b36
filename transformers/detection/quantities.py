"""Numbers with a unit beside them: "12.0 oz", "$5", "0.05%"."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from transformers.detection.unit_names import currency_of, unit_of

NUMBER = r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))"
QUANTITY = re.compile(rf"(?P<before>[^\w\s.+-]|[A-Z]{{3}}\s?)?{NUMBER}(?P<gap>\s*)(?P<after>[^0-9\s][^0-9]{{0,24}})?")
REMARK = re.compile(r"(?P<unit>\S+?\.?)(?:\s+|,\s*|\()(?P<remark>\S.*)")
SIGNIFICANT = 12  # digits; what a binary fraction adds beyond them is noise
LONGEST = 40
BULK = 10  # numbers: fewer have a middle at best


@dataclass(frozen=True)
class Quantity:
    number: str
    unit: str = ""  # in one spelling; "" for none
    before: str = ""
    after: str = ""  # with its gap
    remark: str = ""  # behind the unit: "12 oz. can"

    @property
    def spelling(self) -> str:
        return f"{self.before}|{self.after}"


def quantity(text: str) -> Quantity | None:
    """None too where what stands beside the number is no unit: UA192, 9E, 12 Oak Road."""
    found = QUANTITY.fullmatch(text) if len(text) <= LONGEST else None
    if not found:
        return None
    number, before, gap, after = found["number"], found["before"], found["gap"], found["after"]
    if before:
        unit = currency_of(before)
        return Quantity(number, unit, before) if unit and not after else None
    return _behind(number, gap, after) if after else Quantity(number)


def _behind(number: str, gap: str, after: str) -> Quantity | None:
    whole = currency_of(after) or unit_of(after, glued=not gap)
    if whole:
        return Quantity(number, whole, after=gap + after)
    split = REMARK.fullmatch(after)
    unit = unit_of(split["unit"], glued=not gap) if split and len(split["unit"]) > 1 else None
    return Quantity(number, unit, after=gap + after, remark=split["remark"]) if split and unit else None


def plain(number: str) -> str:
    """The shortest way to write the number: "12.0" is 12, "0.055999999999999994" is 0.056."""
    short = f"{float(number):.{SIGNIFICANT}g}"
    return number if "e" in short or (len(number) > 1 and number[0] == "0" and number[1] != ".") else short


def denoised(number: str) -> str:
    """As it is written ("12.50"), but for the noise of a binary fraction."""
    return plain(number) if sum(c.isdigit() for c in number.lstrip("0.")) > SIGNIFICANT else number


def quantities(values: Mapping[str, int]) -> dict[str, Quantity]:
    return {text: read for text in values if (read := quantity(text))}


def overlap(some: Mapping[float, int], others: Mapping[float, int]) -> bool:
    """The middle of each lies within the bulk of the other: numbers of one thing, as far as numbers can tell."""
    return all(
        _middle_within(one, other) for one, other in ((some, others), (others, some)) if sum(other.values()) >= BULK
    )


def _middle_within(some: Mapping[float, int], others: Mapping[float, int]) -> bool:
    return quantile(others, 0.05) <= quantile(some, 0.5) <= quantile(others, 0.95)


def quantile(counts: Mapping[float, int], share: float) -> float:
    wanted, seen = share * sum(counts.values()), 0
    for number in sorted(counts):
        seen += counts[number]
        if seen >= wanted:
            return number
    return max(counts)
