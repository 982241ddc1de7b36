"""Accounts: register, sign in, stay signed in, sign out. Every answer that holds a token is never cached.

Passwords are hashed before a transaction opens. An unknown customer and a wrong password get one answer, in one time.
"""

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from api.account_schemas import Login, Me, NewAccount, NewPassword, RefreshAsked, Tokens
from api.credentials import access_token, digest, hash_password, new_refresh_token, password_matches, verified
from api.dependencies import CurrentUser
from api.doorstep import SignInTry, check_opening
from api.error_responses import problems
from api.scopes import check_signed_in
from backend.errors import BadRequest, EmailTaken, ScopeTooSmall, TooManyRequests, Unauthenticated
from backend.settings import get_settings
from db import accounts
from db.accounts import SignedIn
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
    check_opening(request)
    password_hash = hash_password(asked.password.get_secret_value())
    refresh_token = new_refresh_token()
    with transaction() as session:
        user = accounts.register(session, asked.email, password_hash, get_settings().signup_credits)
        accounts.add_refresh_token(session, user.id, digest(refresh_token), _refresh_lifetime())
    return _tokens(SignedIn(user.id, user.sign_in_generation), refresh_token, response)


@router.post(
    "/login",
    operation_id="login",
    summary="Sign in",
    responses=problems(Unauthenticated, BadRequest, TooManyRequests, signed_in=False),
)
def login(asked: Login, request: Request, response: Response) -> Tokens:
    with SignInTry(request, asked.email):
        with transaction() as session:
            user = accounts.by_email(session, asked.email)
        found = verified(asked.password.get_secret_value(), user.password_hash if user else None)
        if user is None or not found.matches:
            raise Unauthenticated("The address or the password is wrong.")
        refresh_token = new_refresh_token()
        with transaction() as session:
            generation = accounts.sign_in(session, user, found.new_hash)
            accounts.add_refresh_token(session, user.id, digest(refresh_token), _refresh_lifetime())
    return _tokens(SignedIn(user.id, generation), refresh_token, response)


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
        signed_in = accounts.rotate_refresh_token(
            session, digest(asked.refresh_token), digest(refresh_token), _refresh_lifetime()
        )
    if signed_in is None:
        raise Unauthenticated("The refresh token does not work any more.")
    return _tokens(signed_in, refresh_token, response)


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


@router.post(
    "/password",
    operation_id="change_password",
    summary="Change the password and sign everybody out",
    responses=problems(Unauthenticated, ScopeTooSmall, BadRequest),
)
def change_password(asked: NewPassword, request: Request, user: CurrentUser, response: Response) -> Tokens:
    """Every token made before ends at once, those of other devices too; what is answered is good. API keys go on,
    unless `revoke_api_keys` says otherwise. No API key may ask for it.
    """
    check_signed_in(user)
    with SignInTry(request, user.email):
        with transaction() as session:
            old_hash = accounts.named(session, user_id=user.id).password_hash
        if not password_matches(asked.password.get_secret_value(), old_hash):
            raise Unauthenticated("The password is wrong.")
        new_hash, refresh_token = hash_password(asked.new_password.get_secret_value()), new_refresh_token()
        with transaction() as session:
            generation = accounts.change_password(session, user.id, old_hash, new_hash, keys_too=asked.revoke_api_keys)
            accounts.add_refresh_token(session, user.id, digest(refresh_token), _refresh_lifetime())
    return _tokens(SignedIn(user.id, generation), refresh_token, response)


@router.get("/me", operation_id="get_me", summary="Who am I", responses=problems())
def me(user: CurrentUser) -> Me:
    return Me(user_id=user.id, email=user.email, role=user.role)


def _tokens(who: SignedIn, refresh_token: str, response: Response) -> Tokens:
    response.headers["Cache-Control"] = "no-store"
    return Tokens(
        access_token=access_token(who.user_id, who.generation),
        refresh_token=refresh_token,
        expires_in=get_settings().access_token_minutes * 60,
        user_id=who.user_id,
    )


def _refresh_lifetime() -> timedelta:
    return timedelta(days=get_settings().refresh_token_days)
