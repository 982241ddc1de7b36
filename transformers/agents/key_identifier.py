"""key-identifier: which columns identify a row, an entity, or a row of another table (CATALOGUE §2)."""

from pathlib import PurePath
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from transformers.findings import AgentResult, RowIssue, Severity
from transformers.keys.candidates import (
    KeyLimits,
    composite_keys,
    entity_keys,
    key_columns,
    single_keys,
    worth_pointing_to,
)
from transformers.keys.findings import FoundKeys, key_result
from transformers.keys.key import KeyColumn, PrimaryKey
from transformers.keys.references import Referable, foreign_keys, of_given_values, referable
from transformers.mastering.memory import leave_room
from transformers.risk.personal_fields import display
from transformers.row_findings import RowFindings
from transformers.tables import SOURCE_ROW, Table, quoted
from transformers.tool import PRIMARY, Agent, AgentContext, AgentParameters

if TYPE_CHECKING:
    import duckdb

AGENT_ID = "key-identifier"


class KeyIdentifierParameters(AgentParameters):
    pk_uniqueness: float = Field(
        default=99, ge=0, le=100, description="Percent of rows that a primary key must tell apart."
    )
    pk_null: float = Field(default=0, ge=0, le=100, description="Percent of missing cells that a primary key may have.")
    entity_min: float = Field(default=50, ge=0, le=100, description="Percent of different values, from which a column")
    entity_max: float = Field(default=99, ge=0, le=100, description="… and up to which it identifies an entity.")
    fk_overlap: float = Field(
        default=70, gt=0, le=100, description="Percent of a column's values that the referenced key must have."
    )
    reference_tables: dict[str, dict[str, list[str]]] = Field(
        default={}, description="Tables that columns may point to: name, then key column, then its values."
    )
    analyze_composite_keys: bool = Field(default=True, description="Look for keys of several columns.")
    max_composite_key_columns: int = Field(default=3, ge=2, le=5, description="The most columns of one key.")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.entity_min > self.entity_max:
            raise ValueError("entity_min must not be above entity_max")
        return self

    @property
    def limits(self) -> KeyLimits:
        return KeyLimits(
            self.pk_uniqueness, self.pk_null, self.entity_min, self.entity_max, self.max_composite_key_columns
        )


def run(context: AgentContext) -> AgentResult:
    table, parameters = context.primary, context.parameters
    assert isinstance(parameters, KeyIdentifierParameters)
    with context.database() as db:
        leave_room(db, context.memory_bytes)
        columns = key_columns(db, table, lambda done: context.report_progress(0.5 * done))
        primary = single_keys(columns, PurePath(table.name).stem, parameters.limits)
        composite = composite_keys(db, table, columns, parameters.limits) if parameters.analyze_composite_keys else []
        context.report_progress(0.7)
        targets = _targets(context, db, columns, primary)
        foreign, possible = foreign_keys(db, table, columns, targets, parameters.fk_overlap)
        rows = RowFindings.over(db, table)
        for key in (key for key in foreign if key.orphans):
            [column] = [c for c in columns if c.name == key.column]
            [target] = [t for t in targets if (t.table, t.column) == (key.table, key.references)]
            _note_orphans(db, table, (column, target), rows)
    keys = FoundKeys(
        tuple(primary),
        tuple(composite),
        tuple(entity_keys(columns, parameters.limits)),
        tuple(foreign),
        tuple(possible),
    )
    context.report_progress(1.0)
    return key_result(AGENT_ID, AGENT.name, table, keys, rows)


def _targets(
    context: AgentContext, db: "duckdb.DuckDBPyConnection", columns: list[KeyColumn], primary: list[PrimaryKey]
) -> list[Referable]:
    """Of the reference tables given, of the other tables, and of the table itself."""
    found = of_given_values(db, context.parameters.reference_tables)
    for role, table in sorted(context.tables.items()):
        if role != PRIMARY:
            name = PurePath(table.name).stem
            theirs = {c.name: c for c in key_columns(db, table)}
            for i, key in enumerate(worth_pointing_to(single_keys(list(theirs.values()), name, KeyLimits()))):
                found.append(referable(db, role, name, theirs[key.columns[0]], f"key_{role}_{i}"))
    own = {c.name: c for c in columns}
    for i, key in enumerate(worth_pointing_to(primary)):
        found.append(referable(db, PRIMARY, "", own[key.columns[0]], f"own_key_{i}"))
    return found


def _note_orphans(
    db: "duckdb.DuckDBPyConnection", table: Table, pair: tuple[KeyColumn, Referable], rows: RowFindings
) -> None:
    column, target = pair
    values = f"SELECT {quoted(SOURCE_ROW)} AS r, {column.value} AS v FROM {quoted(table.role)}"
    lost = f"FROM ({values}) WHERE v IS NOT NULL AND v NOT IN (SELECT v FROM {target.source})"
    rows.count("orphaned_reference", Severity.HIGH, column.name, db.execute(f"SELECT r {lost}").fetchnumpy()["r"])
    room = max(rows.room("orphaned_reference"), 0)
    rows.keep(
        RowIssue(
            row_index=row,
            column=column.name,
            issue_type="orphaned_reference",
            severity=Severity.HIGH,
            message=f"Points to no {target.column} of {target.table or 'this table'}.",
            value=display(column.name, value),
        )
        for row, value in db.execute(f"SELECT r, left(v, 200) {lost} ORDER BY r LIMIT {room}").fetchall()
    )


AGENT = Agent(
    id=AGENT_ID,
    name="Key identifier",
    description="Candidate primary and composite keys, entity keys, and references to other tables or to itself.",
    parameters=KeyIdentifierParameters,
    run=run,
)
