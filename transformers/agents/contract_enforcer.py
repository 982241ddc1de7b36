"""contract-enforcer: the table against its contract: columns, types, values, uniqueness (CATALOGUE §2).

The contract is the parameter, or the document in the role `schema`. Every changed cell is logged.
"""

from pathlib import Path
from typing import Any

from pydantic import Field

from backend.errors import UnreadableFile
from transformers.cells.columns import Column, LogicalType, read_columns
from transformers.findings import AgentResult, Severity
from transformers.mastering.contract import Contract, contract_of, read_contract
from transformers.mastering.contract_checks import check_patterns
from transformers.mastering.enforcement import Breach, Enforcement, Fitted, OnViolation, Wanted, breaches, fit
from transformers.mastering.findings import Said, some
from transformers.mastering.memory import room_left
from transformers.mastering.work_files import CHANGE_LOG, SET_ASIDE, parquet
from transformers.row_findings import CellCheck, RowFindings
from transformers.tables import Table
from transformers.tool import Agent, AgentContext, AgentFile, AgentParameters, Delivery

AGENT_ID = "contract-enforcer"
SCHEMA = "schema"
SEVERITIES = {"missing_required": Severity.CRITICAL, "wrong_type": Severity.HIGH, "not_unique": Severity.HIGH}


class ContractEnforcerParameters(AgentParameters):
    contract: dict[str, Any] | list[Any] | None = Field(
        default=None, description="The contract, where no schema file is uploaded; it is used rather than the file."
    )
    auto_transform: bool = Field(default=True, description="Change what breaks the contract; else only report it.")
    strict_mode: bool = Field(default=False, description="A table that breaks the contract ends the task.")
    drop_extra_columns: bool = Field(default=True, description="Leave out columns that the contract does not name.")
    rename_columns: bool = Field(default=True, description="Find columns by alias, or by name but for case and _.")
    cast_types: bool = Field(default=True, description="Write values in their type's canonical form.")
    enforce_values: bool = Field(default=True, description="Let no value stay that the contract does not allow.")
    default_value_strategy: OnViolation = Field(
        default=OnViolation.NULL,
        description="Instead of such a value: nothing, the default, or no row.",
    )


def run(context: AgentContext) -> AgentResult | Delivery:
    table, form = context.primary, context.parameters
    assert isinstance(form, ContractEnforcerParameters)
    contract = _contract(context, form)
    with context.database() as db:
        with room_left(db, context.memory_bytes):
            columns = read_columns(db, table)
        context.report_progress(0.2)
        rows = RowFindings.over(db, table)
        if contract is None:
            context.report_progress(1.0)
            return _without_contract(columns, rows)
        check_patterns(db, contract)
        fitted = fit(contract, columns, rename=form.rename_columns)
        broken = breaches(db, table, fitted)
        _strict(form, fitted, broken)
        context.report_progress(0.5)
        rows.find(db, table, [_check(breach) for breach in broken])
        work = Enforcement(db, table, fitted, _wanted(form))
        after, files, changes, dropped = _carried_out(context, work) if form.auto_transform else (None, (), {}, 0)
    context.report_progress(1.0)
    outcome = _Outcome(table, fitted, broken, changes, dropped=dropped, after=after)
    return Delivery(result=outcome.result(form, rows), table=after, files=files)


def _contract(context: AgentContext, form: ContractEnforcerParameters) -> Contract | None:
    if form.contract:
        return contract_of(form.contract)
    return read_contract(context.documents[SCHEMA]) if SCHEMA in context.documents else None


def _wanted(form: ContractEnforcerParameters) -> Wanted:
    return Wanted(
        rename=form.rename_columns,
        cast=form.cast_types,
        enforce=form.enforce_values,
        drop_extra=form.drop_extra_columns,
        on_violation=form.default_value_strategy,
    )


def _strict(form: ContractEnforcerParameters, fitted: Fitted, broken: list[Breach]) -> None:
    """Raises UnreadableFile in strict mode, naming the first breach."""
    absent = [one.name for one in fitted.absent if one.required]
    if form.strict_mode and absent:
        raise UnreadableFile(f"The table breaks the contract: the column {absent[0]!r} is missing.")
    if form.strict_mode and broken:
        first = broken[0]
        kind = first.kind.replace("_", " ")
        raise UnreadableFile(f"The table breaks the contract: {first.count:,} cells of {first.column.name!r}: {kind}.")


def _carried_out(
    context: AgentContext, work: Enforcement
) -> tuple[Table | None, tuple[AgentFile, ...], dict[str, dict[str, int]], int]:
    changed, aside = context.scratch / "changes.parquet", context.scratch / "set_aside.parquet"
    changes = work.write_changes(changed)
    context.report_progress(0.8)
    dropped = work.write_dropped(aside)
    files = [parquet(changed, CHANGE_LOG, AGENT_ID, is_output=True)] if changes else []
    files += [parquet(aside, SET_ASIDE, AGENT_ID, is_output=True)] if dropped else []
    if not changes and not dropped and work.names == context.primary.columns:
        return None, (), {}, 0
    return work.write(_path(context)), tuple(files), changes, dropped


def _path(context: AgentContext) -> Path:
    return context.scratch / "table.parquet"


