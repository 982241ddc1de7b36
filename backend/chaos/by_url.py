"""`agensium verify chaos --url`: somebody's own deployment as a black box, over HTTP, with one customer's API key.

The operator's own command does the disturbing; we order, repeat, cancel, watch, and hold the answers to every
invariant that a customer can see. Only loopback is spoken to: a load that is aimed elsewhere hits somebody.
"""

import ipaddress
import shlex
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from rich.console import Console

from backend.chaos.customers import COMPLETED, Order, Specimen, StubbornCustomer
from backend.chaos.deployment import GaveUp, until
from backend.chaos.fault import Fault, Outcome
from backend.chaos.invariants import REPORT, content_digest, seen_by
from backend.chaos.observer import Watcher
from backend.chaos.report import WIDTH, last_line, print_breaches, table_of
from backend.client import ENDED, RequestRefused
from backend.clock import monotonic
from db.evidence import Standing
from db.models import TaskStatus

LOOK_SECONDS = 1.0
COMMAND_SECONDS = 120.0  # a disturbing command may take so long
CANCELLED_EVERY = 10  # of all orders
MAY_BE_CANCELLED = COMPLETED | {"CANCELLED"}


class Elsewhere(Exception):
    """The address is not on this machine."""


@dataclass(frozen=True)
class Target:
    """What is asked of whom, and how it is disturbed meanwhile. `every` and `seconds` bound the disturbing."""

    url: str
    api_key: str
    tool_id: str
    file: Path
    tasks: int
    disturb: str
    every: float
    seconds: float


def refuse_elsewhere(url: str) -> None:
    """Raises Elsewhere unless the address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise Elsewhere(
            f"verify chaos puts load on what it is given and is not aimed over a network; {host or url} is not this "
            "machine. Forward a port and name that one: kubectl port-forward service/<your API> 8000:8000, then "
            "--url http://127.0.0.1:8000"
        )


def run_by_url(target: Target) -> int:
    """The exit code: 0 only when every invariant held."""
    console = Console(width=WIDTH)
    customer = StubbornCustomer(target.url)
    try:
        refuse_elsewhere(target.url)
        outcome, disturbances = _prove(customer, target)
    except (Elsewhere, GaveUp, RequestRefused, httpx.TransportError, OSError) as error:
        console.print(f"The proof failed: {error}", style="red", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped half way; tasks that were ordered go on.")
        return 130
    finally:
        customer.close()
    console.print(table_of([outcome]))
    print_breaches(console, outcome.tally.breaches)
    console.print(last_line(outcome.tally, disturbances, []), highlight=False, soft_wrap=True)
    return 0 if outcome.held else 1


def _prove(customer: StubbornCustomer, target: Target) -> tuple[Outcome, int]:
    began = monotonic()
    customer.use_api_key(target.api_key)
    customer.overlook_earlier()
    specimen = Specimen(target.tool_id, target.file)
    first = customer.order(specimen)
    until(
        lambda: _ended(customer, [first]), f"the undisturbed task {first.task_id} ended", target.seconds, LOOK_SECONDS
    )
    undisturbed = {specimen: _digest(customer, first)}
    with _watched(customer) as watcher, _disturbed(target) as done:
        orders = customer.order_many([specimen] * target.tasks, again=True)
        cancelled = _cancel_some(customer, orders)
        until(lambda: _ended(customer, orders), f"all of {len(orders)} tasks ended", target.seconds, LOOK_SECONDS)
    tally = seen_by(customer, undisturbed)
    tally.breaches += watcher.breaches
    seen = f"{customer.repeats} requests repeated, {cancelled} tasks cancelled, {len(done)} disturbances"
    fault = Fault(target.url, target.disturb or "nothing but load, repeats and cancels", lambda _stage: "")
    return Outcome(fault, seen, monotonic() - began, tally), len(done)


def _digest(customer: StubbornCustomer, order: Order) -> str:
    files = [one for one in customer.deliveries(order) if one.name == REPORT]
    if not files:
        raise GaveUp(f"the undisturbed task {order.task_id} gave no {REPORT}: {customer.task(order)}")
    return content_digest(files[0].body)


def _ended(customer: StubbornCustomer, orders: list[Order]) -> bool:
    wanted = {order.task_id for order in orders}
    return all(task["status"] in ENDED for task in customer.listed() if task["task_id"] in wanted)


def _cancel_some(customer: StubbornCustomer, orders: list[Order]) -> int:
    """How many took it; the others were done already."""
    chosen = orders[CANCELLED_EVERY - 1 :: CANCELLED_EVERY]
    for order in chosen:
        customer.expect(order, MAY_BE_CANCELLED)
    return sum([customer.cancel(order) for order in chosen])


@contextmanager
def _watched(customer: StubbornCustomer) -> Iterator[Watcher]:
    """Look at the customer's list of tasks again and again beside what the block does."""
    watcher, stopping = Watcher(), threading.Event()

    def look() -> None:
        while not stopping.wait(LOOK_SECONDS):
            for task in customer.listed():
                status = TaskStatus(task["status"])
                watcher.see(Standing(uuid.UUID(task["task_id"]), status, 0, task["progress"], None))

    thread = threading.Thread(target=look, name="watcher", daemon=True)
    thread.start()
    try:
        yield watcher
    finally:
        stopping.set()
        thread.join(COMMAND_SECONDS)


@contextmanager
def _disturbed(target: Target) -> Iterator[list[int]]:
    """Run the operator's command now and then beside what the block does; the exit codes of those that went well."""
    done: list[int] = []
    stopping = threading.Event()

    def disturb() -> None:
        while not stopping.wait(target.every):
            command = shlex.split(target.disturb)
            try:
                ended = subprocess.run(command, capture_output=True, timeout=COMMAND_SECONDS, check=False)
            except (OSError, subprocess.TimeoutExpired):
                continue
            done.extend([ended.returncode] if ended.returncode == 0 else [])

    thread = threading.Thread(target=disturb, name="disturbing", daemon=True)
    if target.disturb:
        thread.start()
    try:
        yield done
    finally:
        stopping.set()
        if target.disturb:
            thread.join(COMMAND_SECONDS)
