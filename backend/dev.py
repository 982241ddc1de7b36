"""`agensium dev`: the stack and the product staying up, code reloaded, addresses printed, until Ctrl+C.

`.agensium/env` tells every process started in this folder where the stack is, so that in a second terminal
`celery -A celery_queue.celery_app worker --pool=solo` works as typed.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dotenv import dotenv_values
from rich.console import Console
from watchfiles import PythonFilter, watch

from backend.devstack import embedded_stack
from backend.processes import Process, ProcessFailed
from backend.product import DRAIN_SECONDS, PACKAGES, ROOT, Product, running_product
from db.schema import migrate

HOME = Path(".agensium")
WELCOME = "1000"  # credits for each new customer, so that the README's first steps cost no operator's word
ENV_FILE = HOME / "env"  # settings.py reads it


def run_dev() -> int:
    """The exit code: 0 after Ctrl+C."""
    console = Console()
    try:
        _dev(console)
    except ProcessFailed as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nAll that was started is stopped.")
    return 0


def _dev(console: Console) -> None:
    os.environ.setdefault("SIGNUP_CREDITS", WELCOME)
    os.environ.setdefault("WEBHOOKS_TO_LOOPBACK", "true")  # a developer's own receiver is here
    console.print("Starting PostgreSQL, Redis and S3 …")
    with embedded_stack(HOME) as stack:
        migrate(stack.database_url)
        _warn_of_contradictions(console, stack.environment())
        console.print("Starting the API, a Celery worker and Flower …")
        with env_file(ENV_FILE, stack.environment()), running_product(stack, HOME / "logs", stays=True) as product:
            product.await_flower()
            _show_addresses(console, product, stack.environment())
            _restart_on_change(console, product.worker)


@contextmanager
def env_file(path: Path, values: Mapping[str, str]) -> Iterator[None]:
    """The values in a file that only we can read, for as long as they are true."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _warn_of_contradictions(console: Console, values: Mapping[str, str]) -> None:
    said = [name for name in dotenv_values(".env") if name.upper() in values]
    if said:
        console.print(f"[yellow]Your .env says {', '.join(said)} too and wins in a second terminal.[/]")


def _show_addresses(console: Console, product: Product, values: Mapping[str, str]) -> None:
    console.print(f"Open {product.api_url}/ in a browser.", style="bold", highlight=False, soft_wrap=True)
    addresses = {
        "API": f"{product.api_url}/docs",
        "Shell": f"agensium login you@example.com --new --url {product.api_url}",
        "Flower": product.flower_url,
        "PostgreSQL": values["DATABASE_URL"],
        "Broker": values["REDIS_URL"] or values["BROKER_DIR"],
        "S3": f"{values['S3_ENDPOINT_URL']}/{values['S3_BUCKET']} (in memory: a restart forgets the files)",
        "Logs": str(HOME / "logs"),
    }
    for name, address in addresses.items():
        console.print(f"  {name:<11}{address}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"Other terminals in this folder find the same stack by {ENV_FILE}.", soft_wrap=True)
    console.print("Ctrl+C stops it all.")


def _restart_on_change(console: Console, worker: Process) -> None:
    """The API reloads itself. The worker drains first: a task goes on, from its checkpoint, with the new code."""
    for changes in watch(*(ROOT / package for package in PACKAGES), watch_filter=PythonFilter(), raise_interrupt=True):
        changed = sorted({Path(path).relative_to(ROOT).as_posix() for _, path in changes})
        console.print(f"Changed: {', '.join(changed)}. Starting the worker anew.", highlight=False)
        worker.stop(DRAIN_SECONDS)
        worker.start()
