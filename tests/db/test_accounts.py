import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from side_by_side import until_somebody_waits_for_a_lock
from sqlalchemy import select, text

from backend.errors import EmailTaken, NotFound, Unauthenticated, UserNotFound
from db import accounts, ledger, sign_ins
from db.accounts import NewKey
from db.database import transaction
from db.models import Lane, RefreshToken, Scope, User

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)


def register(email: str = "ada@example.com", welcome: int = 0) -> User:
    with transaction() as session:
        return accounts.register(session, email, "hash", welcome)


def rotate(spent: str, following: str) -> int | None:
    with transaction() as session:
        signed_in = accounts.rotate_refresh_token(session, spent, following, DAY)
    return signed_in.user_id if signed_in else None


def test_a_new_customer_has_a_wallet_and_a_lane() -> None:
    user = register()

    with transaction() as session:
        assert session.scalar(select(Lane.weight).where(Lane.user_id == user.id)) == 1
        assert ledger.grant(session, user.id, 5, "") == 5
    assert user.role == "customer"


def test_the_welcome_is_a_grant_like_any_other() -> None:
    user = register(welcome=70)

    with transaction() as session:
        (entry,) = ledger.entries(session, user.id)
        assert (entry.kind, entry.amount, entry.note) == ("GRANT", 70, "Welcome")
        assert ledger.balance(session, user.id) == 70


def test_an_address_is_taken_once() -> None:
    register()

    with pytest.raises(EmailTaken):
        register()


def test_an_address_that_is_being_taken_is_waited_for_and_then_taken() -> None:
    from threading import Event, Thread

    outcomes: list[str] = []
    inserted = Event()

    def second() -> None:
        inserted.wait(5)
        try:
            register()
        except EmailTaken:
            outcomes.append("taken")

    thread = Thread(target=second)
    thread.start()
    with transaction() as session:
        accounts.register(session, "ada@example.com", "hash")
        inserted.set()
        thread.join(0.2)
    thread.join(5)

    assert outcomes == ["taken"]


def test_an_administrator_may_name_a_user_by_id_or_by_address() -> None:
    user = register()

    with transaction() as session:
        assert accounts.named(session, user_id=user.id).id == user.id
        assert accounts.named(session, email="ada@example.com").id == user.id
        with pytest.raises(UserNotFound):
            accounts.named(session, user_id=user.id + 1)
        with pytest.raises(UserNotFound):
            accounts.named(session, email="bob@example.com")


def test_a_key_is_found_by_its_prefix_until_it_is_revoked() -> None:
    user = register()
    with transaction() as session:
        key = accounts.add_api_key(session, user.id, NewKey("nightly", "abc", "digest"))
        found = sign_ins.by_api_key(session, "abc")
        assert found is not None
        assert (found.owner.id, found.key_hash) == (user.id, "digest")

        accounts.revoke_api_key(session, user.id, key.id)

        assert sign_ins.by_api_key(session, "abc") is None
        assert accounts.api_keys(session, user.id) == []


def test_a_key_is_revoked_once_and_by_its_owner_alone() -> None:
    user, stranger = register(), register("bob@example.com")
    with transaction() as session:
        key = accounts.add_api_key(session, user.id, NewKey("nightly", "abc", "digest"))

    for user_id, key_id in ((stranger.id, key.id), (user.id, uuid.uuid4())):
        with pytest.raises(NotFound), transaction() as session:
            accounts.revoke_api_key(session, user_id, key_id)
    with transaction() as session:
        accounts.revoke_api_key(session, user.id, key.id)
    with pytest.raises(NotFound), transaction() as session:
        accounts.revoke_api_key(session, user.id, key.id)


def test_a_chain_of_refresh_tokens_is_one_family() -> None:
    user = register()
    with transaction() as session:
        accounts.add_refresh_token(session, user.id, "one", DAY)

    assert rotate("one", "two") == user.id
    assert rotate("two", "three") == user.id

    with transaction() as session:
        links = session.scalars(select(RefreshToken).order_by(RefreshToken.created_at)).all()
    assert len({link.family for link in links}) == 1
    assert [link.spent_at is None for link in links] == [False, False, True]


def spent_long_ago(token_hash: str) -> None:
    with transaction() as session:
        link = session.get_one(RefreshToken, token_hash)
        assert link.spent_at is not None
        link.spent_at -= accounts.GRACE


