"""master-writeback-agent: final checks, the golden file and the cross-reference file (CATALOGUE §2).

Without golden records it writes the table as the agents before left it.
"""

import json

from transformers.findings import AgentResult, Severity
from transformers.mastering.final_checks import Check, check_golden, check_rows
from transformers.mastering.findings import Said
from transformers.mastering.golden_file import golden_file, reference_file
from transformers.mastering.memory import leave_room
from transformers.mastering.work_files import CROSS_REFERENCE, LINEAGE, PARQUET, latest
from transformers.tool import Agent, AgentContext, AgentFile, AgentParameters, Delivery

AGENT_ID = "master-writeback-agent"
TRACER_ID = "lineage-tracer"


class MasterWritebackParameters(AgentParameters):
    """It has none: whatever it does has to be done."""


def run(context: AgentContext) -> Delivery:
    table, original = context.primary, context.original or context.primary
    references, lineage = latest(context.earlier, CROSS_REFERENCE), latest(context.earlier, LINEAGE)
    notes: list[str] = []
    with context.database() as db:
        leave_room(db, context.memory_bytes)
        if references is None:
            checks = [check_rows(db, table, original, context.earlier)]
        else:
            checks = list(check_golden(db, table, original, context.earlier, references=references, lineage=lineage))
        context.report_progress(0.4)
        files = [golden_file(db, context, notes)]
        context.report_progress(0.9)
        if references is not None:
            files.append(reference_file(db, references, original, context.scratch))
    if lineage is not None and not any(d.agent_id == TRACER_ID for d in context.earlier):
        files.append(AgentFile(name="lineage.parquet", path=lineage, content_type=PARQUET, kind=LINEAGE))
    files.append(_manifest(context, checks, files, notes))
    context.report_progress(1.0)
    return Delivery(result=_result(context, checks, files, notes, golden=references is not None), files=tuple(files))


def _manifest(context: AgentContext, checks: list[Check], files: list[AgentFile], notes: list[str]) -> AgentFile:
    table, original = context.primary, context.original or context.primary
    told = {
        "source": {"name": original.name, "format": original.format, "rows": original.rows},
        "records": table.rows,
        "columns": list(table.columns),
        "agents": [delivery.agent_id for delivery in context.earlier],
        "checks": [check.model_dump(mode="json") | {"passed": check.passed} for check in checks],
        "files": {file.name: {"kind": file.kind, **file.sums()} for file in files},
        "notes": notes,
    }
    path = context.scratch / "mastering_manifest.json"
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return AgentFile(name=path.name, path=path, content_type="application/json", kind="mastering_manifest")


def _result(
    context: AgentContext, checks: list[Check], files: list[AgentFile], notes: list[str], *, golden: bool
) -> AgentResult:
    said, failed = Said(AGENT_ID, AGENT.name), [check for check in checks if not check.passed]
    for check in failed:
        message = f"{check.sentence} Not so for {check.failures:,}."
        said.alert(Severity.CRITICAL, "integrity", message, "Do not use the file; tell us the task's id.")
        said.issue("", f"check_failed_{check.name}", Severity.CRITICAL, message)
        said.recommend("", Severity.CRITICAL, "Do not use the golden file before the check holds.", 1.0)
    for note in notes:
        said.alert(Severity.LOW, "format", note)
    rows = context.primary.rows
    said.card("Golden records" if golden else "Records", rows, f"in {files[0].name}")
    passed = len(checks) - len(failed)
    status = "critical" if failed else "good"
    said.card("Checks passed", f"{passed} of {len(checks)}", "nothing lost, nothing twice", status=status)
    data = {
        "checks": [check.model_dump(mode="json") | {"passed": check.passed} for check in checks],
        "files": [{"name": file.name, "kind": file.kind} for file in files],
        "final_file": files[0].name,
        "notes": notes,
    }
    metrics = {"records": rows, "checks_passed": passed, "checks_failed": len(failed), "files": len(files)}
    kind = "golden records" if golden else "records"
    text = f"{rows:,} {kind} were written to {files[0].name}; {passed} of {len(checks)} checks hold."
    return said.result(metrics, data, text)


AGENT = Agent(
    id=AGENT_ID,
    name="Master write-back",
    description="Final checks, then the golden records in the input's format and the cross-reference of every row.",
    parameters=MasterWritebackParameters,
    run=run,
)
