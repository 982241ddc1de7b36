import subprocess
import sys
from pathlib import Path

import pytest

from backend.doors import get_doors
from backend.storage.door import Storage
from celery_queue import slots

ROOT = Path(__file__).parents[2]
SHOWS = """
import encodings.idna, sys, threading  # the first: with the connection to the broker
import celery_queue.celery_app, celery_queue.tasks
from backend.doors import get_doors
from celery_queue import slots
from db import database
slots.warm_up()
[thread.join() for thread in threading.enumerate() if thread.name == "doors"]
loaded, connections = set(sys.modules), database.engine().pool.checkedin()
get_doors().storage.head("nobody/has/this")
print("new:", *set(sys.modules) - loaded, "connections:", connections)
slots.close()
"""


@pytest.mark.usefixtures("database")
def test_a_slots_first_task_finds_the_doors_open_and_loads_nothing_for_them(storage_bucket: Storage) -> None:
    shown = subprocess.run([sys.executable, "-c", SHOWS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout == "new: connections: 1\n"


@pytest.mark.usefixtures("storage_bucket")
def test_a_slot_begins_though_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    shown = subprocess.run([sys.executable, "-c", SHOWS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout == "new: connections: 0\n"
    assert "Traceback" not in shown.stderr


def test_the_database_is_opened_before_the_store_for_the_claim_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(slots, "ping", lambda: opened.append("database"))
    monkeypatch.setattr(Storage, "warm_up", lambda _storage: opened.append("store"))
    slots._open_doors(get_doors())
    assert opened == ["database", "store"]


LEAVES = """
import pathlib, psutil, sys
from celery_queue import scratch, slots
slots.here().warm()
before = len(psutil.Process().children(recursive=True))
slots.leave()
slots.leave()
print(before > 0, psutil.Process().children(recursive=True), *scratch.here().folder.iterdir())
scratch.leave()
"""


def test_at_solos_end_its_child_and_what_it_held_open_are_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCRATCH_DIR", str(tmp_path))
    shown = subprocess.run([sys.executable, "-c", LEAVES], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout == "True []\n"
    assert list(tmp_path.iterdir()) == []
