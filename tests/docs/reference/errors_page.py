"""docs/reference/errors.md: every error that anybody is told, from the one tree of them."""

from collections.abc import Iterator

import backend.main
import celery_queue.tasks
from backend import errors
from backend.errors import AgensiumError, AgentFailed, ErrorClass, InternalError, Interruption
from tests.docs.reference.wording import code, table

HOUSE = (backend.main, celery_queue.tasks)  # importing them makes every branch of the tree known
INTRO = """# Errors

Every answer that is no success is `application/problem+json` (RFC 9457). `error_code` is what a program decides by:
codes are added, never renamed. `detail` is a sentence for the customer, `next_action` what to do, `context` what it
is about. A task that failed carries the same under `error`, and so does each of its steps. What else is known stays
in the log and on the row (`agensium task`).

"""
CLASSES = {
    ErrorClass.USER: "The customer can mend it. A task becomes FAILED; what was not delivered is released.",
    ErrorClass.TRANSIENT: "The world hiccuped. A task goes back to the queue and is tried again by itself, "
    "`TRANSIENT_RETRIES` times; a request is answered 503 with `Retry-After`, and may be repeated.",
    ErrorClass.LIMIT: "Too long, too big, or no progress. A task becomes FAILED; what was delivered is paid.",
    ErrorClass.CRASH: "A process died. The task runs again at the step it was on; FAILED when counted out.",
    ErrorClass.CANCELLED: "Asked to stop. What was delivered is paid, the rest is back at once.",
    ErrorClass.INTERNAL: "Our fault. A task becomes FAILED, and is not charged for what was not delivered.",
}
ANSWERED = {ErrorClass.USER, ErrorClass.TRANSIENT, ErrorClass.INTERNAL}  # the others happen to tasks only


HEADS = ("error_code", "HTTP", "what it says", "what to do", "recoverable")
CLIENT = ("backend.client.refusals", "backend.client.values", "backend.client.results")
OF_CLIENT = "The Python client and the shell raise these themselves; no answer of the API carries them."


def errors_page() -> str:
    parts = [INTRO]
    for kind, meaning in CLASSES.items():
        found = [one for one in told() if one.error_class is kind and one.__module__ not in CLIENT]
        parts.append(f"## {kind.value}\n\n{meaning}\n\n{table(HEADS, map(_row, found))}\n")
    mine = [one for one in told() if one.__module__ in CLIENT]
    parts.append(f"## Of the client\n\n{OF_CLIENT}\n\n{table(HEADS[:1] + HEADS[2:], map(_row_of_client, mine))}")
    return "".join(parts).rstrip("\n") + "\n"


def told() -> tuple[type[AgensiumError], ...]:
    """Each code once: of those that share one, the upper."""
    return tuple(_told())


def _told() -> Iterator[type[AgensiumError]]:
    yield InternalError  # before what shares its code
    seen = {InternalError.error_code}
    for kind in _below(AgensiumError):
        if kind.error_code not in seen and not issubclass(kind, Interruption | AgentFailed):
            seen.add(kind.error_code)
            yield kind


def _below(kind: type[AgensiumError]) -> Iterator[type[AgensiumError]]:
    """The tree of backend/errors.py first: what other rooms hang into it shares a code of it."""
    for child in sorted(kind.__subclasses__(), key=lambda one: one.__module__ != errors.__name__):
        if child.__module__.startswith(("backend", "api", "celery_queue", "db", "transformers")):
            if "error_code" in vars(child):
                yield child
            yield from _below(child)


def _row(kind: type[AgensiumError]) -> tuple[str, ...]:
    anchor = f'<a id="{kind.error_code.lower()}"></a>'
    status = str(kind.http_status) if kind.error_class in ANSWERED else ""
    return anchor + code(kind.error_code), status, kind.message, kind.next_action, "yes" if kind.recoverable else "no"


def _row_of_client(kind: type[AgensiumError]) -> tuple[str, ...]:
    code_, _, *rest = _row(kind)
    return code_, *rest
