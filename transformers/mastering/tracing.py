"""Lineage checked against the data: every golden cell compared with the source cell that it is said to come from.

The source is the table as intake read it. What an earlier agent changed on the way is taken from its change log, and
a column's earlier names from what it was renamed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.mastering.clusters import text
from transformers.mastering.golden import WHOLE_RECORD
from transformers.mastering.members import TEXT_READ
from transformers.mastering.renames import RENAMED
from transformers.mastering.work_files import CHANGE_LOG
from transformers.tables import SOURCE_ROW, Table, quoted
from transformers.tool import Delivery

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)
MOST_SUPPORTERS = 20  # source rows listed beside a cell's own


@dataclass(frozen=True)
class ColumnTrace:
    """A golden column: what it was called in the source (None: an agent has added it), and what its cells come to."""

    column: str
    source: str | None
    cells: int
    unchanged: int
    changed: int  # by a logged change on the way
    unexplained: int


class Tracer:
    def __init__(
        self,
        db: "duckdb.DuckDBPyConnection",
        golden: Table,
        original: Table,
        earlier: Sequence[Delivery],
        *,
        lineage: Path,
        references: Path,
    ) -> None:
        self._db, self._golden, self._original, self._earlier = db, golden, original, earlier
        self._lineage, self._references = f"read_parquet({text(lineage)})", f"read_parquet({text(references)})"
        db.execute(f"CREATE OR REPLACE TEMP VIEW source_rows AS SELECT * FROM read_parquet({text(original.path)})")
        db.execute('CREATE OR REPLACE TEMP TABLE unexplained (source_row BIGINT, "column" VARCHAR)')
        self.gather_changes(db, earlier)
        db.execute(
            'CREATE OR REPLACE TEMP TABLE traced (golden_id VARCHAR, place INTEGER, "column" VARCHAR, value VARCHAR,'
            " source_row BIGINT, source_column VARCHAR, source_value VARCHAR, supporting_rows BIGINT[],"
            " rule VARCHAR, changes VARCHAR, confidence DOUBLE, explained BOOLEAN)"
        )

    @staticmethod
    def gather_changes(db: "duckdb.DuckDBPyConnection", earlier: Sequence[Delivery]) -> None:
        """`logged(stage, source_row, column, new, rule)`, the columns under the names they have now."""
        db.execute(
            'CREATE OR REPLACE TEMP TABLE logged (stage INTEGER, source_row BIGINT, "column" VARCHAR, new VARCHAR,'
            " rule VARCHAR)"
        )
        for stage, delivery in enumerate(earlier):
            path = delivery.file(CHANGE_LOG)
            if path is None:
                continue
            later = renames(earlier[stage + 1 :])
            whens = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in later.items())
            name = f'CASE "column" {whens} ELSE "column" END' if whens else '"column"'
            db.execute(
                f"INSERT INTO logged SELECT {stage}, source_row, {name}, new, '{delivery.agent_id}: ' || rule"
                f" FROM read_parquet({text(path)})"
            )

    def trace(self) -> Iterator[ColumnTrace]:
        """Column by column; fills `traced`."""
        before = {new: old for old, new in renames(self._earlier).items()}
        names = [name for name in self._golden.columns if name in self._told()]
        for place, name in enumerate(names):
            source = before.get(name, name)
            yield self._column(place, name, source if source in self._original.columns else None)

    def _told(self) -> set[str]:
        """Columns that lineage speaks of: by name, or as parts of whole records."""
        found = {name for (name,) in self._db.execute(f'SELECT DISTINCT "column" FROM {self._lineage}').fetchall()}
        ours = {self._golden.columns[0], *self._golden.columns[-2:]}
        return {name for name in self._golden.columns if name not in ours} if WHOLE_RECORD in found else found

    def _column(self, place: int, name: str, source: str | None) -> ColumnTrace:
        said = "NULL" if source is None else f"CAST(s.{quoted(source)} AS VARCHAR)"
        cell = f"left(trim(CAST(g.{quoted(name)} AS VARCHAR)), {TEXT_READ})"
        lines = (
            f"SELECT g.{ROW} AS record, l.golden_id, {cell} AS value, l.source_row, l.rule, l.confidence,"
            f" l.value AS told, l.\"column\" = '{WHOLE_RECORD}' AS whole FROM {self._lineage} l"
            f" JOIN {quoted(self._golden.role)} g ON CAST(g.{quoted(self._golden.columns[0])} AS VARCHAR) = l.golden_id"
            f" WHERE l.\"column\" IN ({literal(name)}, '{WHOLE_RECORD}')"
        )
        changes = (
            "SELECT source_row, last(new ORDER BY stage) AS new, string_agg(rule, ', ' ORDER BY stage) AS rules"
            f' FROM logged WHERE "column" = {literal(name)} GROUP BY source_row'
        )
        found = (
            f"SELECT l.*, left(trim({said}), {TEXT_READ}) AS source_value, c.source_row IS NOT NULL AS changed,"
            f" left(trim(c.new), {TEXT_READ}) AS new, c.rules FROM ({lines}) l"
            f" LEFT JOIN source_rows s ON s.{ROW} = l.source_row LEFT JOIN ({changes}) c ON c.source_row = l.source_row"
        )
        expected = "CASE WHEN changed THEN new ELSE source_value END"
        same = (
            f"coalesce(value, '') = coalesce({'value' if source is None else expected}, '')"
            " AND (whole OR coalesce(value, '') = coalesce(told, '')) OR (source_row IS NULL AND value IS NULL)"
        )
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE traced_cells AS SELECT *, ({same}) AS explained FROM ({found})")
        self._db.execute(
            f"INSERT INTO traced SELECT golden_id, {place}, {literal(name)}, value, source_row,"
            f" {'NULL' if source is None else literal(source)}, source_value, NULL, rule, rules, confidence, explained"
            " FROM traced_cells WHERE NOT whole"
        )
        [(cells, unchanged, changed, wrong)] = self._db.execute(
            "SELECT count(*) FILTER (value IS NOT NULL), count(*) FILTER (value IS NOT NULL AND explained AND NOT"
            " changed), count(*) FILTER (value IS NOT NULL AND explained AND changed), count(*) FILTER (NOT explained)"
            " FROM traced_cells"
        ).fetchall()
        self._db.execute(
            f"INSERT INTO unexplained SELECT record, {literal(name)} FROM traced_cells WHERE NOT explained"
        )
        return ColumnTrace(name, source, cells, unchanged, changed, wrong)

    def add_supporters(self) -> None:
        """All the source rows of an entity that say what its golden cell says, the first of them listed."""
        self._db.execute("CREATE OR REPLACE TEMP TABLE supporters (golden_id VARCHAR, place INTEGER, rows BIGINT[])")
        columns = self._db.execute(
            "SELECT DISTINCT place, source_column FROM traced WHERE source_column IS NOT NULL ORDER BY place"
        ).fetchall()
        for place, source in columns:
            self._db.execute(
                f"INSERT INTO supporters SELECT t.golden_id, t.place, list(x.source_row ORDER BY x.source_row)"
                f" [1:{MOST_SUPPORTERS}] FROM traced t JOIN {self._references} x ON x.golden_id = t.golden_id"
                f" JOIN source_rows s ON s.{ROW} = x.source_row AND left(trim(CAST(s.{quoted(source)} AS VARCHAR)),"
                f" {TEXT_READ}) = t.source_value WHERE t.place = {place} GROUP BY t.golden_id, t.place"
            )

    def write(self, path: Path) -> int:
        """The lineage as it was checked, in the order of the golden records; whole records in one line."""
        whole = (
            f"SELECT golden_id, -1, '{WHOLE_RECORD}', NULL, source_row, '{WHOLE_RECORD}', NULL, [source_row], rule,"
            f" NULL, confidence, true FROM {self._lineage} WHERE \"column\" = '{WHOLE_RECORD}'"
        )
        order = f"SELECT golden_id, min(source_row) AS first FROM {self._references} GROUP BY golden_id"
        query = (
            'SELECT t.golden_id, t."column", t.value, t.source_row, t.source_column, t.source_value,'
            " coalesce(p.rows, t.supporting_rows) AS source_rows, t.rule, t.changes, t.confidence, t.explained FROM"
            f" (SELECT * FROM traced UNION ALL {whole}) t JOIN ({order}) o ON o.golden_id = t.golden_id"
            " LEFT JOIN supporters p ON p.golden_id = t.golden_id AND p.place = t.place ORDER BY o.first, t.place"
        )
        self._db.execute(f"COPY ({query}) TO {text(path)} (FORMAT parquet, COMPRESSION zstd)")
        [(lines,)] = self._db.execute(f"SELECT count(*) FROM read_parquet({text(path)})").fetchall()
        return int(lines)


def renames(deliveries: Sequence[Delivery]) -> dict[str, str]:
    """The name now by the name at the first of these agents."""
    now: dict[str, str] = {}
    for delivery in deliveries:
        renamed: dict[str, str] = delivery.result.data.get(RENAMED) or {}
        reached = set(now.values())
        now = {old: renamed.get(name, name) for old, name in now.items()}
        now |= {old: new for old, new in renamed.items() if old not in reached}
    return now
