"""What goes into a row, and how it comes out of it."""

from pathlib import Path

import pytest

from backend.storage.door import Storage
from db import checkpoints
from db.database import transaction
from db.models import TaskStep
from tests import builders
from transformers import artifacts
from transformers.artifacts import INLINE_BYTES
from transformers.findings import AgentResult
from transformers.stored_files import RowFile
from transformers.tool import AgentFile, Delivery

RESULT = AgentResult(agent_id="a", agent_name="A", data={"zip code": 1, "age": 2, "é": [1e-9, None]})


def written(delivery: Delivery) -> TaskStep:
    """The delivery's checkpoint, as it is read again."""
    small, claim = artifacts.small(delivery), builders.claimed_task()
    assert small is not None
    builders.deliver(claim, "a", inline=small.body)
    return read(claim.task_id)


def read(task_id: object) -> TaskStep:
    with transaction() as session:
        return checkpoints.of_task(session, task_id)["a"]  # type: ignore[arg-type]


def test_an_artifact_comes_out_of_its_row_word_for_word(database: str, storage_bucket: Storage) -> None:
    step = written(Delivery(result=RESULT, items=3))
    artifact = artifacts.of_step(storage_bucket, step)
    assert artifact is not None
    assert (artifact.result, artifact.items) == (RESULT, 3)
    assert list(artifact.result.data) == ["zip code", "age", "é"], "PostgreSQL orders keys anew"
    (findings,) = artifacts.downloads(storage_bucket, step)
    assert isinstance(findings, RowFile)
    assert findings.body == RESULT.model_dump_json().encode()


def test_an_artifact_that_an_earlier_version_wrote_is_read(database: str, storage_bucket: Storage) -> None:
    claim = builders.claimed_task()
    builders.deliver(claim, "a", inline='{"result": {"agent_id": "a", "agent_name": "A"}, "items": 3}')
    artifact = artifacts.of_step(storage_bucket, read(claim.task_id))
    assert artifact is not None
    assert (artifact.result.agent_name, artifact.items) == ("A", 3)


def test_an_earlier_version_reads_what_is_written_today(database: str) -> None:
    step = written(Delivery(result=RESULT))
    assert artifacts.Artifact.model_validate(step.inline).result == RESULT


@pytest.mark.parametrize("text", ["a\0b", "x" * INLINE_BYTES])
def test_what_no_row_takes_goes_to_the_store(text: str) -> None:
    assert artifacts.small(Delivery(result=RESULT.model_copy(update={"analysis_text": text}))) is None


def test_what_has_a_file_beside_it_goes_to_the_store() -> None:
    file = AgentFile(name="a.txt", path=Path("a.txt"), content_type="text/plain", kind="note")
    assert artifacts.small(Delivery(result=RESULT, files=(file,))) is None
