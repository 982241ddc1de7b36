import threading

from api import credentials
from api.credentials import (
    digest,
    hash_password,
    is_api_key,
    new_api_key,
    password_matches,
    prefix_of_api_key,
    same_secret,
)


def test_a_password_is_hashed_with_argon2id_as_recommended() -> None:
    hashed = hash_password("a long sentence")

    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,")
    assert password_matches("a long sentence", hashed)
    assert not password_matches("another sentence", hashed)


def test_nobody_matches_no_password() -> None:
    assert not password_matches("a long sentence", None)


def test_an_account_whose_hash_is_none_is_opened_by_no_password() -> None:
    assert not password_matches("no hash", "no hash")


def test_no_more_than_four_hashes_are_made_at_once() -> None:
    taken = [credentials._hashing.acquire(blocking=False) for _ in range(5)]
    waiting = threading.Thread(target=hash_password, args=("a long sentence",))
    waiting.start()
    waiting.join(0.2)
    waits = waiting.is_alive()
    for _ in range(4):
        credentials._hashing.release()
    waiting.join(10)

    assert taken == [True, True, True, True, False]
    assert waits
    assert not waiting.is_alive()


def test_two_api_keys_have_nothing_in_common() -> None:
    (first, prefix), (second, other) = new_api_key(), new_api_key()

    assert first != second
    assert prefix != other
    assert is_api_key(first)
    assert prefix_of_api_key(first) == prefix


def test_a_secret_is_known_by_its_digest_alone() -> None:
    assert same_secret("rt_one", digest("rt_one"))
    assert not same_secret("rt_two", digest("rt_one"))
    assert "rt_one" not in digest("rt_one")
