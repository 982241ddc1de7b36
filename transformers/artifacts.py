"""What a step leaves in storage, under its claim's own prefix: its result, its table, its files (DESIGN §5.7).

The artifact is one JSON object that names the others, and the last to be sent; the checkpoint names the artifact.
A small one that has nothing beside it lies in the checkpoint itself.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from backend.storage.door import Storage
from backend.storage.keys import step_key
from backend.storage.objects import StoredObject
from db.claims import Claim
from db.models import TaskStep
from transformers.findings import AgentResult
from transformers.stored_files import RowFile, StoredFile
from transformers.tables import Table
from transformers.tool import AgentFile, ChildPlan, Delivery

ARTIFACT = "artifact.json"
RESULT = "result"  # the kind of the file that holds the findings alone
TABLE = "table"  # and of the table's
PARQUET = "application/vnd.apache.parquet"
INLINE_BYTES = 32 * 1024  # beyond it a row is no place for it
JSON = "application/json"
NUL = "\\u0000"  # which no row takes


class Artifact(BaseModel):
    """A delivery as it lies in storage; where `table` lies on scratch is known when it is fetched."""

    model_config = ConfigDict(frozen=True)

    result: AgentResult
    table: Table | None = None
    files: tuple[StoredFile, ...] = ()
    waves: tuple[tuple[ChildPlan, ...], ...] = ()
    items: int = 0

    @model_validator(mode="before")
    @classmethod
    def _of_the_first_version(cls, value: Any) -> Any:
        """Artifacts of 0.1 are the bare result; their tasks can still be read and retried."""
        return {"result": value} if isinstance(value, dict) and "agent_id" in value else value

    @property
    def outputs(self) -> tuple[StoredFile, ...]:
        return tuple(file for file in self.files if file.is_output)

    @property
    def table_file(self) -> StoredFile | None:
        return next((file for file in self.files if file.kind == TABLE), None)


def put(storage: Storage, claim: Claim, delivery: Delivery) -> tuple[Artifact, StoredObject]:
    """Send everything; the artifact last, and where it lies."""
    left, table = delivery.files, delivery.table
    if table is not None:
        name = f"{delivery.agent_id}.parquet"
        left = (AgentFile(name=name, path=table.path, content_type=PARQUET, kind=TABLE, is_output=False), *left)
        table = table.model_copy(update={"path": Path(name)})
    files = (_put_result(storage, claim, delivery), *(_put_file(storage, claim, delivery.agent_id, f) for f in left))
    artifact = _of(delivery, table=table, files=files)
    key = _key(claim, delivery.agent_id, ARTIFACT)
    return artifact, storage.put_bytes(key, artifact.model_dump_json().encode(), JSON)


@dataclass(frozen=True, slots=True)
class Small:
    """An artifact that goes into its row, and the JSON that does.

    PostgreSQL orders the keys of an object anew, so the words themselves lie beside it: a table's columns are to be
    in their order also where an artifact was read again.
    """

    artifact: Artifact
    body: str


def small(delivery: Delivery) -> Small | None:
    """Of a delivery that is a few words, and nothing beside them."""
    if delivery.files or delivery.table is not None:
        return None
    artifact = _of(delivery)
    words = artifact.model_dump_json()
    if len(words.encode()) > INLINE_BYTES or NUL in words:
        return None
    return Small(artifact, f'{words[:-1]},"as_written":{json.dumps(words)}}}')


def _of(delivery: Delivery, **stored: Any) -> Artifact:
    return Artifact(result=delivery.result, waves=delivery.waves, items=delivery.items, **stored)


def _put_result(storage: Storage, claim: Claim, delivery: Delivery) -> StoredFile:
    name = f"{delivery.agent_id}.json"
    sent = storage.put_bytes(_key(claim, delivery.agent_id, name), delivery.result.model_dump_json().encode(), JSON)
    return StoredFile(
        name=name, key=sent.key, size=sent.size, sha256=sent.sha256, content_type=JSON, kind=RESULT, is_output=False
    )  # fmt: skip


def _put_file(storage: Storage, claim: Claim, agent_id: str, file: AgentFile) -> StoredFile:
    sent = storage.put_file(_key(claim, agent_id, file.name), file.path, file.content_type)
    about = file.model_dump(exclude={"path"})
    return StoredFile(key=sent.key, size=sent.size, sha256=sent.sha256, **about)


def _key(claim: Claim, agent_id: str, name: str) -> str:
    return step_key(claim.user_id, claim.task_id, claim.epoch, agent_id, name)


def of_step(storage: Storage, step: TaskStep) -> Artifact | None:
    """What a checkpoint proves; None: its agent failed."""
    if step.inline is not None:
        words = step.inline.get("as_written")
        return Artifact.model_validate(step.inline) if words is None else Artifact.model_validate_json(words)
    return None if step.artifact_key is None else read(storage, step.artifact_key)


def downloads(storage: Storage, step: TaskStep) -> tuple[StoredFile, ...]:
    """What a customer may have of a task that has not completed: a delivered agent's findings, its table, its files."""
    artifact = of_step(storage, step)
    if artifact is None:
        return ()
    left = tuple(file for file in artifact.files if file.is_output or file.kind in (RESULT, TABLE))
    return left if step.inline is None else (_in_row(artifact.result), *left)


def _in_row(result: AgentResult) -> RowFile:
    """The findings alone, as `put` would have sent them."""
    body = result.model_dump_json().encode()
    return RowFile(
        name=f"{result.agent_id}.json", size=len(body), sha256=hashlib.sha256(body).hexdigest(), content_type=JSON,
        kind=RESULT, is_output=False, body=body,
    )  # fmt: skip


def read(storage: Storage, key: str) -> Artifact:
    return Artifact.model_validate_json(storage.get_bytes(key))


def fetch(storage: Storage, artifact: Artifact, folder: Path) -> Delivery:
    """Bring what an earlier claim delivered to scratch, for the steps that come after."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [file for file in artifact.files if file.kind != RESULT]
    for file in wanted:
        storage.download(file.key, folder / file.name)
    files = (
        AgentFile(path=folder / file.name, **file.model_dump(include=set(AgentFile.model_fields) - {"path"}))
        for file in wanted
        if file.kind != TABLE
    )
    table = artifact.table and artifact.table.model_copy(update={"path": folder / artifact.table.path.name})
    return Delivery(result=artifact.result, table=table, files=tuple(files))
