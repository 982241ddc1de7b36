from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from judged import judged, said, severities

from backend.devstack import Stack
from backend.doctor import broker as doctor
from backend.doctor.finding import Finding, Severity
from backend.ports import free_port
from backend.settings import Settings
from celery_queue import examination
from celery_queue.examination import Chatter, Consumer, Server
from db.queue_names import Queue

WRONG, ADVICE, OK, UNKNOWN = Severity.WRONG, Severity.ADVICE, Severity.OK, Severity.UNKNOWN
WELL = {"redis_version": "7.4.2", "maxmemory_policy": "noeviction", "aof_enabled": 1, "role": "master"}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LISTENED_SECONDS", 0.2)
    monkeypatch.setattr(examination, "ASKED_SECONDS", 0.1)


@pytest.fixture
def client(stack: Stack, database: str) -> Iterator["redis.Redis"]:
    """A database of Redis' that no house of these tests uses."""
    with redis.Redis.from_url(url(stack)) as opened:
        yield opened
        opened.flushdb()


def url(stack: Stack, user: str = "", password: str = "") -> str:
    parts = urlsplit(stack.redis_url)
    return f"redis://{user}:{password or parts.password}@127.0.0.1:{parts.port}/7"


def test_a_redis_that_is_well_is_told_to_be(stack: Stack, client: "redis.Redis") -> None:
    found = judged(doctor.look, redis_url=url(stack))
    assert severities(found, WRONG, UNKNOWN) == []
    assert said(found, ADVICE, "It keeps no append-only file"), "the embedded one of the tests"
    for words in ("It is Redis 6.2", "noeviction", "clock agrees", "No other Celery app"):
        assert said(found, OK, words), words
    assert any("commands a minute" in one.seen for one in found)  # how many is for the other tests' workers to say


@pytest.mark.parametrize(("policy", "severity"), [("allkeys-lru", WRONG), ("volatile-ttl", ADVICE)])
def test_a_redis_that_may_evict_is_told_of(
    stack: Stack, client: "redis.Redis", policy: str, severity: Severity
) -> None:
    client.config_set("maxmemory-policy", policy)
    try:
        assert said(judged(doctor.look, redis_url=url(stack)), severity, f"maxmemory-policy is {policy}")
    finally:
        client.config_set("maxmemory-policy", "noeviction")


def test_another_celery_app_in_our_keys_is_found_unless_it_keeps_to_a_prefix(
    stack: Stack, client: "redis.Redis"
) -> None:
    for exchange in (*Queue, "celeryev", "celery.pidbox", "reply.celery.pidbox"):
        client.sadd(f"_kombu.binding.{exchange}", "x")
    client.sadd("theirs:_kombu.binding.emails", "x")
    assert said(judged(doctor.look, redis_url=url(stack)), OK, "No other Celery app")
    client.sadd("_kombu.binding.emails", "x")
    assert said(judged(doctor.look, redis_url=url(stack)), WRONG, "Another Celery app uses the same keys: emails.")
    assert said(judged(doctor.look, redis_url=url(stack), celery_key_prefix="[ours]*:"), OK, "No other Celery app")


def test_where_config_is_forbidden_all_is_seen_and_where_info_is_it_is_unknown(
    stack: Stack, client: "redis.Redis"
) -> None:
    """As on a managed Redis, and as with an account of less."""
    client.acl_setuser(
        "managed", enabled=True, passwords=["+pw-managed"], keys=["*"], channels=["*"], commands=["+@all", "-config"]
    )
    try:
        found = judged(doctor.look, redis_url=url(stack, "managed", "pw-managed"))
        assert severities(found, WRONG, UNKNOWN) == []
        client.execute_command("ACL", "SETUSER", "managed", "-info")
        found = judged(doctor.look, redis_url=url(stack, "managed", "pw-managed"))
        assert said(found, UNKNOWN, "Redis does not let this account ask: ")
    finally:
        client.acl_deluser("managed")


