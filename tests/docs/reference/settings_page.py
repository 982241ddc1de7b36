"""docs/reference/settings.md: every field of backend/settings.py under its heading there."""

from itertools import groupby
from typing import Any

from annotated_types import Ge, Gt, Le, Lt

from backend.settings import Settings
from tests.docs.reference.wording import code, table
from tests.test_env_example import Line, declared

INTRO = """# Settings

Read from the environment, then `.env`, then `.agensium/env` (which `make dev` writes). A setting that is not valid,
or not safe with `ENVIRONMENT=production`, ends the process at its start with a sentence that names it. Lists are
separated by commas. [.env.example](../../.env.example) is the same list to copy.

"""
BOUNDS = {Ge: ("at least", "ge"), Gt: ("above", "gt"), Le: ("at most", "le"), Lt: ("below", "lt")}
SECRET = ("SECRET_KEY", "DATABASE_URL")  # their defaults are development's, and refused in production


def settings_page() -> str:
    parts = [INTRO]
    for heading, lines in groupby(declared(), key=lambda line: line.heading):
        parts.append(f"## {heading[:1].upper()}{heading[1:]}\n\n")
        parts.append(table(("variable", "default", "meaning"), [_row(line) for line in lines]) + "\n")
    return "".join(parts).rstrip("\n") + "\n"


def _row(line: Line) -> tuple[str, str, str]:
    default = "of development only" if line.name in SECRET else code(line.value)
    return code(line.name), default, " ".join(filter(None, (line.comment, _bounds(line.name))))


def _bounds(name: str) -> str:
    field = Settings.model_fields[name.lower()]
    said = [f"{BOUNDS[type(one)][0]} {_number(getattr(one, BOUNDS[type(one)][1]))}" for one in field.metadata
            if type(one) in BOUNDS]  # fmt: skip
    return f"({', '.join(said)})" if said else ""


def _number(value: Any) -> str:
    return f"{value:,}"
