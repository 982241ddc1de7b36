"""Customers who come one after the other: each opens an account, orders, is served, deletes all its tasks, and leaves.

A closed loop: so many are there at once, and the next order is given when the last has ended, so that the load is what
the machine can serve. Everybody waits at the gate while it is closed.
"""

import itertools
import secrets
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from backend.client import AgensiumClient
from backend.client.values import Task
from backend.errors import AgensiumError
from bench.soak.customer import Customer
from bench.soak.orders import ORDERS, Wrong

ORDERS_EACH = 5  # of a customer
PAGES = ("/", "/docs", "/openapi.json", "/tools", "/readyz", "/metrics")
FAILURES = (Wrong, AgensiumError, httpx.HTTPError, OSError)
GATE_SECONDS = 0.5


@dataclass
class Served:
    """What was done so far, and what went wrong, in words."""

    orders: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)  # by how they ended
    customers: int = 0
    wrong: list[str] = field(default_factory=list)


class Visits:
    """So many customers at once, from `open` to `close`."""

    def __init__(self, api_url: str, hook_url: str, at_once: int) -> None:
        self.served = Served()
        self._api_url, self._hook_url = api_url, hook_url
        self._at_once = at_once
        self._numbers, self._lines = itertools.count(), itertools.count()
        self._gate, self._closing = threading.Event(), threading.Event()
        self._waiting = 0
        self._lock = threading.Lock()

    @contextmanager
    def going_on(self) -> Iterator[list[Future[None]]]:
        """Who has come is served to the end, also when the block is left."""
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="visitor") as threads:
            visitors = [threads.submit(self._come) for _ in range(self._at_once)]
            try:
                yield visitors
            finally:
                self.close()

    def let_in(self) -> None:
        self._gate.set()

    def hold_up(self) -> None:
        """Nothing new is ordered; what is under way goes on."""
        self._gate.clear()

    @property
    def at_rest(self) -> bool:
        """Everybody waits at the gate."""
        return self._waiting == self._at_once

    def close(self) -> None:
        """Who is there tidies up and leaves, and nobody comes any more."""
        self._closing.set()
        self._gate.set()

    def _come(self) -> None:
        while not self._closing.is_set():
            with TemporaryDirectory(prefix="visitor-") as folder, self._telling("a visit"):
                self._visit(Path(folder))

    def _visit(self, folder: Path) -> None:
        client = AgensiumClient(self._api_url, timeout=60, trust_env=False, transport=_line(next(self._lines)))
        try:
            customer = _arrived(client, self._api_url, self._hook_url)
            self.served.customers += 1
            for _ in range(ORDERS_EACH):
                self._wait_at_the_gate()
                if self._closing.is_set():
                    break
                self._order(customer, folder)
            self._leave(customer)
        finally:
            client.close()

    def _order(self, customer: Customer, folder: Path) -> None:
        order = ORDERS[next(self._numbers) % len(ORDERS)]
        with self._telling(order.__name__):
            for task_id in order(customer, folder / uuid.uuid4().hex):
                self._told(customer.client.task(task_id))
            with self._lock:
                self.served.orders[order.__name__] += 1

    def _told(self, task: Task) -> None:
        credit = task.credits
        if task.ended and credit.held != credit.captured + credit.released:
            raise Wrong(f"{task.tool_id} {task.task_id}: {credit}")
        with self._lock:
            self.served.tasks[task.status] += 1

    def _leave(self, customer: Customer) -> None:
        for task in customer.client.tasks():
            if task.parent_id is None:
                customer.client.delete(task.task_id)
        for hook in customer.client.ask("GET", "/webhooks")["webhooks"]:
            customer.client.ask("DELETE", f"/webhooks/{hook['id']}")

    def _wait_at_the_gate(self) -> None:
        with self._lock:
            self._waiting += 1
        while not self._gate.wait(GATE_SECONDS):
            pass
        with self._lock:
            self._waiting -= 1

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            self.served.wrong.append(f"{what}: {type(error).__name__}: {error}")


def _line(number: int) -> httpx.HTTPTransport | None:
    """From an address of the loopback of one's own: from one address nobody may open many accounts."""
    if sys.platform != "linux":
        return None  # elsewhere the loopback is one address
    return httpx.HTTPTransport(local_address=f"127.1.{number // 250 % 250}.{number % 250 + 1}")


def _arrived(client: AgensiumClient, api_url: str, hook_url: str) -> Customer:
    """With an API key, a webhook, and a look at what there is to see."""
    client.register(f"{uuid.uuid4().hex}@example.com", secrets.token_urlsafe(16))
    key = client.create_api_key("soak").key
    assert key is not None
    client.use_secret(key)
    client.ask("POST", "/webhooks", {"url": hook_url})
    for page in PAGES:
        httpx.get(api_url + page, timeout=30, trust_env=False)
    return Customer(client, api_url, {"Authorization": f"Bearer {key}"})