def test_a_redis_that_is_away_or_refuses_us_is_wrong_and_no_password_is_told(stack: Stack, database: str) -> None:
    for where in (f"redis://:not-the-password@127.0.0.1:{free_port()}/0", url(stack, "", "not-the-password")):
        (found,) = judged(doctor.look, redis_url=where)
        assert found.severity is WRONG
        assert found.seen.startswith("Redis does not answer")
        assert "not-the-password" not in found.seen


def test_the_broker_in_files_needs_no_examination(database: str) -> None:
    assert severities(judged(doctor.look, redis_url=""), OK) == [
        "There is no Redis: the broker is a directory of files, for one machine."
    ]
    assert severities(judged(doctor.look, redis_url="amqps://mq.example.com"), UNKNOWN) == [
        "It is reached by amqps://."
    ]


@pytest.mark.parametrize(
    ("told", "severity", "words"),
    [
        ({"redis_version": "5.0.14"}, ADVICE, "It is Redis 5.0.14"),
        ({"role": "slave"}, WRONG, "a replica"),
        ({"cluster_enabled": 1}, WRONG, "Redis Cluster"),
        ({"maxmemory_policy": None}, UNKNOWN, "does not tell its maxmemory-policy"),
        ({"maxmemory": 100, "used_memory": 81}, WRONG, "81% of its memory is used"),
        ({"evicted_keys": 1234}, ADVICE, "evicted 1,234 keys"),
        ({"aof_last_write_status": "err"}, WRONG, "cannot write to its disk"),
        ({"rdb_last_bgsave_status": "err"}, WRONG, "cannot write to its disk"),
        ({"aof_enabled": 0}, ADVICE, "no append-only file"),
    ],
    ids=["old", "replica", "cluster", "silent", "full", "evicted", "aof", "rdb", "forgetful"],
)
def test_what_info_tells_is_judged(told: dict[str, Any], severity: Severity, words: str) -> None:
    merged = {name: value for name, value in (WELL | told).items() if value is not None}
    assert said(list(doctor._server(Server(merged, 0.0))), severity, words)
    assert severities(list(doctor._server(Server(WELL, 0.0))), WRONG, ADVICE, UNKNOWN) == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("rediss://:x@cache.example.com/0", [OK]),
        ("rediss://:x@cache.example.com/0?ssl_cert_reqs=none", [WRONG]),
        ("redis://:x@127.0.0.1/0", []),
        ("redis://127.0.0.1/0", []),
        ("redis://:x@10.0.0.7/0", [ADVICE]),
        ("redis://:x@8.8.8.8/0", [WRONG]),
        ("redis://10.0.0.7/0", [ADVICE, WRONG]),
    ],
    ids=["verified", "unproven", "loopback", "loopback without password", "within", "across", "without password"],
)
def test_how_redis_is_reached_is_judged_by_where_it_is(address: str, expected: list[Severity]) -> None:
    assert [one.severity for one in doctor._way_there(address)] == expected


def judged_consumers(*found: Consumer) -> list[Finding]:
    return list(doctor._consumers(found, Settings(_env_file=None, celery_visibility_timeout=900)))


def test_the_smallest_visibility_timeout_of_all_who_share_the_broker_is_told_of() -> None:
    ours = Consumer("celery@one", 900, ours=True)
    assert said(judged_consumers(ours, ours), OK, "All workers that answered (2)")
    differing = judged_consumers(ours, Consumer("celery@two", None, ours=True))
    assert said(differing, WRONG, "Not all who share the broker redeliver after 900 s: celery@two (3600 s).")
    strange = judged_consumers(ours, Consumer("mail@three", 60, ours=False))
    assert said(strange, WRONG, "Workers of another Celery app share the broker: mail@three.")
    assert said(strange, WRONG, "mail@three (60 s)")
    assert judged_consumers() == []


def test_the_cost_of_an_idle_house_is_counted_a_minute_and_a_worker() -> None:
    assert said([doctor._idle_cost(Chatter(14, 4.0), 2)], OK, "210 commands a minute; live workers: 2, 105 for each.")
    assert said([doctor._idle_cost(Chatter(17, 4.0), 1)], ADVICE, "255 commands a minute; live workers: 1")
