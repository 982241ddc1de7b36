"""What the rules work on: the table's cells as they are read, and the evidence they leave.

`cells_read(__source_row__, c0, c1 …)`: column i's cell in its column's own form (readings.py), trimmed; NULL where it
is missing. `cell_evidence`: one line for each reason to doubt a cell, with what the rule would put in its place.
Rules see columns by place, so no name of the customer's sways them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transformers.cells.columns import COLUMNS_A_QUERY, TEXTUAL
from transformers.cells.kinds import literal
from transformers.cells.values import chunks
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

    from transformers.cells.columns import Column

READ = "cells_read"
EVIDENCE = "cell_evidence"
EVIDENCE_OF = "cell_evidence_of"
MAX_COLUMNS = 200  # the first text columns of a table are looked at; a wider one is rather a matrix
MAX_VALUES = 20_000  # distinct values of a column that are looked at one by one
LIKE_MOST = 0.5  # of the values
APPROXIMATELY = 1.3  # how far an approximate count may be off
MOST_CELLS_HELD = 4_000_000  # more are written to disk: a table in memory is not compressed
ROWS_WRITTEN = 20_480  # at a time: ten vectors; a writer's row group lies in memory, one a thread


@dataclass(frozen=True)
class Doubt:
    """A reason to doubt every cell of a column with this text. `suggestion` None: the right value is none."""

    text: str
    suggestion: str | None
    confidence: float  # that the cell is wrong
    certainty: float = 0.0  # that the suggestion is right, if the cell is wrong; 0 = no suggestion


@dataclass(frozen=True)
class Workbench:
    db: "duckdb.DuckDBPyConnection"
    table: Table
    columns: "tuple[Column, ...]"
    values: Mapping[int, Mapping[str, int]]  # place → distinct texts (trimmed, present) and how often, where few enough
    words: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # place → words for nothing that are values here
    rewritten: dict[int, Mapping[str, str]] = field(default_factory=dict)  # place → text → the form of its column

    @property
    def relation(self) -> str:
        return quoted(self.table.role)

    def text(self, place: int) -> str:
        """SQL: the cell as written, trimmed."""
        return f"trim(CAST({quoted(self.columns[place].name)} AS VARCHAR))"

    def present(self, place: int) -> str:
        """SQL: the cell as written, trimmed; NULL where it is missing."""
        return f"CASE WHEN NOT {self.missing(place)} THEN {self.text(place)} END"

    def missing(self, place: int) -> str:
        """SQL: true where there is no value."""
        kept = ", ".join(literal(word) for word in self.words.get(place, ()))
        missing = self.columns[place].is_missing
        return f"({missing} AND coalesce({self.text(place)}, '') NOT IN ({kept}))" if kept else missing

    def read_values(self, place: int) -> dict[str, int]:
        """The distinct values in their column's own form."""
        forms = self.rewritten.get(place, {})
        counts: dict[str, int] = {}
        for text, n in self.values.get(place, {}).items():
            counts[forms.get(text, text)] = counts.get(forms.get(text, text), 0) + n
        return counts

    def doubt_texts(self, place: int, kind: str, rule: str, doubts: Sequence[Doubt], source: str | None = None) -> None:
        """Every cell whose text (or whose reading, with `source=READ`) is doubted."""
        if not doubts:
            return
        import pyarrow as pa

        said = pa.table(
            {
                "__text__": pa.array([d.text for d in doubts], pa.string()),
                "__suggestion__": pa.array([d.suggestion for d in doubts], pa.string()),
                "__confidence__": pa.array([d.confidence for d in doubts], pa.float64()),
                "__certainty__": pa.array([d.certainty for d in doubts], pa.float64()),
            }
        )
        relation, cell = (source, f"c{place}") if source else (self.relation, self.text(place))
        self.db.register("__doubted__", said)
        self.add(
            f"SELECT {SOURCE_ROW}, {place}, {literal(kind)}, {literal(rule)}, __confidence__, __suggestion__,"
            f" __certainty__ FROM {relation} JOIN __doubted__ ON {cell} = __text__"
        )
        self.db.unregister("__doubted__")

    def add(self, query: str) -> None:
        """A query of (source_row, place, kind, rule, confidence, suggestion, certainty)."""
        self.db.execute(f"INSERT INTO {EVIDENCE} {query}")


def evidence_is_there(db: "duckdb.DuckDBPyConnection", table: Table, columns: "Sequence[Column]") -> bool:
    """Whether the evidence that lies in the database is of this very table."""
    made = db.execute(f"SELECT count(*) FROM duckdb_tables() WHERE table_name = '{EVIDENCE_OF}'").fetchall()
    return made == [(1,)] and db.execute(f"SELECT * FROM {EVIDENCE_OF}").fetchall() == [(_identity(table, columns),)]


def sign_evidence(bench: Workbench) -> None:
    """Say which table it is of, once every rule has spoken."""
    identity = literal(_identity(bench.table, bench.columns))
    bench.db.execute(f"CREATE OR REPLACE TEMP TABLE {EVIDENCE_OF} AS SELECT {identity} AS of")


def _identity(table: Table, columns: "Sequence[Column]") -> str:
    return repr((str(table.path), table.rows, [c.name for c in text_columns(columns)]))


def text_columns(columns: "Sequence[Column]") -> "tuple[Column, ...]":
    return tuple(c for c in columns if c.is_text)[:MAX_COLUMNS]


