import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_core import PydanticUndefined

from backend import settings
from backend.settings import Settings

EXAMPLE = Path(__file__).parents[1] / ".env.example"
HEADING = re.compile(r"# ── (.+) ──")
FIELD = re.compile(r"    (\w+): ")


class Line(NamedTuple):
    """One setting as the example shows it."""

    name: str
    heading: str
    comment: str
    value: str

    def __str__(self) -> str:
        return f"under “{self.heading}”:\n# {self.comment}\n#{self.name}={self.value}\n"


def shown() -> Iterator[Line]:
    heading, comment = "", ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if found := HEADING.fullmatch(line):
            heading = found[1]
        elif line.startswith("# "):
            comment = line.removeprefix("# ")
        elif line.startswith("#"):
            name, _, value = line.removeprefix("#").partition("=")
            yield Line(name, heading, comment, value)


def declared() -> Iterator[Line]:
    """What the example has to say, from settings.py with its comments as headings."""
    heading = ""
    for line in Path(settings.__file__).read_text(encoding="utf-8").splitlines():
        if line.startswith("    # "):
            heading = line.removeprefix("    # ")
        elif (found := FIELD.match(line)) and found[1] in Settings.model_fields:
            field = Settings.model_fields[found[1]]
            yield Line(found[1].upper(), heading, field.description or "", as_text(field.default))


def as_text(default: Any) -> str:
    """A default as one types it into the file; one that depends on the machine is left empty."""
    if default is None or default is PydanticUndefined:
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(default) if isinstance(default, tuple) else str(default)


def test_the_example_shows_every_setting_under_its_heading_with_what_it_means_and_its_default() -> None:
    missing = [line for line in declared() if line not in set(shown())]
    assert not missing, "write into .env.example " + "\n".join(map(str, missing))


def test_the_example_shows_nothing_that_is_no_setting_or_not_so_any_more() -> None:
    stale = [line for line in shown() if line not in set(declared())]
    assert not stale, "take out of .env.example " + "\n".join(map(str, stale))


def test_the_example_keeps_the_order_of_the_settings() -> None:
    assert [line.name for line in shown()] == [line.name for line in declared()]


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("name", [name.upper() for name in Settings.model_fields])
def test_a_line_of_the_example_taken_as_it_is_means_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = next(line.value for line in shown() if line.name == name)
    monkeypatch.delenv(name, raising=False)
    untouched = getattr(Settings(_env_file=None), name.lower())
    monkeypatch.setenv(name, value)
    assert getattr(Settings(_env_file=None), name.lower()) == untouched


def test_the_example_copied_as_it_is_sets_nothing() -> None:
    live = [line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert live == [], "a live line in .env would contradict what `make dev` writes into .agensium/env"


def test_production_refuses_the_examples_placeholders(monkeypatch: pytest.MonkeyPatch) -> None:
    for line in shown():
        monkeypatch.setenv(line.name, line.value)
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(ValidationError, match=r"SECRET_KEY.*DATABASE_URL.*REDIS_URL"):
        Settings(_env_file=None)
