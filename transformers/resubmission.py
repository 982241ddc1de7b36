"""What a retry checks, for the route and for the operator's replay alike: may it be, are the files still the same, does
today's catalogue still take it, what is left to pay.

It asks the file store, so no transaction is open meanwhile; db/retries.py makes the task.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from backend.errors import InvalidTaskState, ResultsExpired
from backend.storage.door import Storage
from backend.storage.objects import ObjectInfo
from db.models import TERMINAL, StepStatus, Task, TaskStatus, TaskStep
from db.retries import Resubmission
from transformers.catalog import tool_for
from transformers.input_plan import keys_of, planned_files
from transformers.progress import percent_done
from transformers.submission import Surroundings, check_files, submission_for

PARTIAL = "partial"


def resubmission_for(
    storage: Storage, task: Task, finished: Mapping[str, TaskStep], done: Collection[int] = ()
) -> Resubmission:
    """What the retry of `task` begins with. The finished agents cost nothing: they were paid for there.

    `done` are the positions of a batch's items that went well. A batch is split anew, over the others alone.

    Raises:
        InvalidTaskState: there is nothing to repeat, or not yet.
        ResultsExpired: a file is gone, or is another one now.
        UnknownTool, UnknownAgent, BadParameters, MissingInputRole …: the catalogue has changed since.
    """
    check_retriable(task)
    tool, planned = tool_for(task.tool_id), planned_files(task.inputs)
    found = storage.heads(keys_of(planned))
    check_unchanged(task, found)
    known = Surroundings(
        {}, storage.get_bytes, lambda _model: None, done
    )  # the model: it was asked before, so it was set up
    asked = submission_for(tool, task.agents, task.parameters, check_files(tool, planned, found), known)
    is_batch = any(step.fans_out for step in tool.steps)
    taken_over = [agent for agent in asked.agents if not is_batch and _is_delivered(finished.get(agent))]
    prices = {agent: 0 if agent in taken_over else price for agent, price in asked.prices.items()}
    # The inputs as they stand on the row, for the steps' fingerprints are over them.
    submission = replace(asked, prices=prices, inputs=task.inputs, cost=task.cost)
    share = percent_done(len(done), task.items) if task.items else percent_done(len(taken_over), len(asked.agents))
    return Resubmission(task.id, submission, taken_over, share)


def check_retriable(task: Task) -> None:
    """Raises InvalidTaskState: it is not FAILED, CANCELLED or COMPLETED in part."""
    status = TaskStatus(task.status)
    if task.parent_id is not None:
        raise InvalidTaskState("The task is a part of another one; retry that.", parent_id=str(task.parent_id))
    if status not in TERMINAL:
        raise InvalidTaskState(f"The task is {status.lower()}; only one that has ended is retried.", status=status)
    if task.queued_at is None:
        raise InvalidTaskState("The task was never submitted, so there is nothing to repeat.", status=status)
    if status is TaskStatus.COMPLETED and task.outcome != PARTIAL:
        raise InvalidTaskState("All agents of the task delivered, so there is nothing to repeat.", status=status)


def check_unchanged(task: Task, found: Mapping[str, ObjectInfo | None]) -> None:
    """Raises ResultsExpired: what the task worked on is not in the store any more."""
    for file in (file for files in task.inputs.values() for file in files):
        there = found.get(file["key"])
        if there is None:
            raise ResultsExpired(f"{file['filename']!r} is no longer kept.", filename=file["filename"])
        if there.etag != file.get("etag"):
            sentence = f"{file['filename']!r} was replaced after the task was submitted."
            raise ResultsExpired(sentence, filename=file["filename"])


def _is_delivered(step: TaskStep | None) -> bool:
    return step is not None and step.status == StepStatus.DELIVERED
