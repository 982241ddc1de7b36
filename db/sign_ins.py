"""Who is asking: looked up for each request, so it is one round trip and brings no more than a request needs."""

import uuid
from dataclasses import dataclass

from db.models import Scope
from db.prebuilt import Prebuilt, Station


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is asking. The role is the database's word, never the token's.

    `key_scope` is that of the API key they ask with; None: they have signed in themselves.
    """

    id: int
    email: str
    role: str
    key_scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key that still works. `unnoted`: its use was not written down within the hour."""

    owner: Customer
    id: uuid.UUID
    key_hash: str
    unnoted: bool


_BY_ID = Prebuilt("SELECT id, email, role FROM users WHERE id = :user_id AND sign_in_generation = :generation")
_STALE = "last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 hour'"
_BY_API_KEY = Prebuilt(f"""
    SELECT u.id, u.email, u.role, k.scope, k.id, k.key_hash, {_STALE}
    FROM api_keys k JOIN users u ON u.id = k.user_id
    WHERE k.prefix = :prefix AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
""")  # noqa: S608 (a condition of its own)
_NOTE_USE = Prebuilt(f"UPDATE api_keys SET last_used_at = clock_timestamp() WHERE id = :id AND ({_STALE}) RETURNING id")  # noqa: S608 (the same)


def by_id(session: Station, user_id: int, generation: int) -> Customer | None:
    """None also where all sign-ins of that generation were ended."""
    row = _BY_ID.first(session, {"user_id": user_id, "generation": generation})
    return None if row is None else Customer(*row)


def by_api_key(session: Station, prefix: str) -> FoundKey | None:
    """The key's hash is for the caller to compare."""
    row = _BY_API_KEY.first(session, {"prefix": prefix})
    if row is None:
        return None
    user_id, email, role, scope, key_id, key_hash, unnoted = row
    return FoundKey(Customer(user_id, email, role, Scope(scope)), key_id, key_hash, unnoted)


def note_use(session: Station, key_id: uuid.UUID) -> None:
    """Once an hour, so that no key's row is hot."""
    _NOTE_USE.first(session, {"id": key_id})
