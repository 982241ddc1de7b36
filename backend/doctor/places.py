"""An address as it may be shown, and whether what is sent there leaves a network of our own."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from backend.tls import stays_here


def shown(url: str) -> str:
    """Scheme, host, port and path: no name, no password, no query."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def is_public(host: str) -> bool:
    """True where some address of the host is one of the Internet's; a name that nobody knows is not."""
    if stays_here(host):
        return False
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return any(ip_address(address.partition("%")[0]).is_global for address in found)
