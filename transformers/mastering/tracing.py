"""Lineage checked against the data: every golden cell compared with the source cell that it is said to come from.

The source is the table as intake read it. What an earlier agent changed on the way is taken from its change log, and
a column's earlier names from what it was renamed.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.mastering.clusters import text
from transformers.mastering.golden import WHOLE_RECORD
from transformers.mastering.lineage_lines import LineStretch, line_stretches, read_lines
from transformers.mastering.renames import RENAMED
from transformers.mastering.traced_cells import Traced, check_cells, check_whole
from transformers.mastering.work_files import CHANGE_LOG
from transformers.tables import Table
from transformers.tool import Delivery

if TYPE_CHECKING:
    import duckdb

FINISHED = (
    'SELECT golden_id, "column", value, source_row, source_column, source_value, source_rows, rule, changes,'
    " confidence, explained FROM (SELECT * FROM traced UNION ALL"
    f" SELECT record, -1, golden_id, '{WHOLE_RECORD}', NULL, source_row, '{WHOLE_RECORD}', NULL, [source_row], rule,"
    " NULL, confidence, true FROM lines WHERE whole) ORDER BY record, place"
)
TRACED = (
    'CREATE OR REPLACE TEMP TABLE traced (record BIGINT, place INTEGER, golden_id VARCHAR, "column" VARCHAR,'
    " value VARCHAR, source_row BIGINT, source_column VARCHAR, source_value VARCHAR, source_rows BIGINT[],"
    " rule VARCHAR, changes VARCHAR, confidence DOUBLE, explained BOOLEAN)"
)


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
    """What `lines` and `whole` hold is a stretch of records: their lines, and those of one source row, cell by cell."""

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
        self._db, self._golden, self._original = db, golden, original
        self._lineage, self._references = lineage, references
        self.rules: Counter[str] = Counter()
        db.execute(f"CREATE OR REPLACE TEMP VIEW source_rows AS SELECT * FROM read_parquet({text(original.path)})")
        db.execute('CREATE OR REPLACE TEMP TABLE unexplained (source_row BIGINT, "column" VARCHAR)')
        gather_changes(db, earlier)
        logged = {name for (name,) in db.execute('SELECT DISTINCT "column" FROM logged').fetchall()}
        before = {new: old for old, new in renames(earlier).items()}
        self.columns = [
            Traced(place, name, source if source in original.columns else None, name in logged)
            for place, name in enumerate(self._told())
            for source in [before.get(name, name)]
        ]

    def _told(self) -> list[str]:
        """Columns that lineage speaks of: by name, or as parts of whole records."""
        query = f'SELECT DISTINCT "column" FROM read_parquet({text(self._lineage)})'
        found = {name for (name,) in self._db.execute(query).fetchall()}
        ours = {self._golden.columns[0], *self._golden.columns[-2:]}
        whole = WHOLE_RECORD in found
        return [name for name in self._golden.columns if (name not in ours if whole else name in found)]

    def write(self, path: Path, progress: Callable[[float], None]) -> list[ColumnTrace]:
        """The lineage as it was checked, in the order of the golden records; whole records in one line."""
        from transformers.intake.writing import RowGroupSink

        counts = {column.name: [0, 0, 0, 0] for column in self.columns}
        listed = line_stretches(self._db, self._golden, self._lineage)
        sink = None
        for done, stretch in enumerate(listed, start=1):
            self._check(stretch, counts)
            rows = self._db.sql(FINISHED).to_arrow_table()
            sink = sink or RowGroupSink(path, rows.schema).__enter__()
            for batch in rows.combine_chunks().to_batches():
                sink.write(batch)
            progress(done / len(listed))
        assert sink is not None
        sink.__exit__(None, None, None)
        return [ColumnTrace(c.name, c.source, *counts[c.name]) for c in self.columns]

    def _check(self, stretch: LineStretch, counts: dict[str, list[int]]) -> None:
        db = self._db
        read_lines(db, self._golden, self._lineage, stretch)
        db.execute(TRACED)
        whole, single = db.execute("SELECT count(*) FILTER (whole), count(*) FILTER (NOT whole) FROM lines").fetchall()[
            0
        ]
        if whole:
            check_whole(db, self._golden, self.columns, stretch, counts)
        if single:
            check_cells(db, self._golden, self.columns, (stretch, self._references), counts)
            self.rules.update(dict(db.execute("SELECT rule, count(*) FROM traced GROUP BY rule").fetchall()))


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


def renames(deliveries: Sequence[Delivery]) -> dict[str, str]:
    """The name now by the name at the first of these agents."""
    now: dict[str, str] = {}
    for delivery in deliveries:
        renamed: dict[str, str] = delivery.result.data.get(RENAMED) or {}
        reached = set(now.values())
        now = {old: renamed.get(name, name) for old, name in now.items()}
        now |= {old: new for old, new in renamed.items() if old not in reached}
    return now
