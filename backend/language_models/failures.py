"""What a call's failure means for the next try: it may pass, the model is barred to us, or the question is refused.

Both lanes end in these three; they leave the door as errors of the tree. What a provider said about it goes into the
detail, cut to a length and without a key.
"""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr

from backend.errors import ModelUnavailable
from backend.verdicts import seconds_of

PASSING = frozenset({408, 425, 429})  # and every 5xx
REFUSED = frozenset({400, 413, 422})  # of the question; any other 4xx bars us from the model
LONGEST_DETAIL = 500
# Keys as the known providers write them; ours are cut out by their own letters besides.
KEY_LIKE = re.compile(r"(?i)\b(sk-[\w*-]{4,}|AIza[\w-]{8,}|bearer\s+[\w.~+/=-]{4,})")
NO_SUCH_MODEL = frozenset({"model_not_found", "model_not_found_error"})


class CallFailed(Exception):
    """`detail` is for the log and the row."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Passing(CallFailed):
    """The same call may go well later; `retry_after` is in seconds, where the provider said it.

    `paced`: the provider is well and only wants to be asked more slowly.
    """

    def __init__(self, detail: str, retry_after: float | None = None, *, paced: bool = False) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.paced = paced


class Impatient(Passing):
    """The customer's own clock ran out before a model that is well need have answered: that says nothing of it."""


class Barred(CallFailed):
    """This model is not for us, now or later: no key, a refused one, no such model. Another may answer."""


class Refused(CallFailed):
    """The question itself is at fault; no other try and no other model is asked."""


class LeftAlone(ModelUnavailable):
    """Its breaker is open: it was not asked."""


def by_status(status: int, headers: Mapping[str, str], body: object) -> CallFailed:
    """What an answer other than 2xx means. `body` as it came: JSON's values, text or bytes."""
    detail = f"{status}: {_words(body)}"
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Passing(detail, _retry_after(headers), paced=status == HTTPStatus.TOO_MANY_REQUESTS)
    if status in REFUSED and _code(body) not in NO_SUCH_MODEL:
        return Refused(detail)
    return Barred(detail)


def without_secrets(words: str, secrets: Iterable[SecretStr]) -> str:
    """What may stand in a log: no key, and not too long."""
    for secret in secrets:
        words = words.replace(secret.get_secret_value(), "•••")
    return KEY_LIKE.sub("•••", words)[:LONGEST_DETAIL]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds. Some say it in milliseconds besides, and more exactly."""
    said, exactly = headers.get("retry-after"), seconds_of(headers.get("retry-after-ms", ""))
    if exactly is not None:
        return exactly / 1000
    return None if said is None else seconds_of(said)


def _words(body: object) -> str:
    if isinstance(body, bytes):
        return body[: 4 * LONGEST_DETAIL].decode("utf-8", "replace")
    return body if isinstance(body, str) else json.dumps(body, default=str)


def _code(body: object) -> str:
    """The provider's own code, as OpenAI's protocol has it."""
    read = _read(body)
    error = read.get("error") if isinstance(read, dict) else None
    code = (error if isinstance(error, dict) else read if isinstance(read, dict) else {}).get("code")
    return code if isinstance(code, str) else ""


def _read(body: object) -> Any:
    if not isinstance(body, bytes | str):
        return body
    try:
        return json.loads(body)
    except ValueError:
        return None
