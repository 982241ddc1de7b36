"""Passwords, tokens and API keys: made, hashed and checked. It knows no database and no HTTP.

An access token is a short JWT and says only who; a refresh token and an API key are random, and kept as SHA-256.
SECRET_KEY signs; what SECRET_KEY_PREVIOUS signed is believed as well, so that a key is exchanged without a sign-out.
"""

import hashlib
import hmac
import secrets
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import jwt
from jwt.types import Options
from pwdlib import PasswordHash

from backend.clock import now
from backend.errors import Forbidden, TooManyRequests, Unauthenticated
from backend.settings import get_settings

ISSUER = "agensium"
AUDIENCE = "agensium-api"
_OUTPUT_AUDIENCE = "agensium-output"  # so that no link is ever taken for a token
_ALGORITHM = "HS256"
_CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti"]
_GENERATION = "gen"  # of the customer's sign-ins; what an older release has signed has none
_LINK_CLAIMS = ["iss", "aud", "sub", "exp", "task", "name"]
_API_KEY_MARK = "ag_"  # whose leak it is, for those who scan for secrets
LONGEST_WAIT = 3.0  # seconds for a turn at hashing
_hashing = threading.BoundedSemaphore(4)  # argon2id takes 64 MiB a hash; a crowd at the door must not take it all


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


@contextmanager
def _a_turn() -> Iterator[None]:
    """Raises TooManyRequests: a thread that waits here is one that serves nobody else."""
    if not _hashing.acquire(timeout=LONGEST_WAIT):
        raise TooManyRequests("Too many sign in at this moment.")
    try:
        yield
    finally:
        _hashing.release()


def hash_password(password: str) -> str:
    """argon2id; some 50 ms of work, so never inside a transaction."""
    with _a_turn():
        return _hasher().hash(password)


def password_matches(password: str, password_hash: str | None) -> bool:
    return verified(password, password_hash).matches


@dataclass(frozen=True, slots=True)
class Verified:
    """`new_hash`: the right password, hashed as it is done today; None where the kept one will do."""

    matches: bool
    new_hash: str | None = None


def verified(password: str, password_hash: str | None) -> Verified:
    """As slow for a customer who does not exist (None), or whose hash is none, as for one who does."""
    hasher = _hasher()
    known = password_hash is not None and any(one.identify(password_hash) for one in hasher.hashers)
    with _a_turn():
        matches, new_hash = hasher.verify_and_update(password, str(password_hash) if known else _nobodys_hash())
    return Verified(matches, new_hash) if known else Verified(matches=False)


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """Who a token was made for, and in which generation of their sign-ins."""

    user_id: int
    generation: int


def access_token(user_id: int, generation: int) -> str:
    issued = now()
    return jwt.encode(
        {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "iat": issued,
            "exp": issued + timedelta(minutes=get_settings().access_token_minutes),
            "jti": uuid.uuid4().hex,
            _GENERATION: generation,
        },
        get_settings().secret_key.get_secret_value(),
        _ALGORITHM,
    )


def owner_of_access_token(token: str) -> TokenOwner:
    """Raises Unauthenticated: it is forged, too old, or not meant for us."""
    try:
        claims = _claims_of(token, AUDIENCE, _CLAIMS)
        return TokenOwner(int(claims["sub"]), int(claims.get(_GENERATION, 0)))
    except jwt.InvalidTokenError:
        raise Unauthenticated from None


def _claims_of(token: str, audience: str, required: list[str]) -> dict[str, Any]:
    """Raises jwt.InvalidTokenError."""
    settings = get_settings()
    options: Options = {"require": required}
    for secret in filter(None, (settings.secret_key, settings.secret_key_previous)):
        try:
            return jwt.decode(
                token, secret.get_secret_value(), [_ALGORITHM], audience=audience, issuer=ISSUER, options=options
            )
        except jwt.InvalidSignatureError as error:
            unsigned = error
    raise unsigned


@dataclass(frozen=True, slots=True)
class LinkedOutput:
    """A file of a task that whoever has the link may fetch."""

    user_id: int
    task_id: uuid.UUID
    name: str


def link_to_output(output: LinkedOutput) -> str:
    """Good as long as the file store's own links are, for this file alone."""
    claims = {
        "iss": ISSUER,
        "aud": _OUTPUT_AUDIENCE,
        "sub": str(output.user_id),
        "exp": now() + timedelta(seconds=get_settings().download_link_seconds),
        "task": str(output.task_id),
        "name": output.name,
    }
    return jwt.encode(claims, get_settings().secret_key.get_secret_value(), _ALGORITHM)


def output_of_link(link: str) -> LinkedOutput:
    """Raises Forbidden: it is forged or too old; the file store answers the same."""
    try:
        claims = _claims_of(link, _OUTPUT_AUDIENCE, _LINK_CLAIMS)
    except jwt.InvalidTokenError:
        raise Forbidden("The link is not good any more.") from None
    return LinkedOutput(int(claims["sub"]), uuid.UUID(claims["task"]), claims["name"])


def new_refresh_token() -> str:
    return f"rt_{secrets.token_urlsafe(32)}"


def new_api_key() -> tuple[str, str]:
    """The whole key, shown once, and its prefix, by which it is found."""
    prefix = secrets.token_hex(6)
    return f"{_API_KEY_MARK}{prefix}_{secrets.token_urlsafe(32)}", prefix


def is_api_key(secret: str) -> bool:
    return secret.startswith(_API_KEY_MARK)


def prefix_of_api_key(key: str) -> str:
    return key.removeprefix(_API_KEY_MARK).partition("_")[0]


def digest(secret: str) -> str:
    """SHA-256: enough for what is random already."""
    return hashlib.sha256(secret.encode()).hexdigest()


def keyed_digest(*words: str) -> str:
    """Of what is not to be read where it is kept, and could be found by trying: addresses, networks."""
    secret = get_settings().secret_key.get_secret_value().encode()
    return hmac.digest(secret, "\0".join(words).encode(), hashlib.sha256).hex()


def same_secret(secret: str, kept_digest: str) -> bool:
    return hmac.compare_digest(digest(secret), kept_digest)
