"""A rolling deploy from another revision to this one, under work: `make rolling OLD=<revision>`, two minutes.

The old API and worker run from the revision's own tree, with the interpreter and the libraries of this one. While
customers ask both APIs for every tool, the new code migrates their database and is started beside them; then the old
worker is drained and the old API ended. It exits with 1 where a task did not complete, cost another sum than before, or
had to be rescued, and where the books do not add up.
"""

import argparse
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from backend.chaos.deployment import Deployment, until
from backend.client import AgensiumClient, Source
from backend.clock import monotonic
from backend.devstack import Stack, embedded_stack
from backend.processes import AT_ONCE, Process
from db.database import libpq_url, transactions_at
from db.verification import LEDGER, STATES, breaches
from tests.acceptance.test_clean_and_master import DIRTY, SOURCES
from tests.model_server import serving

ROOT = Path(__file__).parents[2]
LAST_BEFORE = "80e659f"  # before there was an upgrade to think of
PASSWORD = "a long and private sentence"
PATIENCE = 600.0  # seconds for one task, on a machine that runs two deployments and more
DRAIN_SECONDS = 30.0  # 9 s are promised; everything here is slow
ROUNDS = 1  # how often each tool is delivered once more at each turning, to the customers of each side
# A worker that gets no processor for three seconds loses its tasks, and should: that is not the question here.
SETTINGS = {"SIGNUP_CREDITS": "1000000", "CELERY_KEY_PREFIX": "rolling.", "LEASE_SECONDS": "15"}
TOOLS: Mapping[str, Callable[[AgensiumClient], str]] = {
    "profile-my-data": lambda client: _table(client, "profile-my-data", ROOT / "examples/data/hospitals.csv"),
    "clean-my-data": lambda client: _table(client, "clean-my-data", Source("people.csv", content=DIRTY)),
    "master-my-data": lambda client: _table(client, "master-my-data", Source("sources.csv", content=SOURCES), KEYS),
    "generate-text": lambda client: client.generate("Say it again.", timeout_s=PATIENCE).task_id,
    "batch-inference": lambda client: client.parallel_batch(QUESTIONS, timeout_s=PATIENCE).task.task_id,
    "model-pipeline": lambda client: client.pipeline(STEPS, {"topic": "bees"}, timeout_s=PATIENCE).task_id,
    "ingest-documents": lambda client: _ingested(client),  # noqa: PLW0108 (defined below)
}
KEYS = {
    "survivorship-resolver": {"match_key_columns": ["email"], "source_column": "source", "timestamp_column": "updated"}
}
QUESTIONS = [f"question {n}" for n in range(8)]
STEPS = [
    {"name": "first", "prompt_template": "About {{ input.topic }}"},
    {"name": "second", "prompt_template": "{{ first.output }}, again", "after": ["first"]},
]


@dataclass
class Seen:
    """What a deploy was seen to do. `bills`: tool → credits → tasks; `faults`: what must not be."""

    tasks: Counter[str] = field(default_factory=Counter)  # side tool → completed
    bills: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    workers: dict[str, set[str]] = field(default_factory=dict)  # side → tasks that its worker was seen to run
    faults: list[str] = field(default_factory=list)

    def account(self, side: str, tool: str, client: AgensiumClient, task_id: str) -> None:
        task = client.task(task_id)
        self.tasks[f"{side} {tool}"] += 1
        self.bills[tool][task.credits.captured] += 1
        if (task.status, task.outcome) != ("COMPLETED", "success"):
            self.faults.append(f"{tool} {task_id}: {task.status} {task.outcome}")


