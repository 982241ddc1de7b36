"""Customers, their API keys and their refresh tokens. Secrets arrive here hashed and are never read back.

Registering opens the wallet and the lane in the same transaction, so no customer is ever without them.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, delete, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from backend.errors import EmailTaken, NotFound, Unauthenticated, UserNotFound
from db import ledger
from db.models import CLOCK, NOW, ApiKey, Lane, RefreshToken, Scope, User

ADMIN = "admin"
GRACE = timedelta(seconds=20)  # a reload that lost its answer, two tabs at one moment; a thief seldom is as quick


def register(session: Session, email: str, password_hash: str, signup_credits: int = 0) -> User:
    """A new customer with a wallet, a lane and the welcome credits.

    Raises:
        EmailTaken: also when somebody registers the same address at the same moment.
    """
    new = upsert(User).values(email=email, password_hash=password_hash).on_conflict_do_nothing()
    user: User | None = session.scalar(new.returning(User))
    if user is None:
        raise EmailTaken
    ledger.open_wallet(session, user.id)
    session.execute(upsert(Lane).values(user_id=user.id).on_conflict_do_nothing())
    if signup_credits:
        ledger.grant(session, user.id, signup_credits, "Welcome")
    return user


def by_email(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == email))


def by_id(session: Session, user_id: int) -> User | None:
    return session.get(User, user_id)


def named(session: Session, *, user_id: int | None = None, email: str | None = None) -> User:
    """The user that an administrator means.

    Raises:
        UserNotFound
    """
    found = by_id(session, user_id) if user_id is not None else by_email(session, email or "")
    if found is None:
        raise UserNotFound
    return found


def make_admin(session: Session, user_id: int) -> None:
    """Roles change here, by an operator; no HTTP route does it."""
    session.execute(update(User).where(User.id == user_id).values(role=ADMIN))


def change_password(session: Session, user_id: int, old_hash: str, new_hash: str, *, keys_too: bool) -> int:
    """Everybody is signed out, and the keys are revoked where that is asked; the generation of sign-ins from here on.

    Raises:
        Unauthenticated: the password was changed meanwhile.
    """
    changed = update(User).where(User.id == user_id, User.password_hash == old_hash)
    changed = changed.values(password_hash=new_hash, sign_in_generation=User.sign_in_generation + 1)
    generation = session.scalar(changed.returning(User.sign_in_generation))
    if generation is None:
        raise Unauthenticated("The password was changed meanwhile.")
    mine = update(RefreshToken).where(RefreshToken.user_id == user_id, RefreshToken.spent_at.is_(None))
    session.execute(mine.values(spent_at=CLOCK))
    if keys_too:
        working = update(ApiKey).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
        session.execute(working.values(revoked_at=CLOCK))
    return int(generation)


def sign_in(session: Session, user: User, new_hash: str | None) -> int:
    """The generation that the sign-in belongs to. `new_hash`: the same password, hashed as it is done today.

    The row stays locked against a change of the password, which would not see the tokens that are about to be added.

    Raises:
        Unauthenticated: the password was changed meanwhile.
    """
    same = User.id == user.id, User.password_hash == user.password_hash
    if new_hash is not None:
        session.execute(update(User).where(*same).values(password_hash=new_hash))
        same = User.id == user.id, User.password_hash == new_hash
    generation = session.scalar(select(User.sign_in_generation).where(*same).with_for_update(read=True))
    if generation is None:
        raise Unauthenticated("The password was changed meanwhile.")
    return int(generation)


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is kept of a key; `lifetime` None: until it is revoked."""

    name: str
    prefix: str
    key_hash: str
    scope: Scope = Scope.MANAGE
    lifetime: timedelta | None = None


def add_api_key(session: Session, user_id: int, key: NewKey) -> ApiKey:
    row = {"user_id": user_id, "name": key.name, "prefix": key.prefix, "key_hash": key.key_hash, "scope": key.scope}
    ends = {} if key.lifetime is None else {"expires_at": CLOCK + key.lifetime}
    return session.execute(insert(ApiKey).values(row | ends).returning(ApiKey)).scalar_one()


