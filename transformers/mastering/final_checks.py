"""What has to hold before golden records go out: nothing lost, nothing twice, every row accounted for."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from transformers.mastering.clusters import text
from transformers.mastering.golden import WHOLE_RECORD
from transformers.mastering.work_files import SET_ASIDE
from transformers.tables import SOURCE_ROW, Table, quoted
from transformers.tool import Delivery

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)


class Check(BaseModel):
    """One of them. `failures` counts what breaks it: ids, rows or cells."""

    model_config = ConfigDict(frozen=True)

    name: str
    sentence: str
    failures: int

    @property
    def passed(self) -> bool:
        return self.failures == 0


def check_rows(db: "duckdb.DuckDBPyConnection", table: Table, original: Table, earlier: Sequence[Delivery]) -> Check:
    """For a table that is not golden: its rows and those set aside are the source's."""
    aside = [path for delivery in earlier if (path := delivery.file(SET_ASIDE)) is not None]
    parts = [f"SELECT {ROW} AS r FROM {quoted(table.role)}"]
    parts += [f"SELECT {ROW} AS r FROM read_parquet({text(path)})" for path in aside]
    sentence = "Every row of the source is in the table or was set aside, once."
    return Check(name="rows", sentence=sentence, failures=_uncovered(db, original, " UNION ALL ".join(parts)))


def check_golden(
    db: "duckdb.DuckDBPyConnection",
    golden: Table,
    original: Table,
    earlier: Sequence[Delivery],
    *,
    references: Path,
    lineage: Path | None,
) -> Iterator[Check]:
    known, key = f"read_parquet({text(references)})", quoted(golden.columns[0])
    ids = f"SELECT {key} AS golden_id FROM {quoted(golden.role)}"
    [(unnamed,)] = db.execute(f"SELECT count(*) - count(DISTINCT golden_id) FROM ({ids})").fetchall()
    yield Check(name="ids", sentence="Every golden record has an id of its own.", failures=unnamed)
    aside = [path for delivery in earlier if (path := delivery.file(SET_ASIDE)) is not None]
    parts = [f"SELECT source_row AS r FROM {known}"]
    parts += [f"SELECT {ROW} AS r FROM read_parquet({text(path)})" for path in aside]
    sentence = "Every row of the source belongs to one golden record or was set aside."
    yield Check(name="rows", sentence=sentence, failures=_uncovered(db, original, " UNION ALL ".join(parts)))
    [(strange,)] = db.execute(
        f"SELECT (SELECT count(*) FROM (SELECT DISTINCT golden_id FROM {known}) ANTI JOIN ({ids}) USING (golden_id))"
        f" + (SELECT count(*) FROM ({ids}) ANTI JOIN {known} USING (golden_id))"
    ).fetchall()
    sentence = "The cross-reference and the golden records name the same ids."
    yield Check(name="references", sentence=sentence, failures=strange)
    if lineage is not None:
        sentence = "Every golden cell has a line of lineage."
        yield Check(name="lineage", sentence=sentence, failures=_without_lineage(db, golden, lineage))


def _uncovered(db: "duckdb.DuckDBPyConnection", original: Table, rows: str) -> int:
    """Rows of the source that are there not exactly once."""
    source = f"SELECT {ROW} AS r FROM read_parquet({text(original.path)})"
    query = (
        f"SELECT count(*) FROM ({source}) s FULL JOIN (SELECT r, count(*) AS n FROM ({rows}) GROUP BY r) t USING (r)"
        " WHERE s.r IS NULL OR t.r IS NULL OR t.n <> 1"
    )
    [(failures,)] = db.execute(query).fetchall()
    return int(failures)


def _without_lineage(db: "duckdb.DuckDBPyConnection", golden: Table, lineage: Path) -> int:
    """Most records have one line for all their cells: only the others are asked column by column."""
    told = f"read_parquet({text(lineage)})"
    cells, key = golden.columns[1:-2], quoted(golden.columns[0])
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE told_by_cell AS SELECT g.{ROW} AS r FROM {quoted(golden.role)} g"
        f" ANTI JOIN (SELECT golden_id FROM {told} WHERE \"column\" = '{WHOLE_RECORD}') l ON l.golden_id = g.{key}"
    )
    if db.execute("SELECT count(*) FROM told_by_cell").fetchall() == [(0,)]:
        return 0
    missing = 0
    for name in cells:
        query = (
            f"SELECT count(*) FROM (SELECT {key} AS id, {quoted(name)} AS cell FROM {quoted(golden.role)}"
            f" WHERE {ROW} IN (SELECT r FROM told_by_cell)) g"
            f' ANTI JOIN (SELECT golden_id FROM {told} WHERE "column" = ?) l ON l.golden_id = g.id'
            " WHERE nullif(trim(CAST(g.cell AS VARCHAR)), '') IS NOT NULL"
        )
        missing += int(db.execute(query, [name]).fetchall()[0][0])
    return missing
