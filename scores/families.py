"""What is measured: one line a family. A family's module holds its MEASURES."""

from importlib import import_module

from scores.measure import Measure

FAMILIES: tuple[str, ...] = (
    "reading",
    "profile",
    "types",
    "personal_data",
    "drift",
    "errors",
    "cleaning",
    "outliers",
    "entities",
    "golden_records",
    "big_files",
)


def measures_of(family: str) -> tuple[Measure, ...]:
    found: tuple[Measure, ...] = import_module(f"scores.{family}").MEASURES
    return found
