"""What a route asks for by type: who is asking, which task, the file store, the language models.

There is no session among them. A route opens `transaction()` in its own function, so the commit comes before the
answer, and no request holds a connection while it waits for a thread. (As a dependency the session outlived the
function; FastAPI then serialises the answer in a thread, all threads were waiting for a connection, and 300 requests
at once took 36 s with a storm of 503s.) Nor is a transaction open while the file store is asked.
"""

import uuid
from typing import Annotated

from fastapi import Depends, Path, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from api.credentials import is_api_key, owner_of_access_token, prefix_of_api_key, same_secret
from api.rate_limits import check_rate
from api.scopes import check_scope
from backend.doors import Doors, get_doors
from backend.errors import Forbidden, TaskNotFound, Unauthenticated
from backend.language_models.door import LanguageModels
from backend.log_fields import note
from backend.storage.door import Storage
from db import accounts, sign_ins
from db.database import statement
from db.sign_ins import Customer as Customer  # noqa: PLC0414 (the other rooms know it from here)

API_KEY_HEADER = "X-API-Key"
bearer_header = HTTPBearer(auto_error=False, description="An access token from POST /auth/login, or an API key.")
api_key_header = APIKeyHeader(name=API_KEY_HEADER, auto_error=False, description="An API key from POST /auth/api-keys.")


async def file_store() -> Storage:
    return (await _doors()).storage


async def language_models() -> LanguageModels:
    return (await _doors()).models


async def _doors() -> Doors:
    """A thread opens them; once they are open, a hop to a thread and back would take longer than the look."""
    return get_doors() if get_doors.cache_info().currsize else await run_in_threadpool(get_doors)


def _current_user(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(bearer_header)],
    api_key: Annotated[str | None, Security(api_key_header)],
) -> Customer:
    customer = customer_of(secret_of(bearer, api_key))
    note(user_id=customer.id)
    check_rate(request, customer.id)
    check_scope(customer, request.method, request.scope["route"].path)
    return customer


def secret_of(bearer: HTTPAuthorizationCredentials | None, api_key: str | None) -> str:
    """The token or key that came with the request.

    Raises:
        Unauthenticated: there is none.
    """
    secret = bearer.credentials if bearer else api_key
    if not secret:
        raise Unauthenticated
    return secret


def customer_of(secret: str) -> Customer:
    """Whose token or key it is, by the database.

    Raises:
        Unauthenticated: nobody's, or it is not good any more.
    """
    customer = _by_api_key(secret) if is_api_key(secret) else _by_token(secret)
    if customer is None:
        raise Unauthenticated
    return customer


def _by_token(token: str) -> Customer | None:
    owner = owner_of_access_token(token)
    with statement() as session:
        return sign_ins.by_id(session, owner.user_id, owner.generation)


def _by_api_key(key: str) -> Customer | None:
    with statement() as session:
        found = sign_ins.by_api_key(session, prefix_of_api_key(key))
    if found is None or not same_secret(key, found.key_hash):
        return None
    if found.unnoted:
        with statement() as session:
            sign_ins.note_use(session, found.id)
    return found.owner


CurrentUser = Annotated[Customer, Depends(_current_user)]


async def _admin_user(user: CurrentUser) -> Customer:
    if user.role != accounts.ADMIN:
        raise Forbidden
    return user


async def _task_id(
    _user: CurrentUser, task_id: Annotated[str, Path(examples=["7b9f5a4e-6d1c-4c55-9a39-0f0d7f6d2b11"])]
) -> uuid.UUID:
    return task_id_of(task_id)


def task_id_of(task_id: str) -> uuid.UUID:
    """An id that is no UUID names no task: 404, as for any other task that is not yours."""
    try:
        found = uuid.UUID(task_id)
    except ValueError:
        raise TaskNotFound(task_id=task_id) from None
    note(task_id=str(found))
    return found


AdminUser = Annotated[Customer, Depends(_admin_user)]
ModelsDep = Annotated[LanguageModels, Depends(language_models)]
StorageDep = Annotated[Storage, Depends(file_store)]
TaskId = Annotated[uuid.UUID, Depends(_task_id)]