def _check(breach: Breach) -> CellCheck:
    column = breach.column.column
    message = {
        "missing_required": "The contract asks for a value here.",
        "wrong_type": f"Not of the contract's type, {breach.column.wanted.type}.",
        "not_unique": "An earlier row has this value, which the contract wants unique.",
    }.get(breach.kind, f"Breaks the contract: {breach.kind.replace('_', ' ')}.")
    return CellCheck(
        kind=breach.kind,
        severity=SEVERITIES.get(breach.kind, Severity.MEDIUM),
        column=column.name,
        condition=breach.condition,
        cell=column.cell,
        count=breach.count,
        message=message,
    )


class _Outcome:
    def __init__(
        self,
        table: Table,
        fitted: Fitted,
        broken: list[Breach],
        changes: dict[str, dict[str, int]],
        *,
        dropped: int,
        after: Table | None,
    ) -> None:
        self.table, self.fitted, self.broken = table, fitted, broken
        self.changes, self.dropped, self.after = changes, dropped, after
        self.absent = [one.name for one in fitted.absent if one.required]
        self.cells = sum(n for by_rule in changes.values() for n in by_rule.values())
        self.violations = sum(breach.count for breach in broken)

    def result(self, form: ContractEnforcerParameters, rows: RowFindings) -> AgentResult:
        said = Said(AGENT_ID, AGENT.name)
        self._alerts(said)
        checked = self.table.rows * max(1, len(self.fitted.columns))
        kept = round(1 - self.violations / checked, 4) if checked else 1.0
        status = "critical" if self.absent else "warning" if self.violations else "good"
        said.card("Contract kept", f"{100 * kept:.1f} %", "of the cells that it speaks of", status=status)
        said.card("Cells changed", self.cells, "each in the change log, with its old value")
        metrics = {
            "contract_columns": len(self.fitted.columns) + len(self.fitted.absent),
            "violations": self.violations,
            "cells_changed": self.cells,
            "rows_set_aside": self.dropped,
            "compliance": kept,
        }
        data = {
            "violations": {
                b.column.name: {x.kind: x.count for x in self.broken if x.column is b.column} for b in self.broken
            },
            "renamed": self.fitted.renamed,
            "absent_columns": [one.name for one in self.fitted.absent],
            "extra_columns": list(self.fitted.extra),
            "extra_columns_dropped": bool(form.auto_transform and form.drop_extra_columns and self.fitted.extra),
            "changes": self.changes,
            "enforced": form.auto_transform,
            "columns_after": list(self.after.columns) if self.after else list(self.table.columns),
        }
        return said.result(metrics, data, self._text(), rows)

    def _alerts(self, said: Said) -> None:
        if self.absent:
            message = f"Columns that the contract requires are missing: {some(self.absent)}."
            said.alert(Severity.CRITICAL, "schema", message, "Deliver them, or mend the contract.", len(self.absent))
            for name in self.absent:
                said.issue(name, "missing_column", Severity.CRITICAL, "The contract requires this column.")
        for severity in (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM):
            grave = [b for b in self.broken if SEVERITIES.get(b.kind, Severity.MEDIUM) is severity]
            if grave:
                names = sorted({breach.column.name for breach in grave})
                count = sum(breach.count for breach in grave)
                kinds = some(sorted({breach.kind.replace("_", " ") for breach in grave}))
                message = f"{count:,} cells of {some(names)} break the contract: {kinds}."
                said.alert(severity, "contract", message, "Mend them at the source.", len(names))
                said.recommend(names[0], severity, f"Mend {some(names)} where the data comes from.", len(names) * 1.0)
        for name in self.fitted.extra:
            said.issue(name, "extra_column", Severity.LOW, "The contract does not name this column.")

    def _text(self) -> str:
        done = f" {self.cells:,} cells were changed and {self.dropped:,} rows set aside." if self.after else ""
        return (
            f"Of the contract's {len(self.fitted.columns) + len(self.fitted.absent)} columns the table has"
            f" {len(self.fitted.columns)}; {self.violations:,} of their cells break it.{done}"
        )


def _without_contract(columns: tuple[Column, ...], rows: RowFindings) -> AgentResult:
    """Nothing to enforce: a contract is proposed, which the table keeps but for what does not fit its types."""
    said = Said(AGENT_ID, AGENT.name)
    said.alert(
        Severity.INFO, "contract", "No contract was given, so nothing was enforced.",
        "Start from the proposed one: give it as the parameter `contract`, or upload it in the role `schema`.",
    )  # fmt: skip
    said.card("Contract", "none", "a proposal is in the data", status="info")
    data = {"proposed_contract": {"columns": [_proposed(column) for column in columns]}}
    text = "No contract was given; the report proposes one that describes the table as it is."
    return said.result({"violations": 0, "cells_changed": 0}, data, text, rows)


def _proposed(column: Column) -> dict[str, Any]:
    kind = column.logical.value if column.logical.value in _CONTRACT_TYPES else "string"
    return {"name": column.name, "type": kind, "required": bool(column.rows) and not column.missing}


_CONTRACT_TYPES = {kind.value for kind in LogicalType} & {"integer", "decimal", "boolean", "date", "datetime", "time"}

AGENT = Agent(
    id=AGENT_ID,
    name="Contract enforcer",
    description="The table against its contract: columns, types, values and uniqueness; every change is logged.",
    parameters=ContractEnforcerParameters,
    run=run,
)
