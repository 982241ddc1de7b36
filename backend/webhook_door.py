"""The way out to customers' webhooks: signed after Standard Webhooks, to addresses that were looked at.

The secret that a customer verifies with is kept nowhere: it follows from our own secret and the endpoint's id.
"""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import httpcore
from standardwebhooks import Webhook

from backend.checked_network import CheckedNetwork, ForbiddenAddress, allowed, literal
from backend.clock import monotonic, now
from backend.settings import Settings

SECONDS = 10.0  # for a whole attempt
MOST_REDIRECTS = 3
KEEP_THE_METHOD = frozenset({307, 308})  # the other redirects would turn the POST into a GET
LONGEST_URL = 2000
LONGEST_LABEL = 63  # of a host's name, between two dots (RFC 1035)
TIMEOUTS = dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)


class Refused(Exception):
    """An address to which nothing is sent; the text says why, fit to be shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said; `failure` is fit to be shown, None where it took the message."""

    status_code: int | None = None
    failure: str | None = None
    retry_after: str | None = None
    duration_ms: int = 0


class WebhookDoor:
    """For one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        self._secret_key = settings.secret_key.get_secret_value().encode()
        previous = settings.secret_key_previous
        self._previous_key = previous.get_secret_value().encode() if previous else None
        self._loopback = settings.webhooks_to_loopback
        self._network = CheckedNetwork(loopback=self._loopback)

    def secret(self, endpoint_id: uuid.UUID, version: int) -> str:
        return _secret(self._secret_key, endpoint_id, version)

    def signers(self, endpoint_id: uuid.UUID, version: int) -> Sequence[str]:
        """The secrets that a message is signed with: a customer who has the one before SECRET_KEY was exchanged
        verifies with that.
        """
        keys = (self._secret_key, self._previous_key) if self._previous_key else (self._secret_key,)
        return [_secret(key, endpoint_id, version) for key in keys]

    def check(self, url: str) -> None:
        """What can be said of an address before its name is resolved.

        Raises:
            Refused
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise Refused("It is no address.") from None
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise Refused("It is too long, or holds characters that an address must not hold.")
        if parts.scheme != "https" and not (parts.scheme == "http" and self._loopback and _is_local(host)):
            raise Refused("It must begin with https://.")
        if not host or parts.username is not None or parts.password is not None or port == 0:
            raise Refused("It must name a host, and no user or password.")
        address = literal(host)
        if address is None and not all(0 < len(label) <= LONGEST_LABEL for label in host.removesuffix(".").split(".")):
            raise Refused("Its host is no name.")
        if address is not None and not allowed(address, loopback=self._loopback):
            raise Refused(str(ForbiddenAddress(host)))

    def send(self, url: str, secrets: Sequence[str], message_id: str, body: bytes) -> Answer:
        """One attempt, signed with each of the secrets; never raises for what the other side does or does not."""
        began = monotonic()
        self._network.deadline = began + SECONDS
        answer = self._attempt(url, _signed(secrets, message_id, now(), body), body)
        return Answer(answer.status_code, answer.failure, answer.retry_after, round(1000 * (monotonic() - began)))

    def _attempt(self, url: str, headers: dict[bytes | str, bytes | str], body: bytes) -> Answer:
        try:
            return self._post(url, headers, body)
        except (Refused, ForbiddenAddress) as error:
            return Answer(failure=str(error))
        except (httpcore.TimeoutException, TimeoutError):
            return Answer(failure=f"No answer within {SECONDS:g} s.")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as error:
            return Answer(failure=f"The connection failed: {type(error).__name__}.")

    def _post(self, url: str, headers: dict[bytes | str, bytes | str], body: bytes) -> Answer:
        with closing(httpcore.ConnectionPool(network_backend=self._network)) as pool:
            for _ in range(MOST_REDIRECTS + 1):
                self.check(url)
                with pool.stream("POST", url, headers=headers, content=body, extensions={"timeout": TIMEOUTS}) as said:
                    status, told = said.status, {name.lower(): value.decode("latin-1") for name, value in said.headers}
                if status not in KEEP_THE_METHOD or b"location" not in told:
                    taken = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
                    return Answer(status, None if taken else f"It answered {status}.", told.get(b"retry-after"))
                url = _joined(url, told[b"location"])
        raise Refused(f"It redirects more than {MOST_REDIRECTS} times.")


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise Refused("It redirects to what is no address.") from None


def message_id(task_id: uuid.UUID, seq: int) -> str:
    """The header `webhook-id`: the same for each attempt, and for a replay."""
    return f"msg_{task_id.hex}_{seq}"


def _is_local(host: str) -> bool:
    address = literal(host)
    return host == "localhost" if address is None else address.is_loopback


def _secret(key: bytes, endpoint_id: uuid.UUID, version: int) -> str:
    said = f"webhook:{endpoint_id}:{version}".encode()
    return "whsec_" + base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()


def _signed(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[bytes | str, bytes | str]:
    return {
        "content-type": "application/json",
        "user-agent": "Agensium-Webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, at, body.decode()) for secret in secrets),
    }
