"""What the customers of a soak order: each of the seven tools, and what people do besides, such as to hang up.

An order is given a signed-in client, asks for one task or more, and brings back their ids once all have ended. What did
not come as it should is raised as Wrong.
"""

import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

from backend.client import Source
from backend.client.values import Task
from backend.errors import TaskNotCancellable
from backend.product import ROOT
from bench.soak.customer import BROKEN_OFF, Customer, hang_up, hang_up_on_events, send_a_quarter

HOSPITALS = ROOT / "examples" / "data" / "hospitals.csv"
PATIENCE = 240.0  # seconds for one task on a machine that others use too
DIRTY = """id;name;city;joined;amount
1;Ann Lee; Paris ;2024-01-31;10,50
2;Bob Ray;Rome;2024-02-01;N/A
2;Bob Ray;Rome;2024-02-01;N/A
3;Cléo Fay;Lyon;31.03.2024;7,25
""".encode("cp1252")
SOURCES = b"""crm_id,email,name,city,source,updated
1,ann@example.com,Ann Lee,Paris,crm,2024-01-31
2,ann@example.com,Ann M. Lee,Paris,shop,2024-03-01
3,bob@example.com,Bob Ray,Rome,crm,2024-02-01
4,bob@example.com,Bob Ray,Roma,shop,2023-02-01
5,cleo@example.com,Cleo Fay,Lyon,crm,2024-03-05
"""
DOCUMENTS = (
    Source("apples.txt", content=b"Apples are red and grow on trees."),
    Source("bananas.md", content=b"# Bananas\n\nBananas are yellow."),
    Source("people.csv", content=b"name,age\n" + b"".join(b"Ada %d,36\n" % n for n in range(60))),
)
GOLDEN = {"match_key_columns": ["email"], "source_column": "source", "timestamp_column": "updated"}
STEPS = (
    {"name": "first", "prompt_template": "Say {{ input }}."},
    {"name": "second", "prompt_template": "Again: {{ first.output }}", "after": ["first"]},
    {"name": "third", "prompt_template": "And {{ first.output }}", "after": ["first"]},
)
ITEMS = "\n".join(f'{{"custom_id": "id-{n}", "user_message": "say {n}"}}' for n in range(60)).encode()


class Wrong(Exception):
    """Something is not as it was ordered."""


def profile(customer: Customer, folder: Path) -> list[str]:
    """Followed to its end; the report and every file are fetched."""
    task_id = customer.client.submit("profile-my-data", HOSPITALS).task_id
    seen = [event.progress for event in customer.client.follow(task_id)]
    _check(seen == sorted(seen), f"the progress of {task_id} went down")
    customer.client.report(task_id)
    _check(len(customer.client.download(task_id, folder)) > 2, f"{task_id} left hardly any file")
    return [task_id]


def clean(customer: Customer, folder: Path) -> list[str]:
    """The customer hangs up in the middle of the events."""
    task_id = customer.client.submit("clean-my-data", Source("people.csv", content=DIRTY)).task_id
    hang_up_on_events(customer, task_id)
    _ended(customer, task_id)
    customer.client.download(task_id, folder, through_api=True)
    return [task_id]


def master(customer: Customer, folder: Path) -> list[str]:
    """Long polls are given up before they are answered."""
    parameters = {"survivorship-resolver": GOLDEN}
    source = Source("sources.csv", content=SOURCES)
    task_id = customer.client.submit("master-my-data", source, parameters=parameters, through_api=True).task_id
    for _ in range(BROKEN_OFF):
        hang_up(customer, f"/tasks/{task_id}?wait=20")
    _ended(customer, task_id)
    customer.client.download(task_id, folder)
    return [task_id]


def generate(customer: Customer, _folder: Path) -> list[str]:
    words = "Tell me about the sea, and why it is salt. " * 8
    task_id = customer.client.submit("generate-text", parameters={"generate": {"prompt": words}}).task_id
    hang_up_on_events(customer, task_id)
    _ended(customer, task_id)
    _check(customer.client.get_result(task_id).ready, f"{task_id} has no answer")
    return [task_id]


def batch(customer: Customer, _folder: Path) -> list[str]:
    source = Source("items.jsonl", content=ITEMS)
    parameters = {"generate": {}, "split": {"chunk_size": 20}}
    task_id = customer.client.submit("batch-inference", files={"items": source}, parameters=parameters).task_id
    hang_up(customer, f"/tasks/{task_id}/items?limit=1000")
    _ended(customer, task_id)
    said = [item.content for item in customer.client.items(task_id)]
    _check(said == [f"say {n}" for n in range(60)], f"the answers of {task_id} are others: {said}")
    return [task_id]


def ingest(customer: Customer, _folder: Path) -> list[str]:
    name = f"things-{uuid.uuid4().hex[:8]}"
    done = customer.client.ingest_document(list(DOCUMENTS), name, timeout_s=PATIENCE)
    _check(customer.client.search(name, "yellow bananas")[0].document == "bananas.md", f"{name} finds something else")
    customer.client.ask("DELETE", f"/collections/{name}")
    return [done.task.task_id]


def pipeline(customer: Customer, _folder: Path) -> list[str]:
    done = customer.client.pipeline(STEPS, "hello", timeout_s=PATIENCE)
    _check(done.success_count == len(STEPS), f"of {done.task_id} only {done.success_count} steps went well")
    return [done.task_id]


def change_of_mind(customer: Customer, _folder: Path) -> list[str]:
    """Quoted, queued, cancelled when it has begun, and retried after all."""
    created = customer.client.create("profile-my-data")
    customer.client.upload(created.task_id, HOSPITALS)
    customer.client.quote(created.task_id)
    customer.client.process(created.task_id)
    for event in customer.client.follow(created.task_id):
        if event.kind == "started":
            break
    with suppress(TaskNotCancellable):
        customer.client.cancel(created.task_id)
    if _ended(customer, created.task_id, {"CANCELLED", "COMPLETED"}).status == "COMPLETED":
        return [created.task_id]
    again = customer.client.retry(created.task_id).task_id
    _ended(customer, again)
    return [created.task_id, again]


def half_an_upload(customer: Customer, _folder: Path) -> list[str]:
    """The line is cut in the middle of a file; what was announced in parts is never sent."""
    task_id = customer.client.create("profile-my-data").task_id
    send_a_quarter(customer, f"/tasks/{task_id}/inputs/primary?filename=half.csv")
    large = {"filename": "large.csv", "size": 200 * 2**20, "content_type": "text/csv"}
    customer.client.ask("POST", f"/tasks/{task_id}/upload-urls", {"files": {"primary": large}})
    return [task_id]


ORDERS: Sequence[Callable[[Customer, Path], list[str]]] = (
    profile, generate, clean, batch, half_an_upload, ingest, master, pipeline, change_of_mind,
)  # fmt: skip


def _ended(customer: Customer, task_id: str, endings: Collection[str] = ("COMPLETED",)) -> Task:
    task = customer.client.wait(task_id, PATIENCE)
    _check(task.status in endings, f"{task.tool_id} {task_id}: {task.status} {task.error}")
    return task


def _check(right: bool, words: str) -> None:  # noqa: FBT001 (an assertion that is also there with -O)
    if not right:
        raise Wrong(words)
