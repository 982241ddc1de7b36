"""Who is asking: looked up for each request, so it is one round trip and brings no more than a request needs."""

from dataclasses import dataclass

from db.prebuilt import Prebuilt, Station


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is asking. The role is the database's word, never the token's."""

    id: int
    email: str
    role: str


_BY_ID = Prebuilt("SELECT id, email, role FROM users WHERE id = :user_id")
_BY_API_KEY = Prebuilt("""
    SELECT u.id, u.email, u.role, k.key_hash FROM api_keys k JOIN users u ON u.id = k.user_id
    WHERE k.prefix = :prefix AND k.revoked_at IS NULL
""")


def by_id(session: Station, user_id: int) -> Customer | None:
    row = _BY_ID.first(session, {"user_id": user_id})
    return None if row is None else Customer(*row)


def by_api_key(session: Station, prefix: str) -> tuple[Customer, str] | None:
    """The owner of a key that still works, and the key's hash for the caller to compare."""
    row = _BY_API_KEY.first(session, {"prefix": prefix})
    return None if row is None else (Customer(*row[:3]), row[3])
