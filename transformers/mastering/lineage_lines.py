"""The lines of lineage in stretches of records: `lines(record, golden_id, column, told, source_row, rule, ...)`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transformers.mastering.cluster_rows import rows_held
from transformers.mastering.clusters import text
from transformers.mastering.golden import WHOLE_RECORD
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)
SLOT = 256  # record numbers counted together: as fine as a stretch need be cut
MOST_LINES = 250_000  # of entities of several rows, traced at a time: about 40 MB of texts


@dataclass(frozen=True)
class LineStretch:
    """Records above the first number, up to the second, and the places in the file between which their lines are."""

    above: int
    upto: int
    first_line: int
    last_line: int

    def holds(self, row: str) -> str:
        return f"{row} > {self.above} AND {row} <= {self.upto}"


def line_stretches(db: "duckdb.DuckDBPyConnection", golden: Table, lineage: Path) -> list[LineStretch]:
    """At least one. The lines need not stand in the records' order, but then every stretch reads more of them."""
    key = f"CAST(g.{quoted(golden.columns[0])} AS VARCHAR)"
    whole = f"l.\"column\" = '{WHOLE_RECORD}'"
    slots = db.execute(
        f"SELECT g.{ROW} // {SLOT} AS slot, count(*) FILTER ({whole}), count(*) FILTER (NOT {whole}),"
        f" min(l.file_row_number), max(l.file_row_number)"
        f" FROM read_parquet({text(lineage)}, file_row_number = true) l"
        f" JOIN {quoted(golden.role)} g ON {key} = l.golden_id GROUP BY slot ORDER BY slot"
    ).fetchall()
    most, found, above = rows_held(db, golden), [], -1
    held: list[tuple[int, int, int, int, int]] = []
    for slot in slots:
        held.append(slot)
        if sum(s[1] for s in held) >= most or sum(s[2] for s in held) >= MOST_LINES:
            found.append(_stretch(above, held))
            above, held = found[-1].upto, []
    return [*found, _stretch(above, held)] if held else found or [LineStretch(-1, -1, 0, -1)]


def _stretch(above: int, slots: list[tuple[int, int, int, int, int]]) -> LineStretch:
    first, last = min(slot[3] for slot in slots), max(slot[4] for slot in slots)
    return LineStretch(above, (slots[-1][0] + 1) * SLOT - 1, first, last)


def read_lines(db: "duckdb.DuckDBPyConnection", golden: Table, lineage: Path, stretch: LineStretch) -> None:
    key = f"CAST(g.{quoted(golden.columns[0])} AS VARCHAR)"
    db.execute(
        f'CREATE OR REPLACE TEMP TABLE lines AS SELECT g.{ROW} AS record, l.golden_id, l."column", l.value AS told,'
        f" l.source_row, l.rule, l.confidence, l.\"column\" = '{WHOLE_RECORD}' AS whole"
        f" FROM read_parquet({text(lineage)}, file_row_number = true) l JOIN {quoted(golden.role)} g"
        f" ON {key} = l.golden_id WHERE {stretch.holds('g.' + ROW)}"
        f" AND l.file_row_number >= {stretch.first_line} AND l.file_row_number <= {stretch.last_line}"
    )
