"""Agensium's own processes beside an embedded stack: the API, a Celery worker and Flower.

Knows how they are typed and when they are ready; what is done with them is demo.py's and dev.py's.
"""

import os
import secrets
import signal
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backend.devstack import Stack
from backend.ports import LOOPBACK, free_port, port_near
from backend.processes import AT_ONCE, Process

CELERY = ("celery", "-A", "celery_queue.celery_app")
FLOWER = ("celery", "-A", "celery_queue.broker_app", "flower")
WORKER = ("celery_queue.worker",)
PACKAGES = ("api", "backend", "celery_queue", "db", "transformers")
ROOT = Path(__file__).parents[1]
PORT = 8000  # of the API that stays up: people remember it, and the shell looks there by itself
READY_SECONDS = 60.0  # 3 s when idle
LOOK_SECONDS = 0.1  # between two questions to who is starting: each takes from it what it starts with
DRAIN_SECONDS = 15.0  # a worker's own drain (9 s) and some air
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy has no business on the loopback


@dataclass(frozen=True)
class Product:
    """The running processes and where a person finds them."""

    api: Process
    worker: Process
    flower: Process
    api_url: str
    flower_url: str  # with the name and the password that it asks for

    def await_flower(self) -> None:
        """A courtesy, so nothing else waits for it. Raises ProcessFailed."""
        self.flower.wait_until(lambda: answers(f"{self.flower_url}/healthcheck"), READY_SECONDS, LOOK_SECONDS)


@contextmanager
def running_product(stack: Stack, logs: Path, *, stays: bool = False) -> Iterator[Product]:
    """Start the three, wait until a task could run, stop them in order whatever happens.

    What stays up reloads its code, and drains at its end. Else all is over at once: of the stack nothing is kept.
    """
    product = _product(product_environment(stack), logs, reload=stays)
    with ExitStack() as cleanup:
        for process in (product.api, product.worker, product.flower):
            cleanup.callback(partial(process.stop, DRAIN_SECONDS) if stays else process.kill)
            process.start()
        product.api.wait_until(lambda: answers(f"{product.api_url}/healthz"), READY_SECONDS, LOOK_SECONDS)
        product.worker.wait_until(lambda: answers(f"{product.api_url}/readyz"), READY_SECONDS, LOOK_SECONDS)
        yield product


def product_environment(stack: Stack) -> dict[str, str]:
    """This process' environment with the stack's addresses, and without what would lead elsewhere."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CELERY_"))}
    return mine | stack.environment() | {"ENVIRONMENT": "development", "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK}


def _product(environment: Mapping[str, str], logs: Path, *, reload: bool) -> Product:
    api_port = port_near(PORT) if reload else free_port()
    flower_port = free_port()
    password = secrets.token_urlsafe(12)  # Flower has none by itself and shows every argument of every task

    def process(name: str, *command: str, stop_signal: int = signal.SIGTERM, aside: bool = False) -> Process:
        arguments, log = [sys.executable, "-m", *command], logs / f"{name}.log"
        return Process(name, arguments, log, environment=environment, stop_signal=stop_signal, aside=aside)

    return Product(
        api=process("api", *api_command(api_port, reload=reload)),
        worker=process("worker", *WORKER),
        flower=process(
            "flower", *FLOWER, f"--address={LOOPBACK}", f"--port={flower_port}", f"--basic-auth=agensium:{password}",
            stop_signal=AT_ONCE,  # it takes 15 s to say goodbye and has nothing to save
            aside=True,
        ),
        api_url=f"http://{LOOPBACK}:{api_port}",
        flower_url=f"http://agensium:{password}@{LOOPBACK}:{flower_port}",
    )  # fmt: skip


def api_command(port: int, *, reload: bool) -> list[str]:
    """The API as it is typed, after `python -m`."""
    watched = [part for package in PACKAGES for part in ("--reload-dir", str(ROOT / package))] if reload else []
    return ["uvicorn", "backend.main:app", "--host", LOOPBACK, "--port", str(port), *(["--reload"] * reload), *watched]


def answers(url: str) -> bool:
    """True where the address answers without an error; a name and password in it are left out."""
    scheme, _, rest = url.partition("://")
    address = f"{scheme}://{rest.rpartition('@')[2]}"
    try:
        with _DIRECT.open(address, timeout=5):
            return True
    except OSError:  # refused, reset, or an HTTP error such as /readyz' 503
        return False
