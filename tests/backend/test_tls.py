"""Over TLS nobody is believed who cannot prove it: Redis as broker, as result backend and as probe; PostgreSQL; S3."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import pytest
import redis
from botocore.exceptions import SSLError
from celery import Celery
from kombu.exceptions import OperationalError

from api import readiness
from backend import tls
from backend.devstack import Stack
from backend.settings import Settings
from backend.storage.door import Storage
from celery_queue.celery_config import celery_config
from db import database
from db.wakeups import Listener
from tests.conftest import forget_settings
from tests.tls_endpoint import Authority, authority, tls_in_front_of

HERE = "127.0.0.1"
NAMED = "db.example.com"  # never looked up: libpq is told where it is, and what it is called


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("strange"), "strange")


@pytest.fixture(scope="module")
def redis_port(stack: Stack, ours: Authority) -> Iterator[int]:
    assert stack.redis is not None
    with tls_in_front_of(stack.redis.port, ours.server(HERE)) as port:
        yield port


@pytest.fixture(scope="module")
def postgres_port(stack: Stack, ours: Authority) -> Iterator[int]:
    with tls_in_front_of(stack.postgres.port, ours.server(NAMED), postgres=True) as port:
        yield port


def redis_url(stack: Stack, port: int, **said: str) -> str:
    password = urlsplit(stack.redis_url).password
    return f"rediss://:{password}@{HERE}:{port}/0?" + "&".join(f"{name}={quote(value)}" for name, value in said.items())


def postgres_url(stack: Stack, port: int, name: str = NAMED, **said: str) -> str:
    parts = urlsplit(stack.database_url)
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in ({"hostaddr": HERE} | said).items())
    return f"postgresql://{parts.username}:{parts.password}@{name}:{port}/postgres?{query}"


def broker(url: str) -> None:
    with Celery(set_as_current=False) as app:
        app.conf.update(celery_config(Settings(_env_file=None, redis_url=url)))
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            connection.default_channel.client.ping()


def result_backend(url: str) -> None:
    with Celery(set_as_current=False) as app:
        app.conf.update(celery_config(Settings(_env_file=None, redis_url=url)))
        client = app.backend.client
        try:
            client.ping()
        finally:
            client.close()


ASKED: Mapping[str, Callable[[str], None]] = {
    "broker": broker, "result backend": result_backend, "probe": readiness._knock,
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_redis_that_proves_itself_by_our_authority_is_spoken_to(
    stack: Stack, ours: Authority, redis_port: int, asked: str
) -> None:
    ASKED[asked](redis_url(stack, redis_port, ssl_ca_certs=str(ours.file)))


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("said", ["nothing", "none", "strange"])
def test_redis_that_proves_nothing_is_not_spoken_to(
    stack: Stack, strange: Authority, redis_port: int, asked: str, said: str
) -> None:
    """Neither by the system's authorities, nor by another than its own, nor where the address asks for no proof."""
    words = {"nothing": {}, "none": {"ssl_cert_reqs": "none"}, "strange": {"ssl_ca_certs": str(strange.file)}}[said]
    with pytest.raises((redis.ConnectionError, OperationalError), match="CERTIFICATE_VERIFY_FAILED"):
        ASKED[asked](redis_url(stack, redis_port, **words))


@pytest.mark.parametrize("asked", ASKED)
def test_redis_under_another_name_than_its_certificates_is_not_spoken_to(
    stack: Stack, ours: Authority, asked: str
) -> None:
    assert stack.redis is not None
    words = {"ssl_ca_certs": str(ours.file), "ssl_check_hostname": "false"}
    with (
        tls_in_front_of(stack.redis.port, ours.server("other.example.com")) as port,
        pytest.raises((redis.ConnectionError, OperationalError), match="IP address mismatch"),
    ):
        ASKED[asked](redis_url(stack, port, **words))


def connect(url: str) -> None:
    with psycopg.connect(database.libpq_url(url), connect_timeout=5) as connection:
        assert connection.pgconn.ssl_in_use
        connection.execute("SELECT 1")


