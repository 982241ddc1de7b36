import re

import pytest

from backend import errors
from backend.errors import AgensiumError, AgentFailed, ErrorClass, Interruption

# A line of the drawing: branches, the class, then its code, its status and a remark, where it has them.
DRAWN = re.compile(
    r"^ *[│├└─ ]*(?P<name>[A-Z]\w+)(?: +(?P<code>[A-Z]+(?:_[A-Z]+)*)(?=[ :]|$))?(?: +(?P<status>\d{3}))?"
)
ONLY_ROOMS = {"AgensiumError", "CustomerError", "WorldHiccup", "LimitReached", "Crashed"}  # never raised themselves


def tree(kind: type[AgensiumError] = AgensiumError) -> list[type[AgensiumError]]:
    """The classes of errors.py, top-down as they are drawn."""
    below = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    return [kind, *(found for child in below for found in tree(child))]


def drawing() -> dict[str, tuple[str | None, str | None]]:
    lines = (errors.__doc__ or "").splitlines()
    found = [line for line in lines if re.match(r"^ {4}[│├└ A]", line)]
    matches = [DRAWN.match(line) for line in found]
    return {match["name"]: (match["code"], match["status"]) for match in matches if match}


def depths() -> dict[str, int]:
    lines = (errors.__doc__ or "").splitlines()
    drawn = [line for line in lines if re.match(r"^ {4}[│├└ A]", line)]
    return {line.strip("│├└─ ").split()[0]: (len(line) - len(line.lstrip("│├└─ ")) - 4) // 4 for line in drawn}


def test_the_drawing_shows_every_class_and_no_other() -> None:
    assert list(drawing()) == [kind.__name__ for kind in tree()]


def test_the_drawing_shows_every_class_below_its_parent() -> None:
    true = {kind.__name__: len(kind.__mro__) - len(AgensiumError.__mro__) for kind in tree()}
    assert depths() == true


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_the_drawing_shows_the_code_and_the_status(kind: type[AgensiumError]) -> None:
    code, status = drawing()[kind.__name__]
    silent = kind.__name__ in ONLY_ROOMS or issubclass(kind, Interruption | AgentFailed)
    assert silent or code == kind.error_code
    assert status is None or int(status) == kind.http_status


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_every_error_says_what_happened_and_what_to_do(kind: type[AgensiumError]) -> None:
    for sentence in (kind.message, kind.next_action):
        assert sentence[0].isupper() or sentence.startswith(("GET", "/")), sentence
        assert sentence.endswith("."), sentence


@pytest.mark.parametrize("kind", [kind for kind in tree() if kind.error_class == ErrorClass.USER])
def test_what_the_customer_can_mend_is_a_4xx(kind: type[AgensiumError]) -> None:
    assert 400 <= kind.http_status < 500


def test_codes_are_shared_only_within_a_family() -> None:
    owners: dict[str, type[AgensiumError]] = {}
    for kind in tree():
        owner = owners.setdefault(kind.error_code, kind)
        assert issubclass(kind, owner) or kind.error_code in {"INTERNAL_ERROR", "STORAGE_UNAVAILABLE"}, kind


def test_the_detail_is_not_in_the_sentence() -> None:
    error = errors.TaskNotFound(detail="SELECT … FROM tasks")
    assert "SELECT" not in str(error)
    assert error.verdict.detail == "SELECT … FROM tasks"


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_an_error_is_found_again_by_its_code_or_by_the_upper_one_that_shares_it(kind: type[AgensiumError]) -> None:
    found = errors.error_named(kind.error_code)
    assert found.error_code == kind.error_code
    assert issubclass(kind, found)


def test_an_unknown_code_is_our_bug() -> None:
    assert errors.error_named("NO_SUCH_CODE") is errors.InternalError


def test_a_code_shared_by_two_names_the_upper_one() -> None:
    assert errors.error_named("UNKNOWN_TOOL") is errors.UnknownTool
