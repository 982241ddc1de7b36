"""`agensium verify chaos --url`: somebody's own deployment as a black box, over HTTP, with one customer's API key.

The operator's own command does the disturbing; we order, repeat, cancel, watch, and hold the answers to every
invariant that a customer can see. Only loopback is spoken to, and a file store that was named by --store-host where
the API hands out addresses of one: a load that is aimed elsewhere hits somebody.
"""

import ipaddress
import shlex
import subprocess
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from backend.chaos.customers import COMPLETED, Order, Specimen, StubbornCustomer
from backend.chaos.deployment import GaveUp, until
from backend.chaos.fault import EXPECTED, Fault, Outcome, blamed
from backend.chaos.invariants import REPORT, content_digest, seen_by
from backend.chaos.observer import Lookout
from backend.chaos.report import WIDTH, last_line, print_breaches, table_of
from backend.client import ENDED
from backend.clock import monotonic
from db.evidence import Standing
from db.models import TaskStatus

LOOK_SECONDS = 1.0
COMMAND_SECONDS = 120.0  # a disturbing command may take so long
STDERR_TAIL = 500  # characters
REFUSED = 2
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
    store_hosts: tuple[str, ...] = ()


@dataclass
class Disturbances:
    """How often the operator's command went well; and of the last that did not, how it failed."""

    went_well: int = 0
    failure: str = ""

    @property
    def breaches(self) -> list[str]:
        return [] if self.went_well else [f"nothing was disturbed: the command never went well; {self.failure}"]


def refuse_elsewhere(url: str) -> None:
    """Raises Elsewhere unless the address is this machine's own."""
    host = urlsplit(url).hostname or ""
    if not _is_local(host):
        raise Elsewhere(
            f"verify chaos puts load on what it is given and is not aimed over a network; {host or url} is not this "
            "machine. Forward a port and name that one: kubectl port-forward service/<your API> 8000:8000, then "
            "--url http://127.0.0.1:8000"
        )


def refuse_store_elsewhere(url: str, allowed: Sequence[str]) -> None:
    """Raises Elsewhere unless the file store's address is this machine's own or its host was named."""
    host = urlsplit(url).hostname or ""
    if not _is_local(host) and host not in {name.casefold() for name in allowed}:
        raise Elsewhere(
            f"the API hands out addresses of a file store on {host or url}, which is not this machine; where files may "
            f"be sent to it and fetched from it, say so: --store-host {host}"
        )


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def run_by_url(target: Target) -> int:
    """The exit code: 0 only when every invariant held."""
    console = Console(width=WIDTH)
    customer = StubbornCustomer(target.url, lambda url: refuse_store_elsewhere(url, target.store_hosts))
    try:
        refuse_elsewhere(target.url)
        command = shlex.split(target.disturb)
    except (Elsewhere, ValueError) as error:
        console.print(f"Refused: {error}", style="red", markup=False, highlight=False)
        return REFUSED
    try:
        outcome, disturbances = _prove(customer, target, command)
    except (Elsewhere, *EXPECTED) as error:
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


def _prove(customer: StubbornCustomer, target: Target, command: list[str]) -> tuple[Outcome, int]:
    began = monotonic()
    customer.use_api_key(target.api_key)
    customer.overlook_earlier()
    specimen = Specimen(target.tool_id, target.file)
    first = customer.order(specimen)
    _await_end(customer, [first], target.seconds)
    undisturbed = {specimen: _digest(customer, first)}
    breaches: list[str] = []
    cancelled = 0
    with _watched(customer) as watcher, _disturbed(command, target.every) as done:
        with blamed(breaches, "tasks"):
            orders = customer.order_many([specimen] * target.tasks, again=True)
            cancelled = _cancel_some(customer, orders)
            _await_end(customer, orders, target.seconds)
        watched = watcher.told()
    tally = seen_by(customer, undisturbed)  # what has not ended by now is lost
    tally.breaches += breaches + watched + (done.breaches if command else [])
    seen = f"{customer.repeats} requests repeated, {cancelled} tasks cancelled, {done.went_well} disturbances"
    fault = Fault(target.url, target.disturb or "nothing but load, repeats and cancels", lambda _stage: "")
    return Outcome(fault, seen, monotonic() - began, tally), done.went_well


def _await_end(customer: StubbornCustomer, orders: list[Order], seconds: float) -> None:
    until(lambda: _ended(customer, orders), f"all of {len(orders)} tasks ended", seconds, LOOK_SECONDS)


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
def _watched(customer: StubbornCustomer) -> Iterator[Lookout]:
    """Look at the customer's list of tasks again and again beside what the block does."""

    def look() -> list[Standing]:
        return [
            Standing(uuid.UUID(task["task_id"]), TaskStatus(task["status"]), 0, task["progress"], None)
            for task in customer.listed()
        ]

    lookout = Lookout(look, LOOK_SECONDS)
    lookout.start()
    try:
        yield lookout
    finally:
        lookout.stop(COMMAND_SECONDS)


@contextmanager
def _disturbed(command: list[str], every: float) -> Iterator[Disturbances]:
    """Run the operator's command at once and then now and then, beside what the block does."""
    done, stopping = Disturbances(), threading.Event()

    def disturb() -> None:
        _run(command, done)
        while not stopping.wait(every):
            _run(command, done)

    thread = threading.Thread(target=disturb, name="disturbing", daemon=True)
    if command:
        thread.start()
    try:
        yield done
    finally:
        stopping.set()
        if command:
            thread.join(COMMAND_SECONDS)


def _run(command: list[str], done: Disturbances) -> None:
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=COMMAND_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        done.failure = str(error)
        return
    if ended.returncode:
        done.failure = f"exit code {ended.returncode}: {ended.stderr[-STDERR_TAIL:].strip()}"
    else:
        done.went_well += 1
