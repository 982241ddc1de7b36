"""Connections to the open internet only: for addresses that customers name.

A name is resolved here, each address that it has is looked at, and the connection goes to the very address that was
looked at, whatever the name says a moment later. Nothing lasts longer than the deadline, however slowly bytes drip.
"""

import ipaddress
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import httpcore

from backend.clock import monotonic

LOOKUPS = 16  # names that are asked for at once
LOCAL = tuple(ipaddress.ip_network(net) for net in ("127.0.0.0/8", "::1/128"))
# A cloud's own, which Python's list leaves open: IANA's special block (Oracle's metadata), and Azure's host.
_CLOUDS = tuple(ipaddress.ip_network(net) for net in ("192.0.0.0/24", "168.63.129.16/32"))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
_ISATAP = 0x0000_5EFE  # the upper half of the interface, but for its bit that says who gave it

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenAddress(httpcore.ConnectError):
    """The host has an address to which customers cannot send us; the text is fit to be shown."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is an address of a private network.")


def allowed(address: Address, *, loopback: bool) -> bool:
    """Whether customers may have us send there: the open internet, and this machine where a setting says so.

    Of IPv6 only what is given out to the world, and what stands for an IPv4 address there.
    """
    if loopback and any(address in net for net in LOCAL if net.version == address.version):
        return True
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return _open(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        return address in _GIVEN_OUT and _open(address) and all(_open(one) for one in _hidden_in(address))
    return _open(address)


def _open(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in net for net in _CLOUDS)


def _hidden_in(address: ipaddress.IPv6Address) -> Iterable[Address]:
    """The IPv4 addresses that an IPv6 address leads to: 6to4, Teredo, ISATAP."""
    found = [address.sixtofour, *(address.teredo or ())]
    if (int(address) >> 32) & 0xFDFF_FFFF == _ISATAP:
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
        addresses = self._addresses_of(host, port)
        if not addresses or not all(allowed(one, loopback=self._loopback) for one in addresses):
            raise ForbiddenAddress(host)
        refused = httpcore.ConnectError(f"{host} is not known")
        for address in addresses:
            left = _left(self.deadline, timeout)
            try:
                stream = self._sockets.connect_tcp(str(address), port, left, local_address, socket_options)
            except (httpcore.ConnectError, OSError) as error:  # another of its addresses may answer
                refused = httpcore.ConnectError(str(error))
            else:
                return _DeadlineStream(stream, self.deadline)
        raise refused

    def _addresses_of(self, host: str, port: int) -> list[Address]:
        """Asked in a thread: a resolver has no deadline, and a customer may keep a name server that never answers."""
        asked = _lookups().submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            found = asked.result(_left(self.deadline, None))
        except TimeoutError:
            asked.cancel()
            raise httpcore.ConnectTimeout from None
        except (OSError, UnicodeError):
            raise httpcore.ConnectError(f"{host} is not known") from None
        return list(dict.fromkeys(ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found))


@cache
def _lookups() -> ThreadPoolExecutor:
    """One a process, begun by its first look-up."""
    return ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")


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
