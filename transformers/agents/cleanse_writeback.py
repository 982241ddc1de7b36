"""cleanse-writeback: proves that the whole chain adds up, and writes the cleaned file in the format it came in.

Beside it: the log of every change, the rows set aside, the manifest of the chain, and what takes it all back. On its
own it writes the table as it is.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.cells.columns import read_columns
from transformers.cleaning.cleaned_file import Cleaned, cleaned_file
from transformers.cleaning.integrity import Check, check_bytes, check_chain
from transformers.cleaning.manifest import StageFiles, stages_done
from transformers.cleaning.records_of_change import change_log, set_aside_rows, undo_archive
from transformers.cleaning.restoring import Original, digest_of
from transformers.findings import AgentResult, Alert, Issue, Severity, SummaryCard, summarise
from transformers.tables import Table, database_over
from transformers.tool import Agent, AgentContext, AgentFile, AgentParameters, Delivery

if TYPE_CHECKING:
    import duckdb

AGENT_ID = "cleanse-writeback"
MANIFEST = "cleaning_manifest.json"
CHECKED, WRITTEN = 0.5, 0.85  # of its time, about
QUARANTINE = "quarantine-agent"


class CleanseWritebackParameters(AgentParameters):
    """It has none: whatever it does has to be done."""


@dataclass(frozen=True)
class Chain:
    """What is told of the whole of it."""

    original: Table
    final: Table
    stages: Sequence[StageFiles]
    checks: Sequence[Check]
    files: Sequence[AgentFile]
    notes: Sequence[str]


def run(context: AgentContext) -> Delivery:
    original, final = context.original or context.primary, context.primary
    stages = stages_done(context.earlier)
    with database_over(context.tables, context.scratch, context.memory_bytes // 2) as db:
        db.execute("SET threads = 1")  # Arrow writes the file beside it: both have to fit into the agent's memory
        checks = list(check_chain(db, original, final, stages))
        context.report_progress(CHECKED)
        cleaned = _cleaned(context, db, original)
        files = [cleaned_file(cleaned, context.scratch)]
        files += filter(None, (change_log(db, stages, context.scratch), set_aside_rows(db, stages, context.scratch)))
        is_text = context.source is not None and original.format in ("csv", "tsv")
        digest = None if is_text or not stages else digest_of(db, original.path, original.columns)
    recipe = _recipe(context, original)
    checks += [check_bytes(original, path, context.scratch) for path in recipe]
    if stages:
        rejects = [original.rejects_path] if original.rejects_path else []
        before = Original(table=original, final=final, sha256=digest)
        files.append(undo_archive(before, stages, [*recipe, *rejects], context.scratch))
    chain = Chain(original, final, stages, checks, files, cleaned.notes)
    manifest = _manifest(chain, context.scratch)
    context.report_progress(1.0)
    return Delivery(result=_result(chain), files=(*files, manifest))


def _cleaned(context: AgentContext, db: "duckdb.DuckDBPyConnection", original: Table) -> Cleaned:
    def told(done: float) -> None:
        context.report_progress(CHECKED + (WRITTEN - CHECKED) * done)

    table = context.primary
    needs_types = original.format in ("json", "jsonl", "xlsx", "xls")
    columns = read_columns(db, table) if needs_types else ()
    return Cleaned(db, table, original, context.source, columns, told)


def _recipe(context: AgentContext, original: Table) -> list[Path]:
    """The recipe of a delimited text's bytes: nothing else is promised byte for byte."""
    if context.source is None or original.format not in ("csv", "tsv"):
        return []
    from transformers.intake.recipe import write_recipe

    return [write_recipe(context.source, original, context.scratch)]


def _manifest(chain: Chain, folder: Path) -> AgentFile:
    original, final = chain.original, chain.final
    told = {
        "source": {"name": original.name, "format": original.format, "rows": original.rows},
        "encoding": original.encoding,
        "delimiter": original.delimiter,
        "columns_before": list(original.columns),
        "columns_after": list(final.columns),
        "rows_after": final.rows,
        "rejected_by_intake": original.rejected_rows,
        "stages": [stage.manifest.model_dump(mode="json") for stage in chain.stages],
        "checks": [check.model_dump(mode="json") for check in chain.checks],
        "files": {file.name: {"kind": file.kind, **file.sums()} for file in chain.files},
    }
    path = folder / MANIFEST
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return AgentFile(name=MANIFEST, path=path, content_type="application/json", kind="cleaning_manifest")


def _result(chain: Chain) -> AgentResult:
    failed = [check for check in chain.checks if not check.passed]
    metrics = _metrics(chain)
    issues = tuple(_issue(number, check) for number, check in enumerate(failed, start=1))
    return AgentResult(
        agent_id=AGENT_ID,
        agent_name=AGENT.name,
        summary_metrics=metrics,
        data={
            "checks": [check.model_dump(mode="json") for check in chain.checks],
            "stages": [stage.manifest.model_dump(mode="json") for stage in chain.stages],
            "files": [{"name": file.name, "kind": file.kind} for file in chain.files],
            "notes": list(chain.notes),
        },
        alerts=tuple(_alert(number, check) for number, check in enumerate(failed, start=1)),
        issues=issues,
        issue_summary=summarise(issues, ()),
        executive_summary=(_card(metrics, failed),),
        analysis_text=" ".join([*(check.message for check in chain.checks), *chain.notes]),
    )


def _metrics(chain: Chain) -> dict[str, Any]:
    aside = {stage.manifest.agent_id: stage.manifest.rows_set_aside for stage in chain.stages}
    return {
        "rows_before": chain.original.rows,
        "rows_after": chain.final.rows,
        "rows_quarantined": aside.get(QUARANTINE, 0),
        "rows_set_aside": sum(aside.values()),
        "cells_changed": sum(stage.manifest.cells_changed for stage in chain.stages),
        "columns_dropped": len(set(chain.original.columns) - set(chain.final.columns)),
        "stages": len(chain.stages),
        "checks": len(chain.checks),
        "checks_passed": sum(check.passed for check in chain.checks),
    }


def _issue(number: int, check: Check) -> Issue:
    return Issue(
        issue_id=f"{AGENT_ID}-issue-{number}",
        agent_id=AGENT_ID,
        field_name="",
        issue_type=f"check_failed_{check.name}",
        severity=Severity.CRITICAL,
        message=check.message,
    )


def _alert(number: int, check: Check) -> Alert:
    return Alert(
        alert_id=f"{AGENT_ID}-alert-{number}",
        severity=Severity.CRITICAL,
        category="integrity",
        message=f"A check of the whole chain did not pass: {check.message}",
        recommendation="Do not use the cleaned file before this is understood.",
    )


def _card(metrics: dict[str, Any], failed: Sequence[Check]) -> SummaryCard:
    return SummaryCard(
        summary_id=AGENT_ID,
        title="Integrity",
        value=f"{metrics['checks_passed']} of {metrics['checks']} checks passed",
        status="bad" if failed else "good",
        description=f"{metrics['rows_before']:,} rows came in, {metrics['rows_after']:,} are in the cleaned file,"
        f" {metrics['rows_set_aside']:,} were set aside.",
    )


AGENT = Agent(
    id=AGENT_ID,
    name="Cleanse write-back",
    description="Proves that the chain adds up, and writes the cleaned file, the log of changes and what undoes them.",
    parameters=CleanseWritebackParameters,
    run=run,
)
