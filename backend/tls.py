"""What leaves this machine is encrypted, and the other side is proven to be who it is: addresses said so.

PostgreSQL's `prefer` and kombu's `rediss://` both take any certificate where nobody says otherwise (PITFALLS 18). An
address that says how it wants it is left to say so; `agensium doctor` tells of it. Opens no connection.
"""

import os
import ssl
import sys
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

REDIS_TLS = "rediss"
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


def stays_here(host: str) -> bool:
    """True for this machine's own loopback, and for a Unix socket (a path, or no name at all)."""
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def verified_redis_url(url: str) -> str:
    """`rediss://` always wants a certificate that is proven; `?ssl_ca_certs=FILE` names a private authority."""
    parts = urlsplit(url)
    if parts.scheme != REDIS_TLS:
        return url
    said = _said(parts.query)
    said.pop("ssl_check_hostname", None)  # else it is checked
    return urlunsplit(parts._replace(query=urlencode(said | {"ssl_cert_reqs": "required"})))


def redis_tls(url: str) -> dict[str, object] | None:
    """The same for kombu and Celery, which take it apart from the address; None without TLS."""
    parts = urlsplit(url)
    if parts.scheme != REDIS_TLS:
        return None
    said = _said(parts.query)
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED} | {name: said[name] for name in _FILES if name in said}


def _said(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query).items()}


def postgres_tls(hosts: tuple[str, ...], said: Mapping[str, object]) -> dict[str, str]:
    """What an address of PostgreSQL lacks for a verified connection; nothing where it says how it wants it.

    The environment may say it, too, in libpq's own words.
    """
    if "sslmode" in said or "PGSSLMODE" in os.environ or all(stays_here(host) for host in hosts):
        return {}
    named = "sslrootcert" in said or "PGSSLROOTCERT" in os.environ or _of_this_account().exists()
    return {"sslmode": "verify-full"} | ({} if named else {"sslrootcert": authorities()})


def _of_this_account() -> Path:
    """Where libpq looks by itself."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", ""), "postgresql", "root.crt")
    return Path(os.environ.get("HOME", ""), ".postgresql", "root.crt")


def authorities() -> str:
    """The file of the authorities that this machine trusts. psycopg's wheel brings an OpenSSL whose own place for them
    is empty, so that `sslrootcert=system` trusts nobody there.
    """
    return ssl.get_default_verify_paths().cafile or "system"
