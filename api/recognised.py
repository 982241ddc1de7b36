"""Who is asking, remembered for a few seconds: for polls and streams alone, which come often and change nothing.

`SIGN_IN_REMEMBERED_SECONDS` says for how long a key that was revoked, or a token that ran out, may still read a task.
All other routes ask the database each time (dependencies.py).
"""

import uuid
from typing import Annotated

from fastapi import Depends, Path, Request, Security
from fastapi.security import HTTPAuthorizationCredentials
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from api.credentials import digest
from api.dependencies import API_KEY_HEADER, Customer, api_key_header, bearer_header, customer_of, secret_of, task_id_of
from api.rate_limits import check_rate
from backend.clock import monotonic
from backend.log_fields import note
from backend.settings import get_settings

MOST_REMEMBERED = 10_000  # customers; some 3 MB

_remembered: dict[str, tuple[float, Customer]] = {}  # by the secret's digest: until when, and who it is


async def _recognised(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(bearer_header)],
    api_key: Annotated[str | None, Security(api_key_header)],
) -> Customer:
    secret = secret_of(bearer, api_key)
    seconds = get_settings().sign_in_remembered_seconds
    customer = _known(secret)
    if customer is None:
        customer = await run_in_threadpool(customer_of, secret)
        if seconds:
            _remember(secret, customer, monotonic() + seconds)
    note(user_id=customer.id)
    check_rate(request, customer.id)
    return customer


def _known(secret: str) -> Customer | None:
    until, customer = _remembered.get(digest(secret), (0.0, None))
    return customer if monotonic() < until else None


def remembered(headers: Headers) -> Customer | None:
    """Whose token or key is among a request's headers, where that was looked up just now."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    secret = token if scheme.lower() == "bearer" else headers.get(API_KEY_HEADER)
    return _known(secret) if secret else None


def _remember(secret: str, customer: Customer, until: float) -> None:
    if len(_remembered) >= MOST_REMEMBERED:
        _remembered.clear()
    _remembered[digest(secret)] = until, customer


RecognisedCustomer = Annotated[Customer, Depends(_recognised)]


async def _followed_task(
    _user: RecognisedCustomer, task_id: Annotated[str, Path(examples=["7b9f5a4e-6d1c-4c55-9a39-0f0d7f6d2b11"])]
) -> uuid.UUID:
    return task_id_of(task_id)


FollowedTask = Annotated[uuid.UUID, Depends(_followed_task)]
