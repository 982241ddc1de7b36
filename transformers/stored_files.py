"""Files in storage that a customer or a later step may ask for, and the manifest that names what a task published."""

import uuid

from pydantic import BaseModel, ConfigDict, Field

MANIFEST = "manifest.json"


class StoredFile(BaseModel):
    """`kind` says what it is for (data, quarantine, report_json …); `sha256` is of its bytes, `size` their number."""

    model_config = ConfigDict(frozen=True)

    name: str
    key: str
    size: int
    sha256: str
    content_type: str
    kind: str = ""
    is_output: bool = True


class RowFile(StoredFile):
    """Lies in a row, not in storage: it has no key, and its bytes are at hand."""

    key: str = ""
    body: bytes = Field(exclude=True, repr=False)


class Manifest(BaseModel):
    """What a task delivered. The row's pointer to it is the only proof that it counts."""

    task_id: uuid.UUID
    epoch: int
    files: tuple[StoredFile, ...]