def open_workbench(db: "duckdb.DuckDBPyConnection", table: Table, columns: "Sequence[Column]") -> Workbench:
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {EVIDENCE} (source_row BIGINT, place INTEGER, kind VARCHAR, rule VARCHAR,"
        " confidence DOUBLE, suggestion VARCHAR, certainty DOUBLE)"
    )
    db.execute(f"DROP TABLE IF EXISTS {EVIDENCE_OF}")
    known = text_columns(columns)
    first = Workbench(db, table, known, values={})
    bench = Workbench(db, table, known, values={}, words=_words(first))
    values = {place: found for place in _few_valued(bench) if (found := _values(bench, place)) is not None}
    return Workbench(db, table, known, values=values, words=bench.words)


def _words(bench: Workbench) -> dict[int, tuple[str, ...]]:
    """Words for nothing that look just like most values of their column: ND among the codes of states."""
    found = {}
    for place, column in enumerate(bench.columns):
        if column.disguised and column.logical in TEXTUAL:
            words = [
                w
                for [w] in bench.db.execute(
                    f"SELECT DISTINCT {bench.text(place)} AS w FROM {bench.relation}"
                    f" WHERE {column.is_missing} AND {bench.text(place)} <> '' ORDER BY w"
                ).fetchall()
            ]
            found[place] = tuple(word for word in words if _looks_like_most(bench, place, word))
    return {place: words for place, words in found.items() if words}


def _looks_like_most(bench: Workbench, place: int, word: str) -> bool:
    """Letters of the same case and number; a mark like "-" looks like nothing."""
    if not word.isalpha():
        return False
    form = f"{'[A-Z]' if word.isupper() else '[a-z]' if word.islower() else '[A-Za-z]'}{{{len(word)}}}"
    [[share]] = bench.db.execute(
        f"SELECT avg(regexp_full_match({bench.text(place)}, '{form}')::INTEGER) FROM {bench.relation}"
        f" WHERE NOT {bench.columns[place].is_missing}"
    ).fetchall()
    return (share or 0.0) > LIKE_MOST


def _few_valued(bench: Workbench) -> list[int]:
    """Columns that may have few enough values: a look at all of them in one scan spares the rest their sort."""
    few: list[int] = []
    for some in chunks(range(len(bench.columns)), COLUMNS_A_QUERY):
        counts = ", ".join(f"approx_count_distinct({quoted(bench.columns[place].name)})" for place in some)
        [row] = bench.db.execute(f"SELECT {counts} FROM {bench.relation}").fetchall()
        few += [place for place, count in zip(some, row, strict=True) if count <= MAX_VALUES * APPROXIMATELY]
    return few


def _values(bench: Workbench, place: int) -> dict[str, int] | None:
    """The distinct present texts in order; None where there are too many to look at."""
    rows = bench.db.execute(
        f"SELECT v, count(*) FROM (SELECT {bench.present(place)} AS v FROM {bench.relation}) WHERE v IS NOT NULL"
        f" GROUP BY v ORDER BY count(*) DESC, v LIMIT {MAX_VALUES + 1}"
    ).fetchall()
    return dict(rows) if len(rows) <= MAX_VALUES else None


def read_cells(bench: Workbench) -> None:
    """Fill `cells_read`, once it is known which columns have a form of their own."""
    import pyarrow as pa

    cells, joins = [], []
    for place in range(len(bench.columns)):
        forms = {text: form for text, form in bench.rewritten.get(place, {}).items() if text != form}
        if not forms:
            cells.append(f"{bench.present(place)} AS c{place}")
            continue
        text, form = (pa.array(said, pa.string()) for said in (forms.keys(), forms.values()))
        bench.db.register(f"__forms{place}__", pa.table({f"__text{place}__": text, f"__form{place}__": form}))
        joins.append(f"LEFT JOIN __forms{place}__ ON __text{place}__ = {bench.present(place)}")
        cells.append(f"coalesce(__form{place}__, {bench.present(place)}) AS c{place}")
    listed = "".join(f", {cell}" for cell in cells)
    query = f"SELECT {SOURCE_ROW}{listed} FROM {bench.relation} {' '.join(joins)}"
    if bench.table.rows * len(bench.columns) <= MOST_CELLS_HELD:
        bench.db.execute(f"CREATE OR REPLACE TEMP TABLE {READ}_kept AS {query}")
        bench.db.execute(f"CREATE OR REPLACE TEMP VIEW {READ} AS SELECT * FROM {READ}_kept")
    else:
        bench.db.execute(f"CREATE OR REPLACE TEMP VIEW {READ} AS SELECT * FROM read_parquet({_on_disk(bench, query)})")
    for place, known in bench.rewritten.items():
        if any(text != form for text, form in known.items()):
            bench.db.unregister(f"__forms{place}__")


def _on_disk(bench: Workbench, query: str) -> str:
    """Where the database spills to; with the task's scratch folder it goes."""
    from pathlib import Path

    [[folder]] = bench.db.execute("SELECT current_setting('temp_directory')").fetchall()
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = literal(str(Path(folder) / f"{READ}.parquet"))
    bench.db.execute(f"COPY ({query}) TO {path} (FORMAT parquet, ROW_GROUP_SIZE {ROWS_WRITTEN})")
    return path


def most_common(counts: Mapping[str, float]) -> str:
    """The largest; the first in order among equals."""
    return min(counts, key=lambda key: (-counts[key], key))
