"""How often somebody may try to sign in, before it is known who they are: counted for all API processes at once.

Three counts, each for its own attack. One account from one network: a password is not to be guessed. One network, on
whatever accounts: nor one password for many. One account, from wherever: nor by a thousand machines; but a network from
which the customer has signed in this month is not held up by strangers, so nobody can lock a customer out.

Nothing here asks whether there is such an account: known and unknown addresses are counted alike.
"""

import ipaddress
from contextlib import suppress
from types import TracebackType
from typing import Self

from starlette.requests import Request

from api.credentials import keyed_digest
from backend.errors import Unauthenticated
from backend.settings import get_settings
from db import sign_in_tries
from db.database import DATABASE_ERRORS, transaction
from db.sign_in_tries import Counted, Patience

A_QUARTER_OF_AN_HOUR = 900.0  # seconds
# Ten failures at once, then in the long run four an hour: a hundred guesses a day.
PAIR = Patience(free=10, longest=A_QUARTER_OF_AN_HOUR, forgotten=A_QUARTER_OF_AN_HOUR)
# Many people sit behind one address, and who signs in is not counted: twenty failures, then one each ten seconds.
NETWORK = Patience(free=20, longest=60.0, forgotten=10.0)
# From networks that the account has not been used from: fifty failures, then one a minute for all of them together.
ACCOUNT = Patience(free=50, longest=60.0, forgotten=60.0)
# Accounts opened from one network: what is told of an address that is taken is told as slowly.
OPENED = Patience(free=20, longest=60.0, forgotten=10.0)


class SignInTry:
    """One try to sign in to an account, around the look at its password: only Unauthenticated leaves it counted.

    Raises:
        TooManyRequests: with the seconds until the next try.
    """

    def __init__(self, request: Request, email: str) -> None:
        network = network_of(request)
        self._pair = keyed_digest("pair", email, network)
        self._counts = _limited(
            Counted(self._pair, PAIR),
            Counted(keyed_digest("network", network), NETWORK),
            Counted(keyed_digest("account", email), ACCOUNT, spared_by=self._pair),
        )

    def __enter__(self) -> Self:
        _count_now(self._counts)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _failure: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if not self._counts or (kind is not None and issubclass(kind, Unauthenticated)):
            return
        if kind is None:
            with transaction() as session:
                sign_in_tries.succeeded(session, self._counts, known=self._pair)
        else:  # no turn at hashing, no database: it was never judged, and what has happened is what is told
            with suppress(*DATABASE_ERRORS), transaction() as session:
                sign_in_tries.take_back(session, self._counts)


def check_opening(request: Request) -> None:
    """Raises TooManyRequests: too many accounts were opened, or tried, from one network."""
    _count_now(_limited(Counted(keyed_digest("opened", network_of(request)), OPENED)))


def network_of(request: Request) -> str:
    """Who is counted as one: an IPv4 address, or the /64 of IPv6 that one line is given. Behind a proxy it is the
    client's where uvicorn is told to believe that proxy (FORWARDED_ALLOW_IPS).
    """
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)


def _limited(*counts: Counted) -> list[Counted]:
    """None where nobody is limited."""
    return list(counts) if get_settings().requests_per_second else []


def _count_now(counts: list[Counted]) -> None:
    if counts:
        with transaction() as session:
            sign_in_tries.count(session, counts)
