"""Commands that serve until a signal ends them, apart from the worker: the API and Flower. Both stay on the loopback.

`uvicorn backend.main:app` and `celery -A celery_queue.broker_app flower` are the same servers; these say what a
deployment would otherwise have to know of them.
"""

import os
import sys
from typing import Annotated

import typer

LOOPBACK = "127.0.0.1"
BASIC_AUTH = "FLOWER_BASIC_AUTH"  # Flower's own variable: name:password, of several people with commas


def api(
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 in a container.")] = LOOPBACK,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    forwarded_allow_ips: Annotated[
        str, typer.Option(help="Proxies whose X-Forwarded-For and -Proto are believed: addresses or networks, or *.")
    ] = LOOPBACK,
    grace: Annotated[int, typer.Option(min=0, help="Seconds that requests have left at the end.")] = 10,
) -> None:
    """Serve the API and the pages, in one process: more of them are more containers, each with numbers of its own."""
    import uvicorn

    uvicorn.run(
        "backend.main:app",
        host=host,
        port=port,
        http="h11",  # ends a request whose headers pass 64 KB; httptools, which may be installed, takes any
        workers=1,  # else WEB_CONCURRENCY would say: several processes behind one address share no /metrics
        proxy_headers=True,
        forwarded_allow_ips=forwarded_allow_ips,
        timeout_graceful_shutdown=grace,
        server_header=False,
    )


def flower(
    address: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 in a container.")] = LOOPBACK,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 5555,
) -> None:
    """Show the tasks in Flower to those named in FLOWER_BASIC_AUTH=name:password."""
    name, _, password = os.environ.get(BASIC_AUTH, "").partition(":")
    if not (name and password):
        sys.exit(f"Flower shows every task and can end workers: set {BASIC_AUTH}=name:password.")
    from celery_queue.flower_start import run

    sys.exit(run(address, port))
