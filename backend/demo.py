"""`agensium demo`: a real file through the whole product, as a customer sees it.

Without an address the product is started for it, and everything stopped after it. At the address of a deployment it is
run as its customer, and, for the credits, as its operator: where DATABASE_URL is set.
"""

import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from backend.client import AgensiumClient, CreditEntry, Download, Step, Task
from backend.devstack import Stack, embedded_stack
from backend.errors import AgensiumError
from backend.processes import ProcessFailed
from backend.product import ROOT, product_environment, running_product

EXAMPLE = ROOT / "examples" / "data" / "hospitals.csv"
HOME = Path(".agensium") / "demo"
CREDITS = 500
Grant = Callable[[str, int], None]  # to the account of this address and number
TASK_SECONDS = 300.0  # 5 s when idle
EXPECTED = (ProcessFailed, AgensiumError, httpx.HTTPError, OSError)
LOGS = f"The logs of the API, the worker and Flower are in {HOME / 'logs'}; run it again with: make demo"


class DemoFailed(Exception):
    """The product ran, but not as it must."""


def run_demo(url: str = "", file: Path = EXAMPLE) -> int:
    """The exit code: 0 only when the report, the bill and the files are all as promised."""
    console = Console()
    try:
        _at(url, console, file) if url else _embedded(console, file)
    except (*EXPECTED, DemoFailed) as error:
        console.print(f"\nThe demo failed: {error}", style="red", markup=False, highlight=False)
        console.print(f"What was asked is {url}." if url else LOGS, highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped half way" + ("." if url else "; all that was started is stopped."))
        return 130
    console.print("[green]Done.[/]" + ("" if url else " All that was started is stopped."))
    return 0


def _at(url: str, console: Console, file: Path) -> None:
    console.print(f"At {url} …", highlight=False)
    with AgensiumClient(url) as customer, tempfile.TemporaryDirectory(prefix="agensium-demo-") as directory:
        _be_a_customer(console, customer, file, Path(directory), _grant_on_the_machine)


def _embedded(console: Console, file: Path) -> None:
    console.print("Starting PostgreSQL, Redis and S3 …")
    with tempfile.TemporaryDirectory(prefix="agensium-demo-") as directory, _stack(directory) as stack:
        environment = product_environment(stack) | {"AGENSIUM_NO_ENV_FILE": "1"}
        os.environ.update(environment)  # the operator's part, in this process, means the same database
        from db.schema import migrate

        migrate(stack.database_url)
        console.print("Starting the API, a Celery worker and Flower …")
        with running_product(stack, HOME / "logs") as product:
            console.print(f"  API     {product.api_url}/docs\n  Flower  {product.flower_url}", highlight=False)
            with AgensiumClient(product.api_url) as customer:
                _be_a_customer(console, customer, file, HOME, partial(_grant_over_http, product.api_url))
            product.await_flower()


def _stack(directory: str) -> AbstractContextManager[Stack]:
    """Nothing of it outlives us, so nothing is written for that. While it starts, we load the rest of ourselves."""
    return embedded_stack(Path(directory), fast=True, meanwhile=_load)


def _load() -> None:
    for module in ("backend.administration", "db.schema"):
        import_module(module)


def _be_a_customer(console: Console, customer: AgensiumClient, file: Path, to: Path, grant: Grant) -> None:
    email = f"customer-{secrets.token_hex(4)}@example.com"
    user_id = customer.register(email, secrets.token_urlsafe(16))
    grant(email, user_id)
    granted = customer.balance()
    console.print(f"\nA customer with {granted} credits uploads {file.name} and asks for profile-my-data.")
    task_id = customer.submit("profile-my-data", file).task_id
    task = _watch(console, customer, task_id)
    if task.outcome != "success":
        raise DemoFailed(f"the task ended {task.status} ({task.outcome}): {task.error or task.steps}")
    _show_report(console, customer.report(task_id))
    _show_bill(console, customer, task, granted)
    _show_files(console, customer.download(task_id, to))


def _grant_over_http(api_url: str, _email: str, user_id: int) -> None:
    """What an operator does: an administrator is named on the machine, credits are granted over HTTP."""
    from backend.administration import make_admin

    email = f"operator-{secrets.token_hex(4)}@example.com"
    with AgensiumClient(api_url) as operator:
        operator.register(email, secrets.token_urlsafe(16))
        make_admin(email)
        operator.ask("POST", "/admin/credits/grant", {"user_id": user_id, "amount": CREDITS, "note": "Demo"})


def _grant_on_the_machine(email: str, _user_id: int) -> None:
    """As `agensium grant`: a deployment keeps no administrator of ours whom nobody knows."""
    from backend.administration import grant

    grant(email, CREDITS, "Demo")


def _watch(console: Console, customer: AgensiumClient, task_id: str) -> Task:
    columns = (TextColumn("{task.description:<24}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("queued", total=100)
        for event in customer.follow(task_id):
            said = event.current_agent or (event.status or event.kind).lower()
            progress.update(bar, completed=event.progress, description=said)
    return customer.wait(task_id, TASK_SECONDS)


def _show_report(console: Console, report: Mapping[str, Any]) -> None:
    console.print(Markdown(report["report"]["analysis_summary"]))


def _show_bill(console: Console, customer: AgensiumClient, task: Task, granted: int) -> None:
    entries = customer.entries()
    table = Table("Entry", "Agent", "Credits", title="\nThe ledger", title_justify="left")
    for entry in reversed(entries):
        table.add_row(entry.kind, entry.agent_id or "", str(entry.amount))
    console.print(table)
    balance = customer.balance()
    console.print(f"Available now: {balance} credits.")
    check_bill(entries, task.steps, granted, balance)


def check_bill(entries: Sequence[CreditEntry], steps: Sequence[Step], granted: int, balance: int) -> None:
    """Charged once for every delivered agent, at its price, and for nothing else."""
    delivered = Counter({step.agent_id: step.price for step in steps if step.state == "delivered"})
    charged: Counter[str] = Counter()
    for entry in entries:
        if entry.kind == "CAPTURE":
            charged[entry.agent_id or ""] += entry.amount
    if charged != delivered or balance != granted - charged.total():
        raise DemoFailed(f"the bill is wrong: charged {dict(charged)}, delivered {dict(delivered)}, left {balance}")


def _show_files(console: Console, downloads: list[Download]) -> None:
    if not downloads:
        raise DemoFailed("the task published no file")
    console.print("\nThe outputs, checked against their checksums:")
    for download in downloads:
        console.print(f"  {download.path}  {download.size:,} bytes", highlight=False, soft_wrap=True)
