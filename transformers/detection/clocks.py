"""Times of day: read from whatever stands around them ("12/02/2011 7:10 a.m.", "8:15aDec 1"), written in one style."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

CLOCK = re.compile(
    r"(?<![0-9:])([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?\s*([ap])?(?:\.?\s?m\b\.?)?|(?<![0-9:])(12):00\s*noon",
    re.IGNORECASE,
)
PURE = re.compile(r"([0-9]{1,2}):([0-9]{2})(:[0-9]{2})?(\s*)([AaPp]\.?[Mm]?\.?)?")
NOON = 12


@dataclass(frozen=True)
class ClockStyle:
    """How most cells write a time."""

    padded: bool
    seconds: bool
    gap: str
    half: str  # how "am" is written; "" on a clock of 24 hours

    def write(self, minutes: int, seconds: int) -> str:
        hour, minute = divmod(minutes, 60)
        shown = (hour % NOON or NOON) if self.half else hour
        text = f"{shown:02d}:{minute:02d}" if self.padded else f"{shown}:{minute:02d}"
        if self.seconds:
            text += f":{seconds:02d}"
        return text + (self.gap + self._half(hour) if self.half else "")

    def _half(self, hour: int) -> str:
        return self.half if hour < NOON else self.half.replace("a", "p").replace("A", "P")


def clock_time(text: str) -> tuple[int, int] | None:
    """The one time of day a text names, in minutes and seconds; None where it names none or several."""
    found = list(CLOCK.finditer(text))
    if len(found) != 1:
        return None
    hour, minute, second, half = found[0].group(1, 2, 3, 4)
    if hour is None:
        return NOON * 60, 0
    hours = int(hour)
    if half:
        if not 1 <= hours <= NOON:
            return None
        hours = hours % NOON + (NOON if half.lower() == "p" else 0)
    return hours * 60 + int(minute), int(second or 0)


def clock_style(values: Mapping[str, int]) -> tuple[ClockStyle, float] | None:
    """The style most pure times share, and the share of all cells written so; None where few are times."""
    styles: dict[ClockStyle, int] = {}
    for text, n in values.items():
        style = _style_of(text)
        if style:
            styles[style] = styles.get(style, 0) + n
    if not styles:
        return None
    best = min(styles, key=lambda s: (-styles[s], repr(s)))
    if not best.padded:  # 7:10 and 10:45 are one style
        twin = ClockStyle(padded=True, seconds=best.seconds, gap=best.gap, half=best.half)
        styles[best] += styles.get(twin, 0)
    return best, styles[best] / sum(values.values())


def is_same_moment(text: str, style: ClockStyle) -> bool:
    """Whether a text is a time and nothing else, which the style can say whole: no date, no zone, no guessed half."""
    found, read = PURE.fullmatch(text), clock_time(text)
    if not found or read is None or (read[1] and not style.seconds):
        return False
    return bool(found[5]) or not style.half or not 1 <= int(found[1]) <= NOON


def _style_of(text: str) -> ClockStyle | None:
    found = PURE.fullmatch(text)
    if not found or clock_time(text) is None:
        return None
    hour, _, seconds, gap, half = found.groups()
    padded = len(hour) == 2 and (hour[0] == "0" or not half)  # noqa: PLR2004 - 10:45 p.m. tells nothing of padding
    return ClockStyle(
        padded=padded, seconds=bool(seconds), gap=gap, half=(half or "").replace("p", "a").replace("P", "A")
    )
