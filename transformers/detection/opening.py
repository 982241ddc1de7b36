"""Opening a workbench: which columns have few enough values to look at, and which words for nothing are values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from transformers.cells.columns import COLUMNS_A_QUERY, TEXTUAL
from transformers.cells.values import chunks
from transformers.detection.workbench import EVIDENCE, EVIDENCE_OF, Workbench, comparable
from transformers.feature_types.names import words_of
from transformers.naming_columns import known
from transformers.tables import Table, quoted

if TYPE_CHECKING:
    import duckdb

    from transformers.cells.columns import Column

MAX_VALUES = 20_000  # distinct values of a column that are looked at one by one
COMPARED = 12  # words for nothing, one by one; of more a pattern is sought
LIKE_MOST = 0.5  # of the values
SAYS_SOURCE = frozenset(
    ("source", "src", "source name", "source system", "data source", "provider", "data provider", "feed", "publisher")
)
APPROXIMATELY = 1.3  # how far an approximate count may be off


def open_workbench(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: "Sequence[Column]", source_column: str | None = None
) -> Workbench:
    """Without any evidence yet.

    Raises:
        BadParameters: there is no such source column.
    """
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {EVIDENCE} (source_row BIGINT, place INTEGER, kind VARCHAR, rule VARCHAR,"
        " confidence DOUBLE, suggestion VARCHAR, certainty DOUBLE)"
    )
    db.execute(f"DROP TABLE IF EXISTS {EVIDENCE_OF}")
    compared = comparable(columns)
    source = _place(compared, source_column) if source_column is not None else _named_source(compared)
    bench = Workbench(db, table, compared, values={})
    written = _written(bench)
    nothings = {place: words for place, words in written.items() if len(words) <= COMPARED}
    bench = replace(bench, nothings=nothings, words=_words(bench, written))
    values = {place: found for place in _few_valued(bench) if (found := _values(bench, place)) is not None}
    return replace(bench, values=values, source=source)


def _place(columns: "Sequence[Column]", name: str) -> int:
    names = [column.name for column in columns]
    known("source_column", [name], names)
    return names.index(name)


def _named_source(columns: "Sequence[Column]") -> int | None:
    """The column whose header says that rows are what several sources state; a lead's source, or light's, is not."""
    named = [place for place, column in enumerate(columns) if " ".join(words_of(column.name)) in SAYS_SOURCE]
    return named[0] if len(named) == 1 else None


def _written(bench: Workbench) -> dict[int, tuple[str, ...]]:
    """The words for nothing of each column of text that has some, as they are written."""
    return {
        place: tuple(
            word
            for [word] in bench.db.execute(
                f"SELECT DISTINCT {bench.text(place)} FROM {bench.relation}"
                f" WHERE {column.is_missing} AND {bench.text(place)} <> '' ORDER BY 1"
            ).fetchall()
        )
        for place, column in enumerate(bench.columns)
        if column.disguised and column.is_text
    }


def _words(bench: Workbench, written: Mapping[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    """Words for nothing that look just like most values of their column: ND among the codes of states."""
    found = {
        place: tuple(word for word in words if _looks_like_most(bench, place, word))
        for place, words in written.items()
        if bench.columns[place].logical in TEXTUAL
    }
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
