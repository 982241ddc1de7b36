"""The embedded services themselves, in a stack of their own that may be broken."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend import devstack, embedded
from backend.devstack import Stack, embedded_stack
from backend.embedded import EmbeddedRedis
from backend.ports import LOOPBACK, free_port
from backend.processes import ProcessFailed
from backend.settings import Settings

AT_ONCE = Retry(NoBackoff(), 0)


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with embedded_stack(tmp_path_factory.mktemp("own stack"), fast=True) as running:
        yield running


def rows(stack: Stack, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def put_and_get(stack: Stack, key: str, body: bytes) -> bytes:
    address = f"{stack.s3_endpoint_url}/{stack.bucket}/{key}"
    httpx.put(address, content=body, headers={"x-amz-acl": "public-read"}).raise_for_status()
    return httpx.get(address).content


def test_it_is_postgresql_18_with_vectors(own_stack: Stack) -> None:
    assert str(rows(own_stack, "SHOW server_version")[0][0]).startswith("18")
    rows(own_stack, "CREATE EXTENSION IF NOT EXISTS vector")
    assert rows(own_stack, "SELECT '[3,4]'::vector <-> '[0,0]'::vector") == [(5.0,)]


def test_postgresql_asks_for_its_password(own_stack: Stack) -> None:
    stranger = own_stack.database_url.replace(own_stack.database_url.split("@")[0], "postgresql://postgres:guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(stranger)


def test_redis_asks_for_its_password(own_stack: Stack) -> None:
    assert own_stack.redis is not None
    with (
        redis.Redis(LOOPBACK, own_stack.redis.port, retry=AT_ONCE) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_nobody_listens_beyond_the_loopback(own_stack: Stack) -> None:
    for service in (own_stack.postgres, own_stack.redis, own_stack.storage):
        assert service is not None
        listening = [found for found in psutil.Process(service.process.pid).net_connections() if not found.raddr]
        assert {found.laddr.ip for found in listening} == {LOOPBACK}, service.name


def test_committed_rows_survive_the_death_of_postgresql(own_stack: Stack) -> None:
    rows(own_stack, "CREATE TABLE kept AS SELECT 1 AS one")
    own_stack.postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        rows(own_stack, "SELECT 1")
    own_stack.postgres.start()
    own_stack.postgres.ready()
    assert rows(own_stack, "SELECT one FROM kept") == [(1,)]


def test_a_copy_of_a_database_holds_what_its_template_held(own_stack: Stack) -> None:
    with psycopg.connect(own_stack.postgres.create_database("original"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    with psycopg.connect(own_stack.postgres.create_database("copy", template="original")) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_connections_to_a_database_can_be_cut(own_stack: Stack) -> None:
    with psycopg.connect(own_stack.postgres.create_database("cut")) as mine:
        assert own_stack.postgres.cut_connections("cut") == 1
        with pytest.raises(psycopg.OperationalError):
            mine.execute("SELECT 1")


def test_while_all_connections_are_occupied_nobody_gets_one(own_stack: Stack) -> None:
    address = own_stack.postgres.create_database("occupied")
    with psycopg.connect(address) as mine, own_stack.postgres.occupied("occupied") as taken:
        assert taken > 50
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            psycopg.connect(address)
        with pytest.raises(psycopg.OperationalError):
            mine.execute("SELECT 1")
    psycopg.connect(address).close()


def test_a_frozen_redis_answers_again_when_it_wakes(own_stack: Stack) -> None:
    assert own_stack.redis is not None
    with redis.Redis.from_url(own_stack.redis_url, socket_timeout=0.2, retry=AT_ONCE) as client:
        client.set("word", "kept")
        own_stack.redis.pause()
        try:
            with pytest.raises(redis.TimeoutError):
                client.get("word")
        finally:
            own_stack.redis.resume()
        assert client.get("word") == b"kept"


def test_storage_keeps_objects_until_it_restarts(own_stack: Stack) -> None:
    assert put_and_get(own_stack, "a/b", b"body") == b"body"
    own_stack.storage.kill()
    own_stack.storage.start()
    own_stack.storage.ready()
    assert httpx.get(f"{own_stack.s3_endpoint_url}/{own_stack.bucket}/a/b").status_code == 404


def test_a_second_start_finds_the_data_of_the_first(tmp_path: Path) -> None:
    with embedded_stack(tmp_path) as first:
        rows(first, "CREATE TABLE kept AS SELECT 1 AS one")
        with redis.Redis.from_url(first.redis_url) as client:
            client.set("word", "kept")
    with embedded_stack(tmp_path) as second:
        assert rows(second, "SELECT one FROM kept") == [(1,)]
        with redis.Redis.from_url(second.redis_url) as client:
            assert client.get("word") == b"kept"


def test_secrets_are_for_our_eyes_only(own_stack: Stack) -> None:
    for name in ("postgres.password", "redis.password", "redis.conf"):
        assert (own_stack.directory / name).stat().st_mode & 0o077 == 0, name


def test_the_environment_is_what_settings_read(own_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = own_stack.environment()
    assert {name.lower() for name in environment} <= set(Settings.model_fields)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    read = Settings(_env_file=None)
    assert read.database_url.get_secret_value() == own_stack.database_url
    assert (read.redis_url, read.s3_endpoint_url) == (own_stack.redis_url, own_stack.s3_endpoint_url)


def test_without_redis_the_broker_is_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task is carried by it in tests/acceptance/test_more_memory.py."""
    for kind in (devstack.EmbeddedPostgres, devstack.EmbeddedStorage):  # they are not what this is about
        for act in ("start", "ready"):
            monkeypatch.setattr(kind, act, lambda _service: None)
    with embedded_stack(tmp_path, fast=True, broker_in_files=True) as stack:
        assert stack.redis is None
        assert stack.environment()["REDIS_URL"] == ""
        assert Path(stack.environment()["BROKER_DIR"]).is_relative_to(tmp_path)


