"""A stage for the short form of the chaos list: an embedded stack of its own, for its services are broken too."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from backend.chaos.fault import Fault, rehearse
from backend.chaos.stage import SHORT, Form, Stage, open_stage
from backend.devstack import embedded_stack
from db.schema import migrate

# One slot a worker: half of the processes.
SMALLEST = replace(SHORT, tasks=3, settings={**SHORT.settings, "CELERY_WORKER_CONCURRENCY": "1"})


@contextmanager
def short_stage(form: Form) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="agensium-chaos-") as name, embedded_stack(Path(name), fast=True) as stack:
        migrate(stack.database_url)
        with open_stage(stack, Path(name) / "stage", stack.database_url, form) as stage:
            yield stage


def survive(stage: Stage, fault: Fault) -> None:
    """Every invariant holds after the fault, and something was seen."""
    outcome = rehearse(stage, fault)
    assert outcome.tally.breaches == [], stage.deployment.log()[-6000:]
    assert outcome.seen
    assert outcome.skipped or outcome.tally.tasks >= stage.form.tasks
