"""What becomes a steward's task: conditions on the table's rows, and what the agents before were not sure of."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict

from backend.errors import BadParameters
from transformers.cells.columns import NUMERIC, Column, LogicalType
from transformers.cells.kinds import literal
from transformers.cells.semantic_types import tests_for, text_test
from transformers.mastering.business_rules import BusinessRule, Operator, broken_where
from transformers.mastering.clusters import check_columns, text
from transformers.mastering.contract import contract_of
from transformers.mastering.contract_checks import Enforced, check_patterns
from transformers.mastering.lone_trust import LoneTrust, doubted
from transformers.mastering.stewardship import Check, Kind, Tasks
from transformers.mastering.work_files import CHANGE_LOG, CLUSTERS_FILE, DECISIONS, PAIRS_FILE, latest
from transformers.tables import SOURCE_ROW, Table, quoted
from transformers.tool import Delivery

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)
FAR = 3.0  # interquartile ranges beyond the quartiles: Tukey's far out
FAR_SHARE = 0.01  # more of a column far out is no outlier but how it is spread
BROKEN = (
    "wrong_type",
    "value_not_allowed",
    "pattern_mismatch",
    "below_minimum",
    "above_maximum",
    "too_short",
    "too_long",
)


class Bounds(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    min: float | None = None
    max: float | None = None


Outlier = float | Bounds


class Asked(Protocol):
    @property
    def required_columns(self) -> Sequence[str]: ...
    @property
    def confidence(self) -> float: ...
    @property
    def field_validation_rules(self) -> Mapping[str, str | dict[str, Any]]: ...
    @property
    def outlier_thresholds(self) -> Mapping[str, Outlier]: ...
    @property
    def duplicate_key_columns(self) -> Sequence[str]: ...
    @property
    def business_rules(self) -> Sequence[BusinessRule]: ...


def checks_of(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], asked: Asked, lone: LoneTrust
) -> Iterator[Check]:
    """`lone` is what the builder knew of single rows. Raises BadParameters where a rule names no column."""
    by_name = {column.name: column for column in columns}
    for name in asked.required_columns:
        yield Check(Kind.MISSING_REQUIRED, name, by_name[name].is_missing, "A value is required here.")
    for column in columns:
        if column.invalid:
            message = f"Does not fit the column, which holds {column.logical.value} values."
            yield Check(Kind.DATA_TYPE_MISMATCH, column.name, column.is_invalid, message)
    yield from _formats(columns)
    yield from _validations(db, table, by_name, asked.field_validation_rules)
    yield from _outliers(db, table, columns, asked.outlier_thresholds)
    if asked.duplicate_key_columns:
        yield _shared_keys(table, [by_name[name] for name in asked.duplicate_key_columns])
    yield from _trust(table, columns, asked.confidence, lone)
    for rule in asked.business_rules:
        kind = Kind.REFERENTIAL_INTEGRITY if rule.condition.operator is Operator.IN_COLUMN else None
        yield Check(
            kind or Kind.BUSINESS_RULE_VIOLATION,
            rule.condition.column,
            broken_where(db, table, by_name, rule),
            f"Breaks the rule {rule.name!r}.",
            severity=rule.severity,
            action=rule.action,
        )


def _formats(columns: Sequence[Column]) -> Iterator[Check]:
    """Cells that do not look like what the column's other cells are: no e-mail address among such addresses."""
    for column in columns:
        if column.semantic is not None and column.is_text and column.semantic in tests_for(column.name):
            test = text_test(column.cell, column.semantic)
            words = column.semantic.value.replace("_", " ")
            bad = f"NOT {column.is_missing} AND NOT coalesce({test}, false)"
            yield Check(Kind.INVALID_FORMAT, column.name, bad, f"Does not look like the column's other cells: {words}.")


def _validations(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Mapping[str, Column], rules: Mapping[str, Any]
) -> Iterator[Check]:
    check_columns(table, list(rules), "field_validation_rules")
    if not rules:
        return
    said = {name: {"pattern": rule} if isinstance(rule, str) else rule for name, rule in rules.items()}
    typed = {name: {"type": _contract_type(columns[name])} | rule for name, rule in said.items()}
    contract = contract_of({"columns": typed})
    check_patterns(db, contract)
    for wanted in contract.columns:
        for kind, condition in Enforced(wanted, columns[wanted.name]).checks().items():
            task = Kind.MISSING_REQUIRED if kind == "missing_required" else Kind.INVALID_FORMAT
            yield Check(task, wanted.name, condition, f"Breaks its validation rule: {kind.replace('_', ' ')}.")


def _contract_type(column: Column) -> str:
    known = {kind.value for kind in LogicalType} & {"integer", "decimal", "boolean", "date", "datetime", "time"}
    return column.logical.value if column.logical.value in known else "string"


def _outliers(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], given: Mapping[str, Outlier]
) -> Iterator[Check]:
    """Where nothing is given: what lies far out, if that is little of the column."""
    check_columns(table, list(given), "outlier_thresholds")
    for column in columns:
        if column.name in given and column.logical not in NUMERIC:
            raise BadParameters(
                f"outlier_thresholds: {column.name!r} is no numeric column.", field="outlier_thresholds"
            )
        if column.logical not in NUMERIC:
            continue
        value = f"CAST({column.value} AS DOUBLE)"
        bounds = _bounds(db, table, value, given.get(column.name))
        if bounds is None:
            continue
        outside = _outside(value, *bounds)
        message = f"Outside of {bounds[0]:.6g} to {bounds[1]:.6g}."
        if column.name in given or _rare(db, table, outside, column):
            yield Check(Kind.OUTLIER_VALUE, column.name, outside, message)


