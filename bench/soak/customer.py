"""One customer of a soak, and how people hang up: in the middle of events, of a long poll, of a file."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from backend.client import AgensiumClient

BROKEN_OFF = 3  # events, after which a customer hangs up
ABANDONED_BYTES = 4_000_000  # announced; a quarter is sent


@dataclass(frozen=True, slots=True)
class Customer:
    """A signed-in client, and what is needed to go past it: it never hangs up by itself."""

    client: AgensiumClient
    url: str
    secret: Mapping[str, str]


def hang_up_on_events(customer: Customer, task_id: str) -> None:
    events: Any = customer.client.follow(task_id)
    for _, _event in zip(range(BROKEN_OFF), events, strict=False):
        pass
    events.close()


def hang_up(customer: Customer, path: str, seconds: float = 0.3) -> None:
    """Ask, and be gone before the answer, or as soon as it begins."""
    with (
        suppress(httpx.TimeoutException),
        httpx.stream("GET", customer.url + path, headers=customer.secret, timeout=seconds, trust_env=False),
    ):
        pass


def send_a_quarter(customer: Customer, path: str) -> None:
    parts = urlsplit(customer.url)
    assert parts.hostname
    head = f"PUT {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {ABANDONED_BYTES}\r\n"
    head += f"Content-Type: text/csv\r\nAuthorization: {customer.secret['Authorization']}\r\n\r\n"
    with suppress(OSError), socket.create_connection((parts.hostname, parts.port or 80), timeout=5) as line:
        line.sendall(head.encode() + b"a,b\n" * (ABANDONED_BYTES // 16))
