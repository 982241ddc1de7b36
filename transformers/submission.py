"""What a submit checks. Pure: the caller brings the task's row, what the store holds, and parameters.json.

check_files     every announced file is there, of a format and size that its role takes
merged_parameters   parameters.json under the task's own parameters
submission_for  tool, agents, forms, roles → what is fixed on the row, with its price
"""

import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from backend.errors import BadParameters, MissingInputRole, NoInputFiles, ToolUnavailable, UnknownAgent
from backend.storage.objects import ObjectInfo
from db.paces import Pace, mebibytes
from db.task_store import Submission
from transformers.forms import chosen_steps, form_of, read_forms
from transformers.input_plan import PlannedFile, check_format, check_size, role_of
from transformers.reporting.plain_json import fault_in
from transformers.tool import PARAMETERS_ROLE, Forms, Given, GivenFile, Step, Tool

LEAST_COST = 1.0  # slot-seconds; the quickest agents' tasks are loaded, parsed and published too


@dataclass(frozen=True, slots=True)
class ArrivedFile:
    """An announced file and what the store says of it."""

    planned: PlannedFile
    found: ObjectInfo

    def as_row(self) -> dict[str, Any]:
        """What the worker reads: the size is the store's, and the ETag tells a later overwrite."""
        return {**self.planned.as_row(), "size": self.found.size, "etag": self.found.etag}


Arrived = Mapping[str, Sequence[ArrivedFile]]


def check_files(
    tool: Tool, planned: Mapping[str, Sequence[PlannedFile]], found: Mapping[str, ObjectInfo | None]
) -> Arrived:
    """The announced files by role, each as it arrived; `found` is by key.

    Raises:
        MissingInputRole: a file was announced and never arrived.
        UnsupportedFormat, FileTooLarge: whatever was announced, the object itself is judged.
    """
    return {
        name: [_arrived(tool, name, file, found.get(file.key)) for file in files] for name, files in planned.items()
    }


def arrived_and_not(
    tool: Tool, planned: Mapping[str, Sequence[PlannedFile]], found: Mapping[str, ObjectInfo | None]
) -> tuple[Arrived, Mapping[str, str]]:
    """As `check_files`, for a task that may not be whole yet: by role, what is there and what is said of the others.

    Raises:
        UnsupportedFormat, FileTooLarge
    """
    arrived: dict[str, Sequence[ArrivedFile]] = {}
    missing: dict[str, str] = {}
    for name, files in planned.items():
        try:
            arrived |= check_files(tool, {name: files}, found)
        except MissingInputRole as error:
            missing[name] = str(error)
    return arrived, missing


def _arrived(tool: Tool, role_name: str, file: PlannedFile, found: ObjectInfo | None) -> ArrivedFile:
    role = role_of(tool, role_name)
    if found is None and file.upload_id is None:
        sentence = f"{file.filename!r} was announced for the role {role_name!r}, but it has not arrived."
        raise MissingInputRole(sentence, role=role_name, filename=file.filename)
    if found is None or file.upload_id is not None:  # what lies there is an earlier file of the same name
        sentence = f"{file.filename!r} for the role {role_name!r} is uploaded in parts, and not completed yet."
        raise MissingInputRole(sentence, role=role_name, filename=file.filename)
    check_format(role, file.filename)
    check_size(role, file.filename, found.size)
    return ArrivedFile(file, found)


def merged_parameters(body: bytes, own: Mapping[str, Any]) -> dict[str, Any]:
    """The uploaded parameters.json, under the parameters that the task was created with: these win, one by one.

    Raises:
        BadParameters: the file is no JSON object of objects.
    """
    uploaded = _read_json(body)
    if not isinstance(uploaded, dict):
        raise BadParameters("parameters.json must be an object: agent → parameters.", field=PARAMETERS_ROLE)
    return {agent: _merged(agent, uploaded.get(agent, {}), own.get(agent, {})) for agent in {**uploaded, **own}}


def _merged(agent: str, uploaded: Any, own: Any) -> dict[str, Any]:
    if not isinstance(uploaded, dict):
        raise BadParameters(f"{agent}: parameters: must be an object.", agent=agent, field="")
    return {**uploaded, **own}


def _read_json(body: bytes) -> Any:
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadParameters("parameters.json is not valid JSON.", field=PARAMETERS_ROLE) from None
    if (fault := fault_in(value)) is not None:
        raise BadParameters(f"parameters.json is not accepted: {fault}.", field=PARAMETERS_ROLE)
    return value


