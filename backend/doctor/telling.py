"""What the doctor found, for people and for programs. Whatever a service said, none of our secrets is repeated."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from rich.console import Console
from rich.text import Text

from backend.doctor.finding import Finding, Severity
from backend.settings import Settings

MARKS = {Severity.OK: "green", Severity.ADVICE: "yellow", Severity.WRONG: "red", Severity.UNKNOWN: "magenta"}
SHORTEST = 4  # letters of a secret; a shorter one stands in too many words


def as_json(findings: Sequence[Finding], settings: Settings | None) -> str:
    told = [{name: _unsaid(str(value), settings) for name, value in asdict(one).items()} for one in findings]
    return json.dumps({"findings": told}, indent=2, ensure_ascii=False)


def tell(findings: Sequence[Finding], settings: Settings | None) -> None:
    """A line for each finding, and below it what to change; at the end how many of each."""
    console, area = Console(soft_wrap=True, highlight=False), None
    for one in findings:
        if one.area is not area:
            area = one.area
            console.print(Text(f"\n{area}", style="bold"))
        console.print(Text(f"  {one.severity:<8}", style=MARKS[one.severity]) + Text(_unsaid(one.seen, settings)))
        if one.change:
            console.print(Text(f"            → {_unsaid(one.change, settings)}"))
    counts = (f"{sum(one.severity is severity for one in findings)} {severity}" for severity in Severity)
    console.print(f"\ndoctor: {', '.join(counts)}")


def _unsaid(text: str, settings: Settings | None) -> str:
    for secret in _secrets(settings) if settings else ():
        text = text.replace(secret, "***")
    return text


def _secrets(settings: Settings) -> Iterator[str]:
    """Each SecretStr, and the passwords within addresses; the longest first, for one may hold another."""
    values = [value.get_secret_value() for _, value in settings if isinstance(value, SecretStr)]
    values += [str(value) for _, value in settings if isinstance(value, str) and "@" in value and "://" in value]
    found = {part for value in values for part in (value, *_passwords(value)) if len(part) >= SHORTEST}
    yield from sorted(found, key=len, reverse=True)


def _passwords(value: str) -> Iterator[str]:
    if "://" in value and (password := urlsplit(value).password):
        yield password
        yield unquote(password)
