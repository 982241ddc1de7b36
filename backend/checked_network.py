"""Connections to the open internet only: for addresses that customers name.

A name is resolved here, each address that it has is looked at, and the connection goes to the very address that was
looked at, whatever the name says a moment later. Nothing lasts longer than the deadline, however slowly bytes drip.
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

import httpcore

from backend.clock import monotonic

LOCAL = tuple(ipaddress.ip_network(net) for net in ("127.0.0.0/8", "::1/128"))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenAddress(httpcore.ConnectError):
    """The host has an address to which customers cannot send us; the text is fit to be shown."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is an address of a private network.")


def allowed(address: Address, *, loopback: bool) -> bool:
    """Whether customers may have us send there: the open internet, and this machine where a setting says so."""
    if loopback and any(address in net for net in LOCAL if net.version == address.version):
        return True
    return all(one.is_global and not one.is_multicast for one in (address, *_hidden_in(address)))


def _hidden_in(address: Address) -> Iterable[Address]:
    """The IPv4 addresses that an IPv6 address stands for, by whatever way of translating."""
    if not isinstance(address, ipaddress.IPv6Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or int(address) >> 32 == 0:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return [one for one in found if one is not None]


def literal(host: str) -> Address | None:
    """The address that a host is written as, also in the ways that only resolvers know: 127.1, 0x7f000001."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


class CheckedNetwork(httpcore.NetworkBackend):
    """httpcore's own connections, once the address was looked at. `deadline` is on the clock of `monotonic`."""

    def __init__(self, *, loopback: bool) -> None:
        self._loopback = loopback
        self._sockets = httpcore.SyncBackend()
        self.deadline = 0.0

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise httpcore.ConnectError(f"{host} is not known") from None
        addresses = [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found]
        if not addresses or not all(allowed(one, loopback=self._loopback) for one in addresses):
            raise ForbiddenAddress(host)
        left = _left(self.deadline, timeout)
        stream = self._sockets.connect_tcp(str(addresses[0]), port, left, local_address, socket_options)
        return _DeadlineStream(stream, self.deadline)


class _DeadlineStream(httpcore.NetworkStream):
    """A stream whose every wait ends at the deadline, so that a drip of bytes holds nobody."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(
            self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout)), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left if timeout is None else min(left, timeout)
