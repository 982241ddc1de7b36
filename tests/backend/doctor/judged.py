"""What a check says of the settings that the environment holds now, and whether it said something."""

from collections.abc import Callable, Iterable, Sequence

from backend.doctor.finding import Finding, Severity
from backend.settings import Settings, get_settings

Look = Callable[[Settings], Iterable[Finding]]


def judged(look: Look, **changes: object) -> Sequence[Finding]:
    found = list(look(get_settings().model_copy(update=changes)))
    assert all(bool(one.change) is (one.severity is not Severity.OK) for one in found), "what is not well has a remedy"
    return found


def said(found: Sequence[Finding], severity: Severity, words: str) -> bool:
    """True where exactly one finding has these words, and it is as severe as that."""
    having = [one for one in found if words in one.seen]
    assert len(having) <= 1, having
    return bool(having) and having[0].severity is severity


def severities(found: Sequence[Finding], *severe: Severity) -> list[str]:
    return [one.seen for one in found if one.severity in severe]
