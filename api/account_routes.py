"""API keys, and the customer's credits."""

import uuid
from datetime import timedelta

from fastapi import APIRouter

from api.account_schemas import (
    ApiKeyList,
    ApiKeyShown,
    ApiKeyView,
    Balance,
    EntryPage,
    EntryView,
    Grant,
    Granted,
    NewApiKey,
)
from api.credentials import digest, new_api_key
from api.cursors import CursorQuery, LimitQuery, cursor_of, entry_cursor
from api.dependencies import AdminUser, CurrentUser
from api.error_responses import problems
from api.once import OnceDep
from api.scopes import check_covers
from backend.errors import BadRequest, Forbidden, IdempotencyMismatch, NotFound, RequestInFlight, UserNotFound
from db import accounts, ledger
from db.database import Session, transaction
from db.models import ApiKey, CreditEntry

router = APIRouter()


@router.post(
    "/auth/api-keys",
    status_code=201,
    tags=["accounts"],
    operation_id="create_api_key",
    summary="Make an API key",
    responses=problems(BadRequest),
)
def create_api_key(asked: NewApiKey, user: CurrentUser) -> ApiKeyShown:
    """The key is shown once; afterwards only its prefix is known."""
    check_covers(user, asked.scope)
    key, prefix = new_api_key()
    lifetime = timedelta(days=asked.expires_in_days) if asked.expires_in_days else None
    kept = accounts.NewKey(asked.name, prefix, digest(key), asked.scope, lifetime)
    with transaction() as session:
        row = accounts.add_api_key(session, user.id, kept)
    return ApiKeyShown(**_api_key(row).model_dump(), key=key)


@router.get(
    "/auth/api-keys", tags=["accounts"], operation_id="list_api_keys", summary="My API keys", responses=problems()
)
def list_api_keys(user: CurrentUser) -> ApiKeyList:
    with transaction() as session:
        return ApiKeyList(api_keys=[_api_key(row) for row in accounts.api_keys(session, user.id)])


@router.delete(
    "/auth/api-keys/{key_id}",
    status_code=204,
    tags=["accounts"],
    operation_id="revoke_api_key",
    summary="Revoke an API key",
    responses=problems(NotFound, BadRequest),
)
def revoke_api_key(key_id: uuid.UUID, user: CurrentUser) -> None:
    with transaction() as session:
        accounts.revoke_api_key(session, user.id, key_id)


@router.get("/credits", tags=["credits"], operation_id="get_credits", summary="My balance", responses=problems())
def get_credits(user: CurrentUser) -> Balance:
    with transaction() as session:
        return Balance(balance=ledger.balance(session, user.id))


@router.get(
    "/credits/entries",
    tags=["credits"],
    operation_id="list_credit_entries",
    summary="My movements, newest first",
    responses=problems(BadRequest),
)
def list_credit_entries(user: CurrentUser, cursor: CursorQuery = None, limit: LimitQuery = 50) -> EntryPage:
    before = entry_cursor(cursor)
    with transaction() as session:
        rows = ledger.entries(session, user.id, before, limit + 1)
    shown = rows[:limit]
    return EntryPage(
        entries=[_entry(row) for row in shown], next=cursor_of(shown[-1].id) if len(rows) > limit else None
    )


@router.post(
    "/admin/credits/grant",
    tags=["credits"],
    operation_id="grant_credits",
    summary="Add credits to a customer's wallet (administrators)",
    responses=problems(Forbidden, UserNotFound, BadRequest, IdempotencyMismatch, RequestInFlight),
)
def grant_credits(asked: Grant, _admin: AdminUser, once: OnceDep) -> Granted:
    with transaction() as session:
        return once(session, Granted, lambda: _grant(session, asked))


def _grant(session: Session, asked: Grant) -> Granted:
    customer = accounts.named(session, user_id=asked.user_id, email=asked.email)
    return Granted(user_id=customer.id, balance=ledger.grant(session, customer.id, asked.amount, asked.note))


def _api_key(row: ApiKey) -> ApiKeyView:
    return ApiKeyView.model_validate(row, from_attributes=True)


def _entry(row: CreditEntry) -> EntryView:
    return EntryView.model_validate(row, from_attributes=True).model_copy(update={"agent_id": row.agent_id or None})