def _outside(value: str, low: float, high: float) -> str:
    """SQL: beyond one of the ends. An end may be open: nothing lies beyond infinity, and SQL has no numeral for it."""
    tests = [f"{value} {sign} {end!r}::DOUBLE" for sign, end in (("<", low), (">", high)) if isfinite(end)]
    return f"({' OR '.join(tests) or 'false'})"


def _bounds(
    db: "duckdb.DuckDBPyConnection", table: Table, value: str, given: Outlier | None
) -> tuple[float, float] | None:
    if isinstance(given, Bounds):
        return (float("-inf") if given.min is None else given.min, float("inf") if given.max is None else given.max)
    finite = f"FROM (SELECT {value} AS v FROM {quoted(table.role)}) WHERE isfinite(v)"
    if given is not None:
        # divided first: a sum of squares of 1e308 has no number
        [(mean, deviation)] = db.execute(
            f"SELECT avg(v / 1e160) * 1e160, stddev_pop(v / 1e160) * 1e160 {finite}"
        ).fetchall()
        return None if mean is None else (mean - given * deviation, mean + given * deviation)
    [quartiles] = db.execute(f"SELECT quantile_cont(v, 0.25), quantile_cont(v, 0.75) {finite}").fetchall()
    if quartiles[0] is None or not quartiles[1] > quartiles[0]:
        return None
    reach = FAR * (quartiles[1] - quartiles[0])
    return quartiles[0] - reach, quartiles[1] + reach


def _rare(db: "duckdb.DuckDBPyConnection", table: Table, outside: str, column: Column) -> bool:
    [(n,)] = db.execute(f"SELECT count(*) FROM {quoted(table.role)} WHERE {outside}").fetchall()
    return bool(0 < n <= FAR_SHARE * column.present)


def _shared_keys(table: Table, keys: Sequence[Column]) -> Check:
    told = " AND ".join(f"NOT {key.is_missing}" for key in keys)
    same = ", ".join(f"lower({key.cell})" for key in keys)
    ranked = f"SELECT {ROW} AS r, row_number() OVER (PARTITION BY {same} ORDER BY {ROW}) AS n"
    repeated = f"{ROW} IN (SELECT r FROM ({ranked} FROM {quoted(table.role)} WHERE {told}) WHERE n > 1)"
    names = ", ".join(key.name for key in keys)
    return Check(Kind.DUPLICATE_SUSPECTED, keys[0].name, repeated, f"An earlier record has the same {names}.")


def _trust(table: Table, columns: Sequence[Column], least: float, lone: LoneTrust) -> Iterator[Check]:
    """Golden records below it; the builder puts their trust last but one, and last how many rows they rest on."""
    if len(table.columns) > 2 and table.columns[-2].startswith("trust_score"):  # noqa: PLR2004
        trust, rows = table.columns[-2:]
        low = doubted(trust, rows, least, lone.speaks_of(columns))
        yield Check(Kind.LOW_CONFIDENCE, trust, low, f"The record's trust is below {least:g}.")


class Seen:
    """What the agents before have left: decisions, uncertain pairs, cells that broke the contract."""

    def __init__(self, earlier: tuple[Delivery, ...], tasks: Tasks) -> None:
        self._earlier, self._tasks = earlier, tasks
        self._clusters = latest(earlier, CLUSTERS_FILE)

    def add_all(self, confidence: float) -> None:
        decisions, pairs = latest(self._earlier, DECISIONS), latest(self._earlier, PAIRS_FILE)
        if decisions is not None:
            self._tasks.add(
                Kind.CONFLICT_UNRESOLVED,
                'SELECT cluster, source_row, "column", left(value, 200), printf(\'Chosen among %d values with a'
                f' confidence of %.2f.\', "values", confidence) FROM read_parquet({text(decisions)})'
                f' WHERE "values" > 1 AND confidence < {confidence!r}',
            )
        if pairs is not None:
            message = "printf('May be the same as row %d: a probability of %.2f.', row_b, p.probability)"
            source = f"FROM read_parquet({text(pairs)}) p"
            self._tasks.add(
                Kind.DUPLICATE_SUSPECTED,
                f"SELECT {self._record('row_a')}, row_b, '', NULL, {message} {source}"
                f" WHERE {self._record('row_a')} IS DISTINCT FROM {self._record('row_b')}",
            )
        self._broken_cells()

    def _broken_cells(self) -> None:
        """Cells whose value the contract did not let stay."""
        enforced = next((d for d in self._earlier if d.agent_id == "contract-enforcer"), None)
        log = enforced.file(CHANGE_LOG) if enforced else None
        if log is not None:
            kinds = ", ".join(literal(kind) for kind in BROKEN)
            self._tasks.add(
                Kind.STANDARDIZATION_FAILED,
                f'SELECT {self._record("source_row")}, source_row, "column", left(old, 200),'
                f" 'Broke the contract: ' || replace(rule, '_', ' ') || '.' FROM read_parquet({text(log)}) p"
                f" WHERE rule IN ({kinds})",
            )

    def _record(self, row: str) -> str:
        """SQL: the first row of the entity that a source row belongs to."""
        if self._clusters is None:
            return row
        return f"(SELECT any_value(c.cluster) FROM read_parquet({text(self._clusters)}) c WHERE c.source_row = p.{row})"
