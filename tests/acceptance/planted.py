"""Secrets that are planted in a deployment, and all the places in which they are looked for."""

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import psutil
import psycopg
import redis
from psycopg import sql
from sqlalchemy import make_url

from backend.devstack import Stack
from backend.doors import get_doors
from db.database import libpq_url


def planted(name: str) -> str:
    """Letters that no encoding but a whole one hides, behind a name that a finding shows."""
    return f"planted{name}{secrets.token_hex(12)}"


@dataclass
class Secrets:
    """By name. `deployment` are ours, `customers` come to be while it runs."""

    deployment: Mapping[str, str]
    customers: dict[str, str] = field(default_factory=dict)

    @property
    def all(self) -> Mapping[str, str]:
        return {**self.deployment, **self.customers}

    def found_in(self, text: str) -> set[str]:
        return {name for name, secret in self.all.items() if any(form in text for form in forms(secret))}


def forms(secret: str) -> set[str]:
    """As it is, in an address, in JSON, in hex, and in base64 wherever it begins there."""
    raw = secret.encode()
    whole = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], raw.hex()}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 :].decode()
        core = encoded.rstrip("=")[:-2]
        whole |= {core, core.translate(str.maketrans("+/", "-_"))}
    return whole


def of_a_deployment(stack: Stack, database_url: str) -> tuple[dict[str, str], dict[str, str]]:
    """The secrets, and the settings that hold them; real ones, with which its services are spoken to."""
    mine = {
        name: planted(name)
        for name in ("SigningKey", "Database", "Redis", "StoreKey", "ModelKey", "OtherModelKey", "CollectorKey")
    }
    with redis.Redis.from_url(stack.redis_url) as admin:
        admin.execute_command("ACL", "SETUSER", "planted", "on", f">{mine['Redis']}", "~*", "&*", "+@all")
    with psycopg.connect(libpq_url(database_url), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS planted")
        connection.execute(f"CREATE ROLE planted SUPERUSER LOGIN PASSWORD '{mine['Database']}'")
    database = make_url(database_url).set(username="planted", password=mine["Database"])
    broker = make_url(stack.redis_url).set(username="planted", password=mine["Redis"])
    return mine, {
        "SECRET_KEY": mine["SigningKey"],
        "DATABASE_URL": database.render_as_string(hide_password=False),
        "REDIS_URL": broker.render_as_string(hide_password=False),
        "AWS_SECRET_ACCESS_KEY": mine["StoreKey"],
        "COMPATIBLE_API_KEY": mine["ModelKey"],
        "OPENAI_API_KEY": mine["OtherModelKey"],
        "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={mine['CollectorKey']}",
    }


def rows_of(database_url: str) -> Iterator[tuple[str, str]]:
    """Every row of every table as text, with its table's name."""
    with psycopg.connect(libpq_url(database_url), autocommit=True) as connection:
        tables = [row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        for table in tables:
            for (row,) in connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))):
                yield table, row


def kept_in_redis(stack: Stack, prefix: str) -> Iterator[tuple[str, str]]:
    """Every key of the deployment, with all that is under it."""
    read = {"string": "get", "hash": "hgetall", "set": "smembers"}
    with redis.Redis.from_url(stack.redis_url) as client:
        for key in client.scan_iter(f"{prefix}*"):
            kind = client.type(key).decode()
            if kind == "list":
                value = client.lrange(key, 0, -1)
            elif kind == "zset":
                value = client.zrange(key, 0, -1)
            else:
                value = getattr(client, read[kind])(key)
            yield key.decode(), str(value)


def objects_of(stack: Stack) -> Iterator[tuple[str, str]]:
    storage = get_doors().storage
    for found in storage.list("users/"):
        yield found.key, storage.get_bytes(found.key).decode("latin-1")


def processes_below(*pids: int) -> Iterator[psutil.Process]:
    for pid in pids:
        root = psutil.Process(pid)
        yield from (root, *root.children(recursive=True))