class Crowd:
    """Customers of one API: for each tool one, who asks for it again as soon as it has been delivered."""

    def __init__(self, side: str, client: AgensiumClient, seen: Seen) -> None:
        self.side, self._client, self._seen = side, client, seen
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask_for, args=(tool,)) for tool in TOOLS]
        for thread in self._threads:
            thread.start()

    def served(self) -> int:
        """How often each tool was delivered, at least."""
        return min(self._seen.tasks[f"{self.side} {tool}"] for tool in TOOLS)

    def await_rounds(self, count: int) -> None:
        wanted = self.served() + count
        until(lambda: self.served() >= wanted or bool(self._seen.faults), f"{self.side} served {wanted}", PATIENCE, 0.2)

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask_for(self, tool: str) -> None:
        while not self._over.is_set():
            try:
                self._seen.account(self.side, tool, self._client, TOOLS[tool](self._client))
            except Exception as error:  # noqa: BLE001 (whatever a customer meets, the deploy has done it)
                self._seen.faults.append(f"{self.side} {tool}: {error!r}")
                return


class Side(Deployment):
    """A deployment whose processes find their modules in `tree`, and stand in it."""

    def __init__(self, stack: Stack, folder: Path, url: str, more: Mapping[str, str], tree: Path) -> None:
        self._tree = tree
        super().__init__(stack, "prefork", folder, url, {**more, "PYTHONPATH": str(tree)})

    def process(self, name: str, *command: str, environment: Mapping[str, str] | None = None) -> Process:
        arguments = [shutil.which("env") or "", "-C", self._tree, sys.executable, "-m", *command]
        settings = self.environment | dict(environment or {})
        return Process(name, arguments, self.directory / f"{name}.log", environment=settings, stop_signal=AT_ONCE)

    def migrate(self) -> None:
        """`agensium migrate` of this side's code."""
        command = [sys.executable, "-m", "backend", "migrate"]
        subprocess.run(command, cwd=self._tree, env=self.environment, check=True, stdout=subprocess.DEVNULL)


def roll(old: str, say: Callable[[str], None] = print) -> Seen:
    """The deploy; what it was seen to do."""
    seen = Seen()
    with TemporaryDirectory() as directory, embedded_stack(Path(directory), fast=True) as stack, serving() as models:
        url, folder = stack.postgres.create_database("rolling"), Path(directory)
        more = {**models.environment(), **SETTINGS}
        before = Side(stack, folder / "old", url, more, checkout(old, folder / "tree"))
        after = Side(stack, folder / "new", url, more, ROOT)
        with closing(before), closing(after), watching_workers(url, before, after, seen):
            _deploy(before, after, seen, say)
        _prove(url, seen)
    return seen


def _deploy(before: Side, after: Side, seen: Seen, say: Callable[[str], None]) -> None:
    began = monotonic()

    def tell(what: str) -> None:
        say(f"{monotonic() - began:5.1f} s  {what}; {seen.tasks.total()} tasks, {len(seen.faults)} faults")

    email = f"{uuid.uuid4().hex}@example.com"
    before.migrate()
    before.open()
    with AgensiumClient(before.api_url) as older, AgensiumClient(after.api_url) as newer:
        older.register(email, PASSWORD)
        at_old = Crowd("old", older, seen)
        at_old.await_rounds(1)
        tell("the old code is at work")
        after.migrate()
        tell("migrated under it")
        at_old.await_rounds(ROUNDS)
        after.api.start()
        after.await_api()
        newer.sign_in(email, PASSWORD)
        at_new = Crowd("new", newer, seen)
        at_new.await_rounds(1)
        tell("the new API gives the old worker work")
        after.start_worker()
        for crowd in (at_old, at_new):
            crowd.await_rounds(ROUNDS)
        tell("both are at work")
        until(lambda: _is_busy(before), "the old worker is at work", PATIENCE)
        drain(before.worker, seen)
        tell("the old worker is drained")
        for crowd in (at_old, at_new):
            crowd.await_rounds(ROUNDS)
        at_old.end()
        drain(before.api, seen)
        at_new.await_rounds(1)
        at_new.end()
        tell("the old API is gone")


