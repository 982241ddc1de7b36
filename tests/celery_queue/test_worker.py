"""`python -m celery_queue.worker` as a process of its own: nothing of it is imported here."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The command stops where it would begin to work, and says what it was told and what it has loaded.
SHOWS = """
import sys
from celery.apps.worker import Worker
begun = []
Worker.start = lambda worker: begun.append(worker)
from celery_queue.worker import run
from celery_queue.celery_config import queues_of
run(sys.argv[1:])
from backend.settings import get_settings
(worker,) = begun
print(worker.hostname, worker.pool_cls.__module__, worker.concurrency, worker.loglevel)
print(*(queue.value for queue in queues_of(get_settings())), "consumes", *worker.app.amqp.queues.consume_from)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BROKER_DIR", str(tmp_path / "broker"))
    monkeypatch.setenv("SCRATCH_DIR", str(tmp_path / "scratch"))


def told(*options: str) -> list[str]:
    run = subprocess.run([sys.executable, "-c", SHOWS, *options], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.splitlines()[-3:]


def refused(*options: str) -> str:
    command = [sys.executable, "-m", "celery_queue.worker", *options]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    return run.stderr


@pytest.mark.usefixtures("broker")
def test_a_worker_is_told_its_pool_its_slots_its_queues_its_name_and_its_log_level() -> None:
    options = ("--pool=threads", "-c", "3", "-Q", "high_memory", "--hostname=one@here", "--loglevel=info")
    worker, queues, _ = told(*options)
    assert worker == "one@here celery.concurrency.thread 3 20"
    assert queues == "high_memory consumes high_memory"


@pytest.mark.usefixtures("broker")
def test_a_worker_told_nothing_reads_its_settings_and_loads_no_plug_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_WORKER_CONCURRENCY", "5")
    worker, queues, loaded = told()
    assert worker.startswith("celery@")
    assert worker.endswith("celery.concurrency.prefork 5 30")
    assert queues == "default consumes default"
    assert {"flower", "tornado", "prompt_toolkit", "typer", "boto3", "alembic"} & set(loaded.split()) == set()


def test_a_pool_on_which_agents_cannot_be_supervised_is_refused_with_what_to_type() -> None:
    assert "--pool=prefork, solo or threads, not on 'gevent'" in refused("--pool=gevent")


def test_an_option_that_is_not_there_is_refused() -> None:
    assert "unrecognized arguments: --autoscale=3,1" in refused("--autoscale=3,1")