def api_keys(session: Session, user_id: int) -> Sequence[ApiKey]:
    """The customer's keys that still work, oldest first."""
    wanted = select(ApiKey).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
    wanted = wanted.where(or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > NOW))
    return session.scalars(wanted.order_by(ApiKey.created_at, ApiKey.id)).all()


def revoke_api_key(session: Session, user_id: int, key_id: uuid.UUID) -> None:
    """The key stops working with this transaction.

    Raises:
        NotFound: there is none, it is another customer's, or it was revoked before.
    """
    mine = update(ApiKey).where(ApiKey.id == key_id, ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
    if session.scalar(mine.values(revoked_at=CLOCK).returning(ApiKey.id)) is None:
        raise NotFound("There is no such API key.")


def add_refresh_token(
    session: Session, user_id: int, token_hash: str, lifetime: timedelta, family: uuid.UUID | None = None
) -> None:
    """A link of a chain; without `family` it begins a new one."""
    row = {"user_id": user_id, "token_hash": token_hash, "family": family or uuid.uuid4()}
    session.execute(insert(RefreshToken).values(**row, expires_at=CLOCK + lifetime))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose sign-in it is, and of which generation."""

    user_id: int
    generation: int


def rotate_refresh_token(session: Session, spent_hash: str, next_hash: str, lifetime: timedelta) -> SignedIn | None:
    """Spend one link and add the next.

    A link that was spent just now is followed by one more next link: the first one may never have arrived.

    None: unknown, too old, or spent before. In the last case somebody holds a copy, so the whole family ends: commit
    it, whatever is answered.
    """
    whose = select(User.id, User.sign_in_generation).join(RefreshToken, RefreshToken.user_id == User.id)
    whose = whose.where(RefreshToken.token_hash == spent_hash)
    # Locked first: a change of the password ends this family before the next link is added, or after it.
    owner = session.execute(whose.with_for_update(read=True, of=User)).first()
    spend = (
        update(RefreshToken)
        .where(RefreshToken.token_hash == spent_hash, RefreshToken.spent_at.is_(None), RefreshToken.expires_at > CLOCK)
        .values(spent_at=CLOCK)
    )
    spent = session.execute(spend.returning(RefreshToken.user_id, RefreshToken.family)).first()
    spent = spent or session.execute(_spent_just_now(spent_hash)).first()
    if spent is None or owner is None:
        end_family(session, spent_hash)
        return None
    add_refresh_token(session, spent.user_id, next_hash, lifetime, spent.family)
    return SignedIn(int(owner.id), int(owner.sign_in_generation))


def _spent_just_now(token_hash: str) -> Select[int, uuid.UUID]:
    """Nothing where its family has ended, by a sign-out for instance: then no link is left that is not spent."""
    left = aliased(RefreshToken)
    recent = select(RefreshToken.user_id, RefreshToken.family).join(left, left.family == RefreshToken.family)
    recent = recent.where(RefreshToken.token_hash == token_hash, RefreshToken.expires_at > CLOCK)
    recent = recent.where(RefreshToken.spent_at > CLOCK - GRACE, left.spent_at.is_(None), left.expires_at > CLOCK)
    return recent.limit(1)


def end_family(session: Session, token_hash: str) -> None:
    """No link of this token's chain works any more; an unknown token does not matter."""
    family = select(RefreshToken.family).where(RefreshToken.token_hash == token_hash).scalar_subquery()
    unspent = update(RefreshToken).where(RefreshToken.family == family, RefreshToken.spent_at.is_(None))
    session.execute(unspent.values(spent_at=CLOCK))


def forget_expired_tokens(session: Session, limit: int = 5000) -> None:
    """Remove refresh tokens, spent or not, that nobody could use any more, the oldest first."""
    hashes = select(RefreshToken.token_hash).where(RefreshToken.expires_at < NOW)
    oldest = hashes.order_by(RefreshToken.expires_at).limit(limit)
    session.execute(
        delete(RefreshToken).where(RefreshToken.token_hash.in_(oldest)),
        execution_options={"synchronize_session": False},
    )