def test_postgresql_elsewhere_is_verified_though_the_address_says_nothing_of_it(
    stack: Stack, ours: Authority, postgres_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect(postgres_url(stack, postgres_port))
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.file))  # what the system trusts
    connect(postgres_url(stack, postgres_port))


def test_a_private_authority_of_postgresql_is_named_in_its_address(
    stack: Stack, ours: Authority, strange: Authority, postgres_port: int
) -> None:
    connect(postgres_url(stack, postgres_port, sslrootcert=str(ours.file)))
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect(postgres_url(stack, postgres_port, sslrootcert=str(strange.file)))


def test_postgresql_under_another_name_than_its_certificates_is_refused(
    stack: Stack, ours: Authority, postgres_port: int
) -> None:
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        connect(postgres_url(stack, postgres_port, "other.example.com", sslrootcert=str(ours.file)))


def test_the_engine_and_the_listener_connect_in_the_same_way(
    stack: Stack, ours: Authority, postgres_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_url(stack, postgres_port, sslrootcert=str(ours.file))
    with database.transactions_at(url) as begin, begin() as session:
        driver = session.connection().connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        assert driver.pgconn.ssl_in_use
    monkeypatch.setenv("DATABASE_URL", postgres_url(stack, postgres_port))
    forget_settings()
    try:
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            Listener()
    finally:
        forget_settings()


def test_a_server_without_tls_elsewhere_is_refused_unless_the_address_allows_it(stack: Stack) -> None:
    port = stack.postgres.port
    with pytest.raises(psycopg.OperationalError, match="server does not support SSL"):
        connect(postgres_url(stack, port))
    with psycopg.connect(database.libpq_url(postgres_url(stack, port, sslmode="disable"))) as connection:
        assert not connection.pgconn.ssl_in_use


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("", True), ("/run/pg", True),
        ("postgres", False), ("10.0.0.7", False), ("db.example.com", False), ("localhost.example.com", False),
    ],
)  # fmt: skip
def test_only_the_loopback_and_sockets_stay_on_this_machine(host: str, here: bool) -> None:
    assert tls.stays_here(host) is here


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://a@db.example.com/b", "verify-full"),
        ("postgresql://a@one.example.com,127.0.0.1/b", "verify-full"),
        ("postgresql:///b?host=127.0.0.1&host=two.example.com", "verify-full"),
        ("postgresql://localhost/b?hostaddr=192.0.2.7", "verify-full"),
        ("postgresql://a@db.example.com/b?sslmode=require", "require"),
        ("postgresql://a@127.0.0.1/b", ""), ("postgresql:///b", ""), ("postgresql:///b?host=/run/pg", ""),
    ],
)  # fmt: skip
def test_an_address_is_completed_only_where_it_leaves_the_machine_and_says_nothing(url: str, mode: str) -> None:
    said = parse_qs(urlsplit(database.libpq_url(url)).query).get("sslmode")
    assert said == ([mode] if mode else None)
    assert database.sqlalchemy_url(url).partition("?")[2] == database.libpq_url(url).partition("?")[2]


@pytest.mark.parametrize("name", ["PGHOST", "PGHOSTADDR"])
def test_a_host_that_only_libpqs_environment_names_is_verified(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "192.0.2.7")
    assert "sslmode=verify-full" in database.libpq_url("postgresql:///b")
    assert "sslmode" not in database.libpq_url("postgresql://a@127.0.0.1/b")


def test_a_word_in_libpqs_own_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "require")
    assert "sslmode" not in database.libpq_url("postgresql://a@db.example.com/b")


@pytest.mark.parametrize("lane", ["lean", "boto3"])
def test_a_file_store_is_verified_on_both_lanes(
    stack: Stack, ours: Authority, monkeypatch: pytest.MonkeyPatch, lane: str, tmp_path: Path
) -> None:
    with tls_in_front_of(stack.storage.port, ours.server(HERE)) as port:
        values = {"s3_endpoint_url": f"https://{HERE}:{port}", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
        settings = Settings(_env_file=None, **values)  # type: ignore[arg-type]

        def ask() -> object:
            return Storage(settings).head("x") if lane == "lean" else Storage(settings).check()

        with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            ask()
        monkeypatch.setenv("AWS_CA_BUNDLE", str(ours.file))
        ask()
