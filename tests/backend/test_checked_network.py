import ipaddress
import socket
import threading
from typing import Any

import httpcore
import pytest

from backend.checked_network import CheckedNetwork, ForbiddenAddress, allowed, literal
from backend.clock import monotonic

PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),  # noqa: S104 (nobody binds)
    *(
        "255.255.255.255",
        "198.18.0.1",
        "192.0.0.1",
        "192.0.0.192",
        "168.63.129.16",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
    ),
    *(
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "fec0::1",
        "::ffff:0:a00:1",
        "5f00::1",
        *("2600:1f18::5efe:a00:1", "2600:1f18::200:5efe:a00:1"),
        "2002:a00:1::",
        "2001:0:a00:1:0:0:f5ff:fffe",
        "::10.0.0.1",
    ),
)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_allowed_however_it_is_wrapped(address: str) -> None:
    assert not allowed(ipaddress.ip_address(address), loopback=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_the_open_internet_is_allowed(address: str) -> None:
    assert allowed(ipaddress.ip_address(address), loopback=False)


def test_the_setting_allows_this_machine_and_no_private_network() -> None:
    open_to_us = {one for one in PRIVATE if allowed(ipaddress.ip_address(one), loopback=True)}
    assert open_to_us == {"127.0.0.1", "::1"}


@pytest.mark.parametrize("written", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "::1"])
def test_an_address_is_known_however_it_is_written(written: str) -> None:
    address = literal(written)
    assert address is not None
    assert address.is_loopback


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    really = socket.getaddrinfo

    def answer(host: str, port: int, *more: Any, **said: Any) -> list[Any]:
        if not host.endswith(".example"):
            return really(host, port, *more, **said)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_a_name_with_one_private_address_among_its_addresses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "93.184.216.34", "10.0.0.1")
    network = CheckedNetwork(loopback=False)
    network.deadline = monotonic() + 5
    with pytest.raises(ForbiddenAddress, match=r"evil\.example is an address of a private network"):
        network.connect_tcp("evil.example", 443)


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        network = CheckedNetwork(loopback=True)
        network.deadline = monotonic() + 5
        stream = network.connect_tcp("rebinding.example", server.getsockname()[1])
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        stream.close()


def test_another_of_its_addresses_is_tried_when_the_first_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "::1", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        network = CheckedNetwork(loopback=True)
        network.deadline = monotonic() + 5
        stream = network.connect_tcp("two.example", server.getsockname()[1])
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        stream.close()


def test_a_name_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait(5))
    network = CheckedNetwork(loopback=True)
    network.deadline = monotonic() + 0.2
    with pytest.raises(httpcore.ConnectTimeout):
        network.connect_tcp("slow.example", 443)
    asked.set()


def test_nothing_outlasts_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        network = CheckedNetwork(loopback=True)
        network.deadline = monotonic() + 0.2
        stream = network.connect_tcp("127.0.0.1", server.getsockname()[1])
        with pytest.raises(httpcore.ReadTimeout):
            stream.read(1, timeout=60)
        with pytest.raises(httpcore.ReadTimeout):
            stream.write(b"late")
        stream.close()