@dataclass(frozen=True)
class Surroundings:
    """What a submit must know beside the task itself.

    `read` gives a file's bytes by its key; `why_unavailable` says why a model cannot be asked, None being the default
    one; `done` are the positions of a batch's items that an earlier task has finished.
    """

    paces: Mapping[str, Pace]
    read: Callable[[str], bytes]
    why_unavailable: Callable[[str | None], str | None]
    done: Container[int] = ()


def submission_for(
    tool: Tool, agents: Sequence[str], parameters: Mapping[str, Any], arrived: Arrived, known: Surroundings
) -> Submission:
    """What the submit fixes on the row. No agents chosen: all whose inputs are there.

    Raises:
        UnknownAgent, BadParameters, NoInputFiles, MissingInputRole, ToolUnavailable
    """
    forms = read_forms(tool, parameters)
    steps = chosen_steps(tool, agents, forms)
    _check_whole(tool, steps)
    check_models(tool, forms, known.why_unavailable)
    data = {role: files for role, files in arrived.items() if role != PARAMETERS_ROLE and files}
    _check_required_roles(tool, data)
    runnable = _with_inputs(steps, data, all_must_run=bool(agents))
    given = given_files(data, known.read)
    return Submission(
        agents=[step.id for step in runnable],
        prices={step.id: held_for(step, forms, given, known.done) for step in runnable},
        tariffs={step.id: step.tariff.model_dump() for step in runnable if step.tariff is not None},
        inputs={role: [file.as_row() for file in files] for role, files in data.items()},
        cost=_expected_cost(data, runnable, known.paces),
        parameters=parameters,
    )


def _check_whole(tool: Tool, steps: Sequence[Step]) -> None:
    """Raises UnknownAgent: the steps of a task that works through children need one another."""
    if any(step.fans_out for step in tool.steps) and len(steps) < len(tool.steps):
        raise UnknownAgent(f"{tool.name} runs all of its steps; leave the agents out.", agents=[s.id for s in steps])


def check_models(tool: Tool, forms: Forms, why_unavailable: Callable[[str | None], str | None]) -> None:
    """Raises ToolUnavailable: a model that the task would ask is not set up."""
    for model in tool.models(forms) if tool.models is not None else ():
        if (reason := why_unavailable(model or None)) is not None:
            raise ToolUnavailable(reason, tool=tool.id, model=model)


def given_files(data: Arrived, read: Callable[[str], bytes]) -> Given:
    return {
        role: [GivenFile(f.planned.filename, f.found.size, partial(read, f.found.key)) for f in files]
        for role, files in data.items()
    }


def held_for(step: Step, forms: Forms, given: Given, done: Container[int] = ()) -> int:
    """Credits: the price, or the most that a step paid by use may cost. Raises what its bound says of the files."""
    if step.tariff is None or step.bound is None:
        return step.price
    return step.tariff.price(step.bound(form_of(step, forms), given, done))


def _check_required_roles(tool: Tool, data: Arrived) -> None:
    missing = [role.name for role in tool.roles if role.required and role.name not in data]
    if missing and not data:
        raise NoInputFiles(roles=missing)
    if missing:
        raise MissingInputRole(f"A file for the role {missing[0]!r} is missing.", role=missing[0])


def _with_inputs(steps: Iterable[Step], data: Arrived, *, all_must_run: bool) -> list[Step]:
    runnable = []
    for step in steps:
        missing = [role for role in step.agent.roles if role not in data]
        if not missing:
            runnable.append(step)
        elif all_must_run or step.required:
            sentence = f"{step.id} needs a file for the role {missing[0]!r}."
            raise MissingInputRole(sentence, role=missing[0], agent=step.id)
    if not runnable:
        raise MissingInputRole("No agent of this tool can work with the files that are there.")
    return runnable


def _expected_cost(data: Arrived, steps: Sequence[Step], paces: Mapping[str, Pace]) -> float:
    """Slot-seconds: what each agent usually takes for so much data; a second a mebibyte where nobody knows yet."""
    size = mebibytes(file.found.size for files in data.values() for file in files)
    usual = [paces[step.id].usual if step.id in paces else 1.0 for step in steps]
    return max(LEAST_COST, size * sum(usual))