def test_all_is_stopped_when_the_work_fails(tmp_path: Path) -> None:
    started: list[Stack] = []

    def work() -> None:
        with embedded_stack(tmp_path, fast=True) as stack:
            started.append(stack)
            raise RuntimeError("the work failed")

    with pytest.raises(RuntimeError, match="the work failed"):
        work()
    (stack,) = started
    assert not any(service.running for service in (stack.postgres, stack.redis, stack.storage) if service)


def test_a_postgresql_that_is_not_wanted_any_more_leaves_no_initdb_behind(tmp_path: Path) -> None:
    postgres = embedded.EmbeddedPostgres(tmp_path, fast=True)
    postgres.start()
    assert postgres._initdb is not None
    initdb = psutil.Process(postgres._initdb.pid)
    begun = [initdb, *initdb.children(recursive=True)]
    postgres.stop()
    psutil.wait_procs(begun, timeout=10)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in begun)
    assert not (tmp_path / "postgres").exists()


def test_a_port_lost_to_somebody_else_is_exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as somebody:
        somebody.bind((LOOPBACK, 0))
        somebody.listen()
        taken = somebody.getsockname()[1]
        offered = iter([taken, free_port()])
        monkeypatch.setattr(embedded, "free_port", lambda: next(offered))
        service = EmbeddedRedis(tmp_path, persistent=False)
        service.start()
        try:
            service.ready()
            assert service.port != taken
        finally:
            service.stop()


def test_a_service_that_cannot_start_says_why(tmp_path: Path) -> None:
    service = EmbeddedRedis(tmp_path, persistent=False)
    (tmp_path / "redis.conf").write_text("no-such-directive yes\n")
    service.start()
    with pytest.raises(ProcessFailed, match="no-such-directive"):
        service.ready()


def test_a_free_port_is_not_handed_out_twice() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == len(ports)


def test_a_free_port_can_be_bound_by_a_server() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((LOOPBACK, free_port()))
