"""What a container's health check asks: `python -m backend.alive http://127.0.0.1:8000/healthz`, or `… worker`.

Exit 0: alive. An address is asked without loading anything of the house, in 0.05 s of CPU. `worker` asks whether the
house has heard of a worker of this host lately: for when it starts, not for whether it is to be ended, since an outage
of the database is no fault of the worker's. It takes 0.7 s of CPU.
"""

import platform
import sys
from collections.abc import Sequence
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

ASK_SECONDS = 4.0
# A worker's row is refreshed every second; after this long without, PostgreSQL is gone for it, or it is frozen.
FRESH = timedelta(seconds=20)
GOOD = 200


def main(arguments: Sequence[str]) -> str | None:
    """None where it is alive, else what is wrong."""
    (asked,) = arguments
    return a_worker_is_here() if asked == "worker" else it_answers(asked)


def it_answers(url: str) -> str | None:
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", address.path)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"{url}: {error}"
    finally:
        connection.close()
    return None if status == GOOD else f"{url}: HTTP {status}"


def a_worker_is_here() -> str | None:
    """One of this host's, as the house knows it; also while it drains."""
    from db import workers
    from db.database import DATABASE_ERRORS, transaction

    try:
        with transaction() as session:
            hosts = {worker.host for worker in workers.live(session, FRESH)}
    except DATABASE_ERRORS as error:
        return f"the database does not answer ({type(error).__name__})"
    return None if platform.node() in hosts else f"no worker of {platform.node()} was heard of for {FRESH}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
