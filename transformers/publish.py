"""Report and files, sent under this claim's own prefix; the manifest last, for it makes the rest visible."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from backend.clock import monotonic, now
from backend.storage.keys import output_key
from transformers.operations import Rendered, RenderedFile, RenderRequest, name_of
from transformers.reporting.report import ReportHead, StepOutcome
from transformers.stored_files import MANIFEST, Manifest, StoredFile
from transformers.workbench import Workbench


async def publish(bench: Workbench, outcomes: Sequence[StepOutcome]) -> str:
    """Render the report, send every file, then the manifest; the manifest's key."""
    request = RenderRequest(
        head=_head(bench),
        outcomes=tuple(outcomes),
        tables=tuple(bench.tables.values()),
        known_tools=bench.slot.known_tools,
        folder=bench.folder,
        results=None if bench.tool.results is None else name_of(bench.tool.results),
    )
    rendered = await bench.compute("render", request, Rendered)
    return await bench.slot.stop.watch_over(_send, bench, rendered, outcomes)


def _head(bench: Workbench) -> ReportHead:
    tool, claim = bench.tool, bench.claim
    return ReportHead(
        analysis_id=str(claim.task_id),
        tool_id=tool.id,
        tool_name=tool.name,
        agents=tuple(step.id for step in bench.steps),
        timestamp=now(),
        execution_time_ms=round(_seconds(bench) * 1000),
        on_tables=tool.on_tables,
    )


def _seconds(bench: Workbench) -> float:
    """Of running; of a task that worked through children, all the time since it began."""
    claim = bench.claim
    if claim.items and claim.started_at is not None:
        return (now() - claim.started_at).total_seconds()
    return claim.run_seconds + monotonic() - bench.began


def _send(bench: Workbench, rendered: Rendered, outcomes: Sequence[StepOutcome]) -> str:
    """What the steps left stays where it is: the manifest names it there. The rest goes side by side, each a call."""
    claim, storage = bench.claim, bench.slot.doors.storage
    left = tuple(output for outcome in outcomes for output in outcome.outputs)
    with ThreadPoolExecutor(len(rendered.files), thread_name_prefix="publish") as threads:
        sent = tuple(threads.map(lambda file: _send_file(bench, file), rendered.files))
    manifest = Manifest(task_id=claim.task_id, epoch=claim.epoch, files=(*left, *sent))
    key = output_key(claim.user_id, claim.task_id, claim.epoch, MANIFEST)
    storage.put_bytes(key, manifest.model_dump_json(indent=2).encode(), "application/json")
    return key


def _send_file(bench: Workbench, file: RenderedFile) -> StoredFile:
    claim = bench.claim
    key = output_key(claim.user_id, claim.task_id, claim.epoch, file.name)
    sent = bench.slot.doors.storage.put_file(key, bench.folder / file.name, file.content_type)
    return StoredFile(
        name=file.name, key=key, size=sent.size, sha256=sent.sha256, content_type=file.content_type, kind=file.kind
    )
