"""A slot on trial: it runs tasks with a real child, the real database and real storage, in this process."""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from supervising import WarmChild as WarmChild  # noqa: PLC0414 (who has a slot on trial knows it from here)

from backend.doors import get_doors
from backend.settings import Settings, get_settings
from backend.storage.door import Storage
from backend.storage.keys import input_key
from db import checkpoints, ledger, task_store
from db.claims import Claim
from db.database import transaction
from db.models import CLOCK, TaskStep
from db.task_store import Submission
from tests import builders
from tests.probe_tools import PROBE
from transformers.lifecycle import TaskReport, run_task
from transformers.stop_signal import StopSignal
from transformers.tool import Tool
from transformers.workbench import Slot

TABLE = b"name,age\nAda,36\nGrace,85\n"
PRICES = {"first": 10, "second": 20, "third": 30}


class TrialSlot:
    """A slot to run tasks on, and a customer who has them."""

    def __init__(self, storage: Storage, scratch: Path, child: WarmChild, tool: Tool = PROBE) -> None:
        self.storage = storage
        self.tool = tool
        self.scratch = scratch
        self.user_id = builders.customer()
        self.progress: list[float] = []
        self.runner = child.runner
        self.process = child.process

    def claim(self, *, prices: dict[str, int] = PRICES, size: int = len(TABLE), **parameters: Any) -> Claim:
        """A claimed task over a small uploaded table."""
        with transaction() as session:
            task = task_store.create(session, self.user_id, self.tool.id, [], parameters)
        file = self.uploaded(task.id, "primary", "people.csv", TABLE) | {"size": size}
        inputs = {"primary": [file]}
        with transaction() as session:
            task_store.submit(session, task, Submission([step.id for step in self.tool.steps], prices, inputs, 1.0))
        return builders.claim(builders.change(task.id, admitted_at=CLOCK))

    def uploaded(self, task_id: uuid.UUID, role: str, name: str, body: bytes) -> dict[str, Any]:
        """A file in storage, as it stands on a row."""
        key = input_key(self.user_id, task_id, role, name)
        self.storage.put_bytes(key, body, "application/octet-stream")
        arrived = self.storage.head(key)
        assert arrived is not None
        return {"filename": name, "key": key, "content_type": "text/csv", "size": len(body), "etag": arrived.etag}

    def again(self, claim: Claim) -> Claim:
        """The same task, claimed anew after its worker was lost."""
        builders.change(claim.task_id, status="QUEUED", admitted_at=CLOCK)
        return builders.claim(builders.read(claim.task_id))

    def run(
        self,
        claim: Claim,
        *,
        settings: Settings | None = None,
        stop: StopSignal | None = None,
        tool: Tool | None = None,
    ) -> TaskReport:
        slot = Slot(
            process=self.process,
            doors=replace(get_doors(), storage=self.storage),
            settings=settings or get_settings(),
            stop=stop or StopSignal(drain_seconds=0.5),
            scratch=self.scratch,
            known_tools=(self.tool.id,),
            on_progress=lambda percent, _agent: self.progress.append(percent),
        )
        return self.runner.run(run_task(tool or self.tool, claim, slot))


def steps(claim: Claim) -> dict[str, TaskStep]:
    with transaction() as session:
        return dict(checkpoints.of_task(session, claim.task_id))


def captures(claim: Claim) -> dict[str, int]:
    with transaction() as session:
        return {e.agent_id: e.amount for e in ledger.of_task(session, claim.task_id) if e.kind == "CAPTURE"}
