"""A contract laid over a table: which column is which, what would change, and the table that comes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.cells.kinds import literal
from transformers.mastering.clusters import text
from transformers.mastering.contract import Contract, ContractColumn
from transformers.mastering.contract_checks import Enforced
from transformers.mastering.names import same_name
from transformers.mastering.ordered_files import table_stretches, write_in_order
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)


class OnViolation(StrEnum):
    NULL = "null"
    DEFAULT = "default"
    DROP = "drop"


@dataclass(frozen=True)
class Wanted:
    """What may be changed."""

    rename: bool
    cast: bool
    enforce: bool
    drop_extra: bool
    on_violation: OnViolation


@dataclass(frozen=True)
class Fitted:
    """The contract's columns that the table has, those it has not, and the table's that the contract does not name."""

    columns: tuple[Enforced, ...]
    absent: tuple[ContractColumn, ...]
    extra: tuple[str, ...]

    @property
    def renamed(self) -> dict[str, str]:
        return {e.column.name: e.name for e in self.columns if e.column.name != e.name}


def fit(contract: Contract, columns: Sequence[Column], *, rename: bool) -> Fitted:
    """By name; else, where renaming is allowed, by alias; else by a name that differs in case and separators only."""
    free = {column.name: column for column in columns}
    found: dict[str, Column] = {}
    tests: list[Callable[[str, ContractColumn], bool]] = [lambda name, wanted: name == wanted.name]
    if rename:
        tests += [lambda name, wanted: any(same_name(name, alias) for alias in wanted.aliases)]
        tests += [lambda name, wanted: same_name(name, wanted.name)]
    for test in tests:
        for wanted in contract.columns:
            if wanted.name not in found:
                match = next((name for name in free if test(name, wanted)), None)
                if match is not None:
                    found[wanted.name] = free.pop(match)
    return Fitted(
        columns=tuple(Enforced(wanted, found[wanted.name]) for wanted in contract.columns if wanted.name in found),
        absent=tuple(wanted for wanted in contract.columns if wanted.name not in found),
        extra=tuple(free),
    )


@dataclass(frozen=True)
class Breach:
    """A kind of violation in a column: the condition it holds under, and in how many rows it does."""

    column: Enforced
    kind: str
    condition: str
    count: int


def breaches(db: "duckdb.DuckDBPyConnection", table: Table, fitted: Fitted) -> list[Breach]:
    """Those that occur. A cell counts once, with the first check it fails."""
    found = []
    for column in fitted.columns:
        asked: dict[str, str] = {}
        for kind, condition in column.checks().items():
            asked[kind] = " AND ".join([condition, *(f"NOT {other}" for other in column.checks_before(kind))])
        if column.wanted.unique:
            asked["not_unique"] = _repeated(table, column)
        found += _occurring(db, table, column, asked)
    return found


def _occurring(db: "duckdb.DuckDBPyConnection", table: Table, column: Enforced, asked: dict[str, str]) -> list[Breach]:
    if not asked:
        return []
    counts = ", ".join(f"count(*) FILTER ({condition})" for condition in asked.values())
    [row] = db.execute(f"SELECT {counts} FROM {quoted(table.role)}").fetchall()
    return [Breach(column, kind, asked[kind], n) for kind, n in zip(asked, row, strict=True) if n]


def _repeated(table: Table, column: Enforced) -> str:
    """Rows whose value an earlier row has already."""
    value = f"CAST(({column.cast}) AS VARCHAR)"
    ranked = (
        f"SELECT {ROW} AS r, row_number() OVER (PARTITION BY {value} ORDER BY {ROW}) AS n"
        f" FROM {quoted(table.role)} WHERE NOT {column.missing} AND {value} IS NOT NULL"
    )
    return f"{ROW} IN (SELECT r FROM ({ranked}) WHERE n > 1)"


class Enforcement:
    def __init__(self, db: "duckdb.DuckDBPyConnection", table: Table, fitted: Fitted, wanted: Wanted) -> None:
        self._db, self._table, self._fitted, self._wanted = db, table, fitted, wanted
        self.extra = () if wanted.drop_extra else fitted.extra
        self.added = tuple(one for one in fitted.absent if one.required or one.default is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the table that comes of it: the contract's columns in its order, then what it does not name."""
        order = {one.name: place for place, one in enumerate([*(c.wanted for c in self._fitted.columns), *self.added])}
        return (*order, *self.extra)

    @property
    def drops(self) -> str:
        """SQL: rows that are set aside."""
        if self._wanted.on_violation is not OnViolation.DROP or not self._wanted.enforce:
            return "false"
        failed = [f"({condition})" for column in self._fitted.columns for condition in column.checks().values()]
        return " OR ".join(failed) or "false"

    def _new(self, column: Enforced) -> str:
        """SQL: the cell as it will be."""
        keep = column.said
        value = column.cast if self._wanted.cast else keep
        if column.column.is_text and value != keep:  # an empty cell is as good as none
            value = f"CASE WHEN trim({keep}) = '' THEN {keep} ELSE {value} END"
        if value != keep and column.column.is_text and not self._wanted.enforce:
            value = f"coalesce({value}, {keep})"
        if not self._wanted.enforce or self._wanted.on_violation is OnViolation.DROP:
            return value
        instead = self._instead(column)
        failed = [condition for kind, condition in column.checks().items() if kind != "missing_required"]
        failed += [column.missing] if instead != "NULL" else []
        if not failed:
            return value
        return f"CASE WHEN {' OR '.join(failed)} THEN {instead} ELSE {value} END"

    def _instead(self, column: Enforced) -> str:
        use = self._wanted.on_violation is OnViolation.DEFAULT and column.wanted.default is not None
        return literal(column.wanted.default or "") if use else "NULL"

    def _rule(self, column: Enforced) -> str:
        """SQL: why the cell changed: what it broke, or the cast."""
        checks = column.checks() if self._wanted.enforce else {}
        whens = " ".join(f"WHEN {condition} THEN {literal(kind)}" for kind, condition in checks.items())
        cast = literal(f"cast_{column.wanted.type}")
        nothing = f"CASE WHEN ({self._new(column)}) IS NULL THEN 'no_value' ELSE 'default_filled' END"
        filled = f"WHEN {column.missing} THEN {nothing}"
        return f"CASE {whens} {filled} ELSE {cast} END"

    def write(self, path: Path) -> Table:
        """The table that comes of it, in the order of the file."""
        parts = [f"{self._new(c)} AS {quoted(c.name)}" for c in self._fitted.columns]
        parts += [f"{self._default(one)} AS {quoted(one.name)}" for one in self.added]
        parts += [quoted(name) for name in self.extra]
        kept = f"SELECT {', '.join([*parts, ROW])} FROM {quoted(self._table.role)} WHERE NOT ({self.drops})"
        rows = write_in_order(
            self._db,
            path,
            table_stretches(self._db, self._table),
            lambda above, upto: f"{kept} AND {ROW} > {above} AND {ROW} <= {upto} ORDER BY {ROW}",
        )
        known = {"path": path, "rows": rows, "columns": self.names, "size_bytes": path.stat().st_size, "repairs": ()}
        return self._table.model_copy(update=known)

    def _default(self, one: ContractColumn) -> str:
        use = self._wanted.on_violation is OnViolation.DEFAULT and one.default is not None
        return f"CAST({literal(one.default or '') if use else 'NULL'} AS VARCHAR)"

    def write_changes(self, path: Path) -> dict[str, dict[str, int]]:
        """source_row, column, old, new, rule, confidence: a line for each changed cell. Counts by column and rule."""
        self._db.execute(
            'CREATE OR REPLACE TEMP TABLE enforced_changes (place INTEGER, source_row BIGINT, "column" VARCHAR,'
            " old VARCHAR, new VARCHAR, rule VARCHAR, confidence DOUBLE)"
        )
        for place, column in enumerate(self._fitted.columns):
            if self._new(column) == column.said:
                continue
            old, new = f"CAST({column.said} AS VARCHAR)", f"CAST(({self._new(column)}) AS VARCHAR)"
            self._db.execute(
                f"INSERT INTO enforced_changes SELECT {place}, {ROW}, {literal(column.name)}, {old}, {new},"
                f" {self._rule(column)}, 1.0 FROM {quoted(self._table.role)}"
                f" WHERE NOT ({self.drops}) AND {old} IS DISTINCT FROM {new}"
            )
        lines = (
            'SELECT source_row, "column", old, new, rule, confidence FROM enforced_changes ORDER BY source_row, place'
        )
        self._db.execute(f"COPY ({lines}) TO {text(path)} (FORMAT parquet, COMPRESSION zstd)")
        counted = 'SELECT "column", rule, count(*) FROM enforced_changes GROUP BY ALL ORDER BY 1, 2'
        found: dict[str, dict[str, int]] = {}
        for name, rule, n in self._db.execute(counted).fetchall():
            found.setdefault(name, {})[rule] = n
        return found

    def write_dropped(self, path: Path) -> int:
        """The rows set aside, as they were."""
        query = f"SELECT * FROM {quoted(self._table.role)} WHERE {self.drops} ORDER BY {ROW}"
        self._db.execute(f"COPY ({query}) TO {text(path)} (FORMAT parquet, COMPRESSION zstd)")
        [(rows,)] = self._db.execute(f"SELECT count(*) FROM read_parquet({text(path)})").fetchall()
        return int(rows)
