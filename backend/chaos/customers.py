"""A customer who does not give up: each request is repeated under the same Idempotency-Key until it is answered.

What was ordered is remembered, so that afterwards it can be compared with what is there. It speaks HTTP only:
to the API, and to the file store whose addresses the API hands out.
"""

import hashlib
import secrets
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx

from backend.client import AgensiumClient, RequestRefused, Unreachable
from backend.clock import monotonic
from backend.errors import AgensiumError, RequestInFlight, TaskNotCancellable, TooManyRequests

T = TypeVar("T")
COMPLETED = frozenset({"COMPLETED"})
PATIENCE = 120.0  # seconds a customer goes on asking
PAUSE = 0.1
SERVER_ERROR = 500
AT_ONCE = 4  # requests under way for one customer
PAGE = 100


@dataclass(frozen=True, slots=True)
class Specimen:
    """A file and the tool that is asked for it."""

    tool_id: str
    file: Path


@dataclass(frozen=True, slots=True)
class Order:
    """A task that was ordered. `endings` are the statuses or error codes that are right for it."""

    task_id: str
    specimen: Specimen
    endings: frozenset[str] = COMPLETED


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file that the customer was given, and whether it is what was promised."""

    name: str
    body: bytes
    whole: bool


class StubbornCustomer:
    """One account. `orders` are all the tasks it ever asked for. Many threads may use it.

    `permit` is asked about each address of the file store that the API hands out, and raises where it may not be used.
    """

    def __init__(self, api_url: str, permit: Callable[[str], None] = lambda _url: None) -> None:
        self._permit = permit
        self._customer = AgensiumClient(api_url, tries=1, permit=permit, trust_env=False)
        self.orders: list[Order] = []
        self.repeats = 0  # requests that had to be asked again
        self.user_id = 0
        self._earlier: frozenset[str] = frozenset()  # tasks of this account that are none of our business

    def close(self) -> None:
        self._customer.close()

    def register(self) -> None:
        # not repeated under a key: an account that was opened by an unanswered request is simply another one
        self.user_id = self._persist(
            lambda: self._customer.register(f"{uuid.uuid4().hex}@example.com", secrets.token_urlsafe(16))
        )

    def use_api_key(self, key: str) -> None:
        self._customer.use_secret(key)

    def overlook_earlier(self) -> None:
        """The account was used before: what is there already is not looked at."""
        self._earlier = frozenset(task["task_id"] for task in self.pages("/tasks", "tasks"))

    def order(
        self,
        specimen: Specimen,
        parameters: Mapping[str, Any] | None = None,
        endings: frozenset[str] = COMPLETED,
        *,
        again: bool = False,
    ) -> Order:
        """Create, upload, queue: each until it is answered; `again`: and once more under the same key."""
        key, customer = uuid.uuid4().hex, self._customer
        task_id = self._persist(lambda: customer.create(specimen.tool_id, parameters=parameters, key=key)).task_id
        self._persist(lambda: customer.upload(task_id, specimen.file))
        self._persist(lambda: customer.process(task_id, key=key))
        if again:
            self._persist(lambda: customer.create(specimen.tool_id, parameters=parameters, key=key))
            self._persist(lambda: customer.process(task_id, key=key))
        order = Order(task_id, specimen, endings)
        self.orders.append(order)
        return order

    def order_many(
        self,
        specimens: list[Specimen],
        parameters: Mapping[str, Any] | None = None,
        *,
        at_once: int = AT_ONCE,
        again: bool = False,
    ) -> list[Order]:
        """One task for each, several requests at once."""
        with ThreadPoolExecutor(at_once, thread_name_prefix="customer") as threads:
            return list(threads.map(lambda specimen: self.order(specimen, parameters, again=again), specimens))

    def expect(self, order: Order, endings: frozenset[str]) -> None:
        """Another ending is right for it now, because of what was done to it."""
        self.orders[self.orders.index(order)] = replace(order, endings=endings)

    def cancel(self, order: Order) -> bool:
        """False: it had ended in another way."""
        try:
            self._persist(lambda: self._customer.ask("POST", f"/tasks/{order.task_id}/cancel"))
        except TaskNotCancellable:
            return False
        return True

    # what is there

    def task(self, order: Order) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/tasks/{order.task_id}")
        return found

    def listed(self) -> list[dict[str, Any]]:
        """The account's tasks as its list shows them."""
        return [task for task in self.pages("/tasks", "tasks") if task["task_id"] not in self._earlier]

    def get(self, path: str) -> Any:
        return self._persist(lambda: self._customer.ask("GET", path))

    def pages(self, path: str, field: str) -> Iterator[dict[str, Any]]:
        """Every row of a list, page by page."""
        cursor = ""
        while True:
            page = self.get(f"{path}?limit={PAGE}{cursor}")
            yield from page[field]
            if not page["next"]:
                return
            cursor = f"&cursor={page['next']}"

    def deliveries(self, order: Order) -> list[Delivery]:
        """The task's files, downloaded and compared with their promised checksums."""
        outputs = self.get(f"/tasks/{order.task_id}/outputs")["outputs"]
        for output in outputs:
            self._permit(output["url"])
        return [self._persist(lambda output=output: _download(output)) for output in outputs]  # type: ignore[misc]

    def _persist(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer. Raises AgensiumError: the answer was no."""
        pause, deadline = threading.Event(), monotonic() + PATIENCE
        while True:
            try:
                return ask()
            except httpx.TransportError:
                if monotonic() > deadline:
                    raise
            except AgensiumError as refusal:
                if not _passes(refusal) or monotonic() > deadline:
                    raise
            self.repeats += 1
            pause.wait(PAUSE)


def _passes(refusal: AgensiumError) -> bool:
    return refusal.http_status >= SERVER_ERROR or isinstance(refusal, Unreachable | RequestInFlight | TooManyRequests)


def _download(output: dict[str, Any]) -> Delivery:
    answer = httpx.get(output["url"], timeout=60, trust_env=False)
    if answer.is_error:
        kind = Unreachable if answer.is_server_error else RequestRefused
        raise kind(f"{output['name']} → {answer.status_code}")
    body = answer.content
    whole = hashlib.sha256(body).hexdigest() == output["sha256"] and len(body) == output["size"]
    return Delivery(output["name"], body, whole)