def drain(process: Process, seen: Seen) -> None:
    """As an orchestrator ends it. uvicorn finishes what it is at, and then ends by the signal that it was given."""
    os.kill(process.pid, signal.SIGTERM)
    if not process.ends_within(DRAIN_SECONDS) or process.exit_code not in {0, -signal.SIGTERM}:
        seen.faults.append(f"{process.name} did not end as it should: {process.exit_code}")


def _prove(url: str, seen: Seen) -> None:
    with transactions_at(url) as begin, begin() as session:
        seen.faults += [f"{found.rule}: {found.subject}" for found in breaches(session, {**LEDGER, **STATES})]
    with psycopg.connect(libpq_url(url)) as connection:
        undone = "SELECT id || ' ' || status FROM tasks WHERE status NOT IN ('COMPLETED', 'CREATED')"
        seen.faults += [row[0] for row in connection.execute(undone)]
        hurt = "SELECT kind || ' ' || task_id FROM task_events WHERE kind IN ('rescued', 'retrying', 'step_failed')"
        seen.faults += [row[0] for row in connection.execute(hurt)]
    seen.faults += [f"{tool}: not one price but {dict(bills)}" for tool, bills in seen.bills.items() if len(bills) > 1]
    seen.faults += [f"{name}: its worker did nothing" for name, ran in seen.workers.items() if not ran]


@contextmanager
def watching_workers(url: str, before: Deployment, after: Deployment, seen: Seen) -> Iterator[None]:
    """Which side's worker runs which task, as the rows tell it."""
    over, sides = threading.Event(), {"old": before, "new": after}
    seen.workers |= {name: set() for name in sides}

    def watch() -> None:
        with psycopg.connect(libpq_url(url), autocommit=True) as connection:
            while not over.wait(0.1):
                for name, pids in {name: [worker.pid for worker in one.workers] for name, one in sides.items()}.items():
                    with suppress(psycopg.errors.UndefinedTable):  # before the first migration
                        seen.workers[name] |= {row[0] for row in connection.execute(_RUN_BY, [pids])}

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


_RUN_BY = "SELECT tasks.id::text FROM tasks JOIN workers ON boot_uuid = worker WHERE pid = ANY (%s)"


def _is_busy(deployment: Deployment) -> bool:
    with psycopg.connect(libpq_url(deployment.database_url)) as connection:
        return connection.execute(_RUN_BY, [[deployment.worker.pid]]).fetchone() is not None


@contextmanager
def closing(deployment: Deployment) -> Iterator[None]:
    """What it wrote last is shown where the deploy breaks off."""
    try:
        yield
    except BaseException:
        print(*(path.read_text(errors="replace")[-4000:] for path in deployment.directory.glob("*.log")), sep="\n")
        raise
    finally:
        deployment.close()


def checkout(revision: str, tree: Path) -> Path:
    """That revision's files in a folder of their own; nothing of git changes."""
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(tree, filter="data")
    return tree


def _table(
    client: AgensiumClient, tool: str, file: Path | Source, parameters: Mapping[str, object] | None = None
) -> str:
    return client.wait(client.submit(tool, file, parameters=parameters).task_id, PATIENCE).task_id


def _ingested(client: AgensiumClient) -> str:
    text = Source("opening.txt", content=b"The shop is open on weekdays from nine to six, and closed on Sunday.")
    return client.ingest_document(text, f"handbook-{uuid.uuid4().hex[:8]}", timeout_s=PATIENCE).task.task_id


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", nargs="?", default=LAST_BEFORE)
    seen = roll(parser.parse_args().old)
    for tool in TOOLS:
        asked = ", ".join(f"{name} API {seen.tasks[f'{name} {tool}']:3}" for name in ("old", "new"))
        print(f"{tool:18} {asked}, bills {dict(seen.bills[tool])}")
    print(", ".join(f"{len(ran)} tasks seen with the {name} worker" for name, ran in seen.workers.items()))
    print("\n".join(seen.faults) or "No fault.")
    return int(bool(seen.faults))


if __name__ == "__main__":
    sys.exit(main())
