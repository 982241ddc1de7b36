import threading
import uuid
from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook

from backend import webhook_door
from backend.settings import Settings
from backend.webhook_door import Refused, WebhookDoor
from tests.webhook_receiver import Receiver, receiving

ENDPOINT = uuid.UUID(int=7)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def door(**settings: object) -> WebhookDoor:
    return WebhookDoor(Settings(_env_file=None, **{"webhooks_to_loopback": True, **settings}))


def send(url: str, the_door: WebhookDoor | None = None) -> webhook_door.Answer:
    the_door = the_door or door()
    return the_door.send(url, the_door.signers(ENDPOINT, 1), "msg_1", b'{"type":"webhook.test"}')


def test_a_message_is_signed_as_standard_webhooks_verifies_it(receiver: Receiver) -> None:
    answer = send(receiver.url())
    assert (answer.status_code, answer.failure) == (204, None)
    [received] = receiver.received
    assert Webhook(door().secret(ENDPOINT, 1)).verify(received.body, received.headers) == {"type": "webhook.test"}
    assert received.headers["webhook-id"] == "msg_1"
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_secret_is_the_endpoints_the_versions_and_our_own() -> None:
    secrets = {
        door().secret(ENDPOINT, 1),
        door().secret(ENDPOINT, 2),
        door().secret(uuid.UUID(int=8), 1),
        door(secret_key="another secret of thirty-two characters").secret(ENDPOINT, 1),
    }
    assert len(secrets) == 4
    assert door().secret(ENDPOINT, 1) in secrets


@pytest.mark.parametrize("status", [200, 202])
def test_any_2xx_takes_the_message(receiver: Receiver, status: int) -> None:
    receiver.answers.append((status, {}))
    assert send(receiver.url()).failure is None


@pytest.mark.parametrize("status", [302, 400, 410, 500])
def test_any_other_answer_is_a_failure(receiver: Receiver, status: int) -> None:
    receiver.answers.append((status, {"retry-after": "7", "location": "http://127.0.0.1:1/"}))
    answer = send(receiver.url())
    assert (answer.status_code, answer.failure, answer.retry_after) == (status, f"It answered {status}.", "7")
    assert len(receiver.received) == 1


def test_a_redirect_that_keeps_the_method_is_followed(receiver: Receiver) -> None:
    receiver.answers.append((307, {"location": "/moved"}))
    assert send(receiver.url()).failure is None
    assert [one.path for one in receiver.received] == ["/hook", "/moved"]


def test_a_redirect_into_a_private_network_is_refused(receiver: Receiver) -> None:
    receiver.answers.append((308, {"location": "https://169.254.169.254/latest/meta-data"}))
    answer = send(receiver.url())
    assert answer.failure == "169.254.169.254 is an address of a private network."
    assert answer.status_code is None


def test_redirects_without_end_are_a_failure(receiver: Receiver) -> None:
    receiver.answers.extend([(307, {"location": "/again"})] * 9)
    assert send(receiver.url()).failure == "It redirects more than 3 times."
    assert len(receiver.received) == 4


def test_a_redirect_to_what_is_no_address_is_a_failure(receiver: Receiver) -> None:
    receiver.answers.append((307, {"location": "https://["}))
    assert send(receiver.url()).failure == "It redirects to what is no address."


def test_a_redirect_to_what_is_no_name_is_a_failure(receiver: Receiver) -> None:
    receiver.answers.append((307, {"location": "https://a..b/"}))
    assert send(receiver.url()).failure == "Its host is no name."


def test_who_does_not_answer_is_not_waited_for(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_door, "SECONDS", 0.3)
    receiver.hang = threading.Event()
    answer = send(receiver.url())
    assert answer.failure == "No answer within 0.3 s."
    assert answer.duration_ms < 3000


def test_who_is_not_there_is_a_failure() -> None:
    assert send("http://127.0.0.1:1/hook").failure == "The connection failed: ConnectError."


def test_without_the_setting_this_machine_is_private(receiver: Receiver) -> None:
    the_door = door(webhooks_to_loopback=False)
    assert "must begin with https" in str(send(receiver.url(), the_door).failure)
    assert receiver.received == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/", "https://"),
        ("ftp://example.com/", "https://"),
        ("https:///nowhere", "name a host"),
        ("https://ada:secret@example.com/", "no user or password"),
        ("https://10.0.0.1/", "private network"),
        ("https://[::ffff:10.0.0.1]/", "private network"),
        ("https://2130706433/", "private network"),
        ("https://[fe80::1%25eth0]/", "private network"),
        ("https://example.com:99999/", "no address"),
        ("https://exämple.com/", "characters"),
        ("https://example.com/a b", "characters"),
        ("https://example.com/\r\nx: y", "characters"),
        ("https://example.com/" + "a" * 2000, "too long"),
        ("https://a..b/", "no name"),
        ("https://.example.com/", "no name"),
        (f"https://{'a' * 64}.example.com/", "no name"),
        ("no address", "characters"),
        ("", "https://"),
    ],
)
def test_an_address_that_is_wrong_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        door(webhooks_to_loopback=False).check(url)


def test_a_public_address_is_taken() -> None:
    door(webhooks_to_loopback=False).check("https://example.com:8443/hook?key=1")
