"""Accounts: register, sign in, stay signed in, sign out. Every answer that holds a token is never cached.

Passwords are hashed before a transaction opens. An unknown customer and a wrong password get one answer, in one time.
"""

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from api.account_schemas import Login, Me, NewAccount, RefreshAsked, Tokens
from api.credentials import access_token, digest, hash_password, new_refresh_token, password_matches
from api.dependencies import CurrentUser
from api.error_responses import problems
from api.rate_limits import check_sign_in
from backend.errors import BadRequest, EmailTaken, TooManyRequests, Unauthenticated
from backend.settings import get_settings
from db import accounts
from db.database import transaction

router = APIRouter(prefix="/auth", tags=["accounts"])


@router.post(
    "/register",
    status_code=201,
    operation_id="register",
    summary="Open an account",
    responses=problems(EmailTaken, BadRequest, TooManyRequests, signed_in=False),
)
def register(asked: NewAccount, request: Request, response: Response) -> Tokens:
    check_sign_in(request)
    password_hash = hash_password(asked.password.get_secret_value())
    refresh_token = new_refresh_token()
    with transaction() as session:
        user = accounts.register(session, asked.email, password_hash, get_settings().signup_credits)
        accounts.add_refresh_token(session, user.id, digest(refresh_token), _refresh_lifetime())
    return _tokens(user.id, refresh_token, response)


@router.post(
    "/login",
    operation_id="login",
    summary="Sign in",
    responses=problems(Unauthenticated, BadRequest, TooManyRequests, signed_in=False),
)
def login(asked: Login, request: Request, response: Response) -> Tokens:
    check_sign_in(request, asked.email)
    with transaction() as session:
        user = accounts.by_email(session, asked.email)
    matches = password_matches(asked.password.get_secret_value(), user.password_hash if user else None)
    if user is None or not matches:
        raise Unauthenticated("The address or the password is wrong.")
    refresh_token = new_refresh_token()
    with transaction() as session:
        accounts.add_refresh_token(session, user.id, digest(refresh_token), _refresh_lifetime())
    return _tokens(user.id, refresh_token, response)


@router.post(
    "/refresh",
    operation_id="refresh",
    summary="Exchange a refresh token for new tokens",
    responses=problems(Unauthenticated, BadRequest, signed_in=False),
)
def refresh(asked: RefreshAsked, response: Response) -> Tokens:
    """A refresh token works once, and again within 20 seconds, should the answer be lost on its way. Using it later
    signs out everybody who holds a token of its family.
    """
    refresh_token = new_refresh_token()
    with transaction() as session:  # committed before we refuse: the end of a family must stand
        user_id = accounts.rotate_refresh_token(
            session, digest(asked.refresh_token), digest(refresh_token), _refresh_lifetime()
        )
    if user_id is None:
        raise Unauthenticated("The refresh token does not work any more.")
    return _tokens(user_id, refresh_token, response)


@router.post(
    "/logout",
    status_code=204,
    operation_id="logout",
    summary="Sign out",
    responses=problems(BadRequest, signed_in=False),
)
def logout(asked: RefreshAsked) -> None:
    """Ends the refresh token's family; an access token lives on until it is too old."""
    with transaction() as session:
        accounts.end_family(session, digest(asked.refresh_token))


@router.get("/me", operation_id="get_me", summary="Who am I", responses=problems())
def me(user: CurrentUser) -> Me:
    return Me(user_id=user.id, email=user.email, role=user.role)


def _tokens(user_id: int, refresh_token: str, response: Response) -> Tokens:
    response.headers["Cache-Control"] = "no-store"
    return Tokens(
        access_token=access_token(user_id),
        refresh_token=refresh_token,
        expires_in=get_settings().access_token_minutes * 60,
        user_id=user_id,
    )


def _refresh_lifetime() -> timedelta:
    return timedelta(days=get_settings().refresh_token_days)
