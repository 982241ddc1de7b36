"""What a route asks for by type: a session, the file store, who is asking.

A `SessionDep` commits when the route's function returns, before the response is sent (`scope="function"`), and
rolls back when it raises. Who is asking is read in a transaction of its own, so that no request holds a connection
while it waits for a thread. A route that talks to the file store opens its own `transaction()` and never both at once.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.credentials import customer_of_access_token, is_api_key, prefix_of_api_key, same_secret
from backend.doors import get_doors
from backend.errors import Forbidden, TaskNotFound, Unauthenticated
from backend.storage import Storage
from db import accounts
from db.database import Session, transaction
from db.models import User

_bearer = HTTPBearer(auto_error=False, description="An access token from POST /auth/login, or an API key.")
_api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="An API key from POST /auth/api-keys.")


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is asking. The role is the database's word, never the token's."""

    id: int
    email: str
    role: str


def _session() -> Iterator[Session]:
    with transaction() as session:
        yield session


def file_store() -> Storage:
    return get_doors().storage


def _current_user(
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    api_key: Annotated[str | None, Security(_api_key)],
) -> Customer:
    secret = bearer.credentials if bearer else api_key
    if not secret:
        raise Unauthenticated
    with transaction() as session:
        user = _by_api_key(session, secret) if is_api_key(secret) else _by_token(session, secret)
    if user is None:
        raise Unauthenticated
    return Customer(user.id, user.email, user.role)


def _by_token(session: Session, token: str) -> User | None:
    return accounts.by_id(session, customer_of_access_token(token))


def _by_api_key(session: Session, key: str) -> User | None:
    found = accounts.by_api_key(session, prefix_of_api_key(key))
    return found[0] if found and same_secret(key, found[1]) else None


CurrentUser = Annotated[Customer, Depends(_current_user)]


def _admin_user(user: CurrentUser) -> Customer:
    if user.role != accounts.ADMIN:
        raise Forbidden
    return user


def _task_id(
    _user: CurrentUser, task_id: Annotated[str, Path(examples=["7b9f5a4e-6d1c-4c55-9a39-0f0d7f6d2b11"])]
) -> uuid.UUID:
    """An id that is no UUID names no task: 404, as for any other task that is not yours."""
    try:
        return uuid.UUID(task_id)
    except ValueError:
        raise TaskNotFound(task_id=task_id) from None


AdminUser = Annotated[Customer, Depends(_admin_user)]
SessionDep = Annotated[Session, Depends(_session, scope="function")]
StorageDep = Annotated[Storage, Depends(file_store)]
TaskId = Annotated[uuid.UUID, Depends(_task_id)]
