"""What the child can be asked to do: parse a file, run an agent, render a report.

A request and its answer are files of JSON; each operation names the two forms.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from pydoc import locate
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from backend.clock import monotonic
from transformers.reporting.intake import REJECTED_ROWS, write_rejected_rows
from transformers.reporting.report import Download, ReportHead, StepOutcome, build_report, download_of, render_json
from transformers.tables import Table
from transformers.tool import FINAL, AgentContext, AgentParameters, Delivery, LocalFile

RESULTS = "results.json"
DUCKDB_SHARE = 0.6  # of the child's memory; the rest is Python, Arrow and the allocator's slack


class ParseRequest(BaseModel):
    """A downloaded file, and the role it plays."""

    source: Path
    role: str
    name: str
    accepted: tuple[str, ...]
    folder: Path


class NamedForm(BaseModel):
    """An agent's form as module:NAME, and the values that were given for it."""

    name: str
    values: dict[str, Any]


class AgentRequest(BaseModel):
    """An agent's function, named as module:NAME, and what its context holds; `forms` are all the chosen agents'."""

    run: str
    agent_id: str
    forms: dict[str, NamedForm]
    tables: dict[str, Table]
    scratch: Path
    memory_bytes: int
    documents: dict[str, Path] = {}
    files: dict[str, tuple[LocalFile, ...]] = {}
    done: frozenset[int] = frozenset()
    slots: int = 1
    original: Table | None = None
    source: Path | None = None
    earlier: tuple[Delivery, ...] = ()


@dataclass(frozen=True)
class Operation:
    request: type[BaseModel]
    run: Callable[[Any, Callable[[float], None]], BaseModel]


def parse(request: ParseRequest, _progress: Callable[[float], None]) -> Table:
    from transformers.intake import read_table

    return read_table(
        request.source, role=request.role, name=request.name, accepted=request.accepted, folder=request.folder
    )


def run_agent(request: AgentRequest, progress: Callable[[float], None]) -> Delivery:
    run: Any = _named(request.run)
    forms = _Forms(request.forms)
    form = forms[request.agent_id]
    context = _Context(
        agent_id=request.agent_id,
        tables=request.tables,
        parameters=form,
        scratch=request.scratch,
        memory_bytes=int(request.memory_bytes * DUCKDB_SHARE),
        report_progress=progress,
        documents=request.documents,
        files=request.files,
        done=request.done,
        slots=request.slots,
        original=request.original,
        source=request.source,
        earlier=request.earlier,
        forms=forms,
    )
    began = monotonic()
    delivery = Delivery.of(run(context))
    told = {
        "execution_time_ms": round((monotonic() - began) * 1000),
        "defaults": type(form)().model_dump(mode="json"),
        "overrides": form.model_dump(mode="json", exclude_unset=True),
        "parameters": form.model_dump(mode="json"),
    }
    return delivery.model_copy(update={"result": delivery.result.model_copy(update=told)})


class _Context(AgentContext):
    """Its folder is made when the agent asks for it: many write nothing, and to make one and remove it takes longer
    than a light agent does.
    """

    @property
    def scratch(self) -> Path:
        folder: Path = self.__dict__["scratch"]
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @scratch.setter
    def scratch(self, folder: Path) -> None:
        self.__dict__["scratch"] = folder  # by the dataclass, once; it is frozen afterwards


class _Forms(Mapping[str, AgentParameters]):
    """All the chosen agents' forms, each made when it is asked for: most agents ask for none but their own."""

    def __init__(self, named: Mapping[str, NamedForm]) -> None:
        self._named = named
        self._made: dict[str, AgentParameters] = {}

    def __getitem__(self, agent_id: str) -> AgentParameters:
        if agent_id not in self._made:
            form = self._named[agent_id]
            self._made[agent_id] = _named(form.name)(**form.values)
        return self._made[agent_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)


def name_of(declared: Any) -> str:
    """How the child finds what the supervisor means."""
    return f"{declared.__module__}:{declared.__qualname__}"


@cache
def _named(name: str) -> Any:
    """`pydoc.locate` looks among the modules for each part of a name, anew each time."""
    found = locate(name.replace(":", "."))
    if found is None:
        raise LookupError(f"{name} is not to be found")
    return found


class RenderRequest(BaseModel):
    """The report's contents, and the folder its files go to; `results` sums up its outcomes, as module:NAME."""

    head: ReportHead
    outcomes: tuple[StepOutcome, ...]
    tables: tuple[Table, ...]
    known_tools: tuple[str, ...]
    folder: Path
    results: str | None = None


class RenderedFile(BaseModel):
    name: str
    content_type: str

    @property
    def kind(self) -> str:
        return FINAL if self.name == RESULTS else self.name.replace(".", "_")


class Rendered(BaseModel):
    files: tuple[RenderedFile, ...]


def render(request: RenderRequest, _progress: Callable[[float], None]) -> Rendered:
    from transformers.reporting.html import render_html
    from transformers.reporting.xlsx import render_xlsx

    files: tuple[RenderedFile, ...] = REPORT_FILES
    if write_rejected_rows(request.tables, request.folder):
        files = (*files, RenderedFile(name=REJECTED_ROWS, content_type="text/csv; charset=utf-8"))
    if request.results is not None:
        results: BaseModel = _named(request.results)(request.outcomes, request.head.execution_time_ms)
        (request.folder / RESULTS).write_text(results.model_dump_json(indent=2), encoding="utf-8")
        files = (*files, RenderedFile(name=RESULTS, content_type="application/json"))
    downloads = (
        *(Download(name=file.name, kind=file.kind, media_type=file.content_type) for file in files),
        *(download_of(output) for outcome in request.outcomes for output in outcome.outputs),
    )
    report = build_report(
        request.head,
        request.outcomes,
        known_tools=request.known_tools,
        downloads=downloads,
        tables=request.tables,
    )
    (request.folder / "report.json").write_text(render_json(report), encoding="utf-8")
    (request.folder / "report.html").write_text(render_html(report), encoding="utf-8")
    render_xlsx(report, request.folder / "report.xlsx")
    return Rendered(files=files)


REPORT_FILES = (
    RenderedFile(name="report.json", content_type="application/json"),
    RenderedFile(name="report.xlsx", content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    RenderedFile(name="report.html", content_type="text/html; charset=utf-8"),
)


def warm_up() -> None:
    """Import what nearly every task needs, before there is one.

    Arrow allocates as the system does: its own pool keeps for itself what was freed, 85 MB beside a file of 500 MB.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    import duckdb  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    import transformers.intake  # noqa: F401


OPERATIONS = MappingProxyType(
    {
        "parse": Operation(ParseRequest, parse),
        "run_agent": Operation(AgentRequest, run_agent),
        "render": Operation(RenderRequest, render),
    }
)
