"""From what the API answers to the error tree (backend/errors.py): catch InsufficientCredits, TaskNotFound, …

AgensiumError
├── …                  every error of the tree that has a code, when the API names it
├── RequestRefused     the API said no in words that this client does not know
├── Unreachable        TRANSIENT: nobody answered, or only with 502, 503, 504, after all tries
├── TaskNotCompleted   a task ended badly, for a reason that this client does not know
└── TaskTimedOut       the task had not ended in time; it goes on
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from backend import errors
from backend.client.values import Task
from backend.errors import AgensiumError, CustomerError, WorldHiccup


class RequestRefused(CustomerError):
    """The API said no; the text holds its sentence."""


class Unreachable(WorldHiccup):
    """The API, or the file store, did not answer."""

    error_code = "UNREACHABLE"
    message = "Nobody answered."
    next_action = "Check the address and try again."


class TaskTimedOut(AgensiumError):
    """Nothing is known to have gone wrong: the task had only not ended when the time was over."""

    error_code = "TIMED_OUT"
    message = "The task has not ended yet."
    next_action = "Wait longer, or look again later: the task goes on."


class TaskNotCompleted(AgensiumError):
    """A task ended without completing, for a reason that this client does not know."""

    error_code = "TASK_NOT_COMPLETED"
    message = "The task has not completed."
    next_action = "Look at the task to see how it ended."


def failure_of(task: Task) -> AgensiumError:
    """What a task that FAILED, was CANCELLED or EXPIRED is raised as; its id is in the context."""
    code, words, next_action = task.status, "", ""
    if task.error is not None:
        code, words, next_action = task.error.error_code, task.error.message, task.error.next_action
    kind = _by_code().get(code, TaskNotCompleted)
    error = kind(words or f"The task ended {task.status.lower()}.", task_id=task.task_id)
    error.error_code = code  # type: ignore[misc]
    error.next_action = next_action or kind.next_action  # type: ignore[misc]
    return error


@cache
def _by_code() -> Mapping[str, type[AgensiumError]]:
    """The most general class that bears a code."""
    found: dict[str, type[AgensiumError]] = {}
    for kind in _tree(AgensiumError):
        if kind.__module__ == errors.__name__:
            found.setdefault(kind.error_code, kind)
    return found


def _tree(root: type[AgensiumError]) -> Iterator[type[AgensiumError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _tree(kind)


def refusal(status: int, content_type: str, body: bytes, asked: str) -> AgensiumError:
    """What an answer of 4xx or 5xx is raised as; `asked` names the request. Its `http_status` is the answer's."""
    problem = _problem_in(content_type, body)
    code = str(problem.get("error_code", ""))
    kind = _by_code().get(code, RequestRefused if status < 500 else Unreachable)  # noqa: PLR2004 (RFC 9110)
    said = str(problem.get("detail") or "") or f"{asked} was answered with {status}."
    error = kind(said, **_context(problem))
    error.http_status = status  # type: ignore[misc]
    if code:
        error.error_code = code  # type: ignore[misc]
    error.next_action = str(problem.get("next_action") or error.next_action)  # type: ignore[misc]
    return error


def _problem_in(content_type: str, body: bytes) -> Mapping[str, Any]:
    if "json" not in content_type:
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _context(problem: Mapping[str, Any]) -> dict[str, Any]:
    context = problem.get("context")
    return {name: value for name, value in context.items() if name != "detail"} if isinstance(context, dict) else {}