def test_a_link_that_was_spent_just_now_is_followed_by_another() -> None:
    user = register()
    with transaction() as session:
        accounts.add_refresh_token(session, user.id, "one", DAY)
    rotate("one", "lost")

    assert rotate("one", "again") == user.id

    assert rotate("lost", "two") == user.id
    assert rotate("again", "three") == user.id
    spent_long_ago("one")
    assert rotate("one", "stolen") is None
    assert rotate("three", "four") is None


def test_a_family_that_has_ended_knows_no_grace() -> None:
    user = register()
    with transaction() as session:
        accounts.add_refresh_token(session, user.id, "one", DAY)
    rotate("one", "two")
    with transaction() as session:
        accounts.end_family(session, "two")

    assert rotate("one", "three") is None
    assert rotate("two", "four") is None


def test_a_spent_link_ends_its_family_and_adds_none() -> None:
    user = register()
    with transaction() as session:
        accounts.add_refresh_token(session, user.id, "one", DAY)
        accounts.add_refresh_token(session, user.id, "elsewhere", DAY)
    rotate("one", "two")
    spent_long_ago("one")

    assert rotate("one", "stolen") is None

    assert rotate("two", "three") is None
    assert rotate("stolen", "four") is None
    assert rotate("elsewhere", "five") == user.id


def test_an_old_link_and_an_unknown_one_lead_nowhere() -> None:
    user = register()
    with transaction() as session:
        accounts.add_refresh_token(session, user.id, "old", timedelta(seconds=-1))

    assert rotate("old", "two") is None
    assert rotate("unknown", "three") is None


def test_a_role_that_there_is_not_is_refused_by_the_database() -> None:
    from db.database import DatabaseError

    user = register()
    with pytest.raises(DatabaseError), transaction() as session:
        session.execute(text("UPDATE users SET role = 'king' WHERE id = :id"), {"id": user.id})
    with transaction() as session:
        accounts.make_admin(session, user.id)
    with transaction() as session:
        assert accounts.named(session, user_id=user.id).role == accounts.ADMIN


def test_a_key_ends_when_its_time_is_over_and_leaves_the_list() -> None:
    user = register()
    with transaction() as session:
        accounts.add_api_key(session, user.id, NewKey("nightly", "abc", "digest", Scope.READ, DAY))
    with transaction() as session:
        found = sign_ins.by_api_key(session, "abc")
        assert found is not None
        assert found.owner.key_scope == Scope.READ
        session.execute(text("UPDATE api_keys SET expires_at = clock_timestamp()"))
        assert sign_ins.by_api_key(session, "abc") is None
        assert accounts.api_keys(session, user.id) == []


def test_the_use_of_a_key_is_written_down_once_an_hour() -> None:
    user = register()
    with transaction() as session:
        accounts.add_api_key(session, user.id, NewKey("nightly", "abc", "digest"))
    for hours_ago, written in ((None, True), (0, False), (2, True)):
        with transaction() as session:
            if hours_ago:
                session.execute(text("UPDATE api_keys SET last_used_at = clock_timestamp() - interval '2 hours'"))
            found = sign_ins.by_api_key(session, "abc")
            assert found is not None
            assert found.unnoted is written
            sign_ins.note_use(session, found.id)


def test_a_refresh_that_is_under_way_does_not_outlive_a_change_of_the_password() -> None:
    """Whichever comes first, the link that the refresh adds is ended with its family."""
    user = register()
    with transaction() as session:
        accounts.add_refresh_token(session, user.id, "one", DAY)
    with transaction() as session, ThreadPoolExecutor(1) as pool:
        assert accounts.rotate_refresh_token(session, "one", "two", DAY) is not None
        changing = pool.submit(change_password, user)
        until_somebody_waits_for_a_lock()
        session.commit()
        assert changing.result() == 1
    assert rotate("two", "three") is None


def test_a_sign_in_with_the_old_password_is_refused_once_it_is_changed() -> None:
    user = register()
    change_password(user)
    with transaction() as session, pytest.raises(Unauthenticated):
        accounts.sign_in(session, user, None)


def change_password(user: User) -> int:
    with transaction() as session:
        return accounts.change_password(session, user.id, "hash", "another", keys_too=False)
