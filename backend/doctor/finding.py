"""What the doctor found: values, and what they come to. Knows no service."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line's help knows the areas, and needs no settings
    from backend.settings import Settings


class Area(StrEnum):
    SETTINGS = "settings"
    DATABASE = "database"
    BROKER = "broker"
    STORAGE = "storage"
    WORKERS = "workers"
    SCRATCH = "scratch"
    MODELS = "models"


class Severity(StrEnum):
    OK = "ok"
    ADVICE = "advice"  # it works so, and would be better otherwise
    WRONG = "wrong"  # it fails, loses or shows something, now or on a bad day
    UNKNOWN = "unknown"  # it could not be examined


@dataclass(frozen=True, slots=True)
class Finding:
    """`seen` is a sentence; `change` says what to do about it, empty where it is well. Neither holds a secret."""

    area: Area
    severity: Severity
    seen: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One look at one area. It answers for what it asks, raises nothing, and is given up after `seconds`."""

    area: Area
    look: "Callable[[Settings], Iterable[Finding]]"
    seconds: float


@dataclass(frozen=True, slots=True)
class Ward:
    """One area's pen: it writes findings without naming the area each time."""

    area: Area

    def ok(self, seen: str) -> Finding:
        return Finding(self.area, Severity.OK, seen)

    def advice(self, seen: str, change: str) -> Finding:
        return Finding(self.area, Severity.ADVICE, seen, change)

    def wrong(self, seen: str, change: str) -> Finding:
        return Finding(self.area, Severity.WRONG, seen, change)

    def unknown(self, seen: str, change: str) -> Finding:
        return Finding(self.area, Severity.UNKNOWN, seen, change)


def exit_code(findings: Sequence[Finding]) -> int:
    """0: all is well, with advice perhaps; 1: something is wrong; 2: nothing is, but not all could be examined."""
    found = {finding.severity for finding in findings}
    if Severity.WRONG in found:
        return 1
    return 2 if Severity.UNKNOWN in found else 0
