"""A house is lost, and restored from a dump and a copy of its bucket, as docs/how-to/back-up-and-restore.md says."""

import subprocess
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from backend.devstack import Stack
from backend.doors import get_doors
from backend.embedded import _postgres_binary
from backend.orphans import Comparison, Why
from backend.storage.door import Storage
from db.schema import migrate
from tests.acceptance.house import House, rebind

WAITING = {"second": {"act": "wait", "seconds": 10}}
NEVER_DONE_TWICE = {"first": 10, "second": 20, "third": 30}


def of_bucket(bucket: str, database_url: str) -> dict[str, str]:
    return {"S3_BUCKET": bucket, "DATABASE_URL": database_url}


@pytest.fixture
def bucket_of_the_lost(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    yield from a_bucket(monkeypatch, "lost-bucket")


def a_bucket(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[Storage]:
    monkeypatch.setenv("S3_BUCKET", name)
    rebind()
    storage = get_doors().storage
    storage.ensure_bucket()
    yield storage
    storage.delete(found.key for found in list(storage.list("")))
    rebind()


def dump(url: str, file: Path) -> None:
    subprocess.run([_postgres_binary("pg_dump"), "--format=custom", f"--file={file}", url], check=True)


def restore(file: Path, url: str) -> None:
    subprocess.run(
        [_postgres_binary("pg_restore"), "--no-owner", "--exit-on-error", f"--dbname={url}", file], check=True
    )


def copy(source: Storage, target: Storage) -> None:
    """As `aws s3 sync` does."""
    for found in source.list(""):
        target.put_bytes(found.key, source.get_bytes(found.key), "application/octet-stream")


def statuses(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        return {str(row[0]): row[1] for row in connection.execute("SELECT id, status FROM tasks")}


def downloaded(house: House, task_id: str) -> dict[str, bytes]:
    files = house.get(f"/tasks/{task_id}/outputs")["outputs"]
    return {file["name"]: httpx.get(file["url"]).raise_for_status().content for file in files}


def test_a_restored_house_proves_itself_finishes_what_was_under_way_and_delivers_the_same_bytes(
    stack: Stack, bucket_of_the_lost: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lost").mkdir()
    (tmp_path / "restored").mkdir()
    lost = House(stack, "solo", tmp_path / "lost", more={"S3_BUCKET": bucket_of_the_lost.bucket})
    try:
        lost.open()
        finished = lost.submit()
        task = lost.ended(finished)
        assert task["outcome"] == "success", task
        delivered = downloaded(lost, finished)
        in_the_middle, queued = lost.submit(parameters=WAITING), lost.submit()  # solo has one slot
        lost.at_agent(in_the_middle, "second")
        dump(lost.database_url, tmp_path / "dump")
        lost.worker.kill()
        younger = lost.submit()  # than the dump, and in the copy: an orphan
        headers = lost._http.headers
    finally:
        lost.close()

    restored_url = stack.postgres.create_database(f"restored_{uuid.uuid4().hex[:6]}", template="template0")
    restore(tmp_path / "dump", restored_url)
    migrate(restored_url)  # the step that a newer version would need; here it finds nothing to do
    assert statuses(restored_url) == {finished: "COMPLETED", in_the_middle: "PROCESSING", queued: "QUEUED"}
    for copied in a_bucket(monkeypatch, "restored-bucket"):
        copy(bucket_of_the_lost, copied)
        house = House(stack, "solo", tmp_path / "restored", more=of_bucket(copied.bucket, restored_url))
        house.database_url = restored_url
        house._http.headers = headers
        try:
            house.api.start()
            house.start_worker()  # side by side
            house.await_api()
            for task_id in (in_the_middle, queued):
                task = house.ended(task_id)
                assert task["outcome"] == "success", task
                entries = house.entries(task_id)
                assert {agent: paid for (kind, agent), paid in entries.items() if kind == "CAPTURE"} == NEVER_DONE_TWICE
                assert {kind for kind, _ in entries} == {"HOLD", "CAPTURE"}, "nothing is left to be released"
            steps = {step["agent_id"]: step["attempt"] for step in house.task(in_the_middle)["steps"]}
            assert steps == {"first": 1, "second": 2, "third": 2}, (
                "what was delivered before the dump is not done again"
            )
            assert downloaded(house, finished) == delivered
            assert house.request("GET", f"/tasks/{younger}", {}).status_code == 404
            house.prove()
            monkeypatch.setenv("DATABASE_URL", restored_url)
            rebind()
            found = list(Comparison(get_doors().storage, settled=timedelta(0), abandoned=timedelta(0)).findings())
            strange = [(one.why, one.key.partition("/tasks/")[2]) for one in found if one.why is not Why.UNNAMED]
            assert strange == [(Why.NO_TASK, f"{younger}/inputs/primary/people.csv")]
        finally:
            house.close()
