"""Which rows are the same entity: the temporary table `clusters(source_row, cluster, probability)`, every row in one.

A cluster's number is its first source row. Rows that miss a key match no other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import BadParameters
from transformers.cells.columns import Column
from transformers.matching import resolve_entities
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

CLUSTERS = "clusters"
MEMBERS = "cluster_members"  # the rows of clusters of two and more, in order
PAIRS = "uncertain_pairs"
UNCERTAIN = (0.1, 0.95)  # probabilities of a match between which a steward knows better than the resolver
LARGEST = 2000  # rows of a cluster that are weighed: its values are long known by then, and memory stays bounded


@dataclass(frozen=True)
class Clustering:
    """What came of it. `method` says how: exact keys, or the entity resolver."""

    method: str
    rows: int
    clusters: int
    shared: int  # clusters of two rows and more
    rows_shared: int
    largest: int

    @property
    def summary(self) -> dict[str, object]:
        return {
            "method": self.method,
            "rows": self.rows,
            "clusters": self.clusters,
            "clusters_of_several_rows": self.shared,
            "rows_in_them": self.rows_shared,
            "largest_cluster": self.largest,
        }


def check_columns(table: Table, names: Sequence[str], parameter: str) -> None:
    """Raises BadParameters, naming the first column that the table does not have."""
    for name in names:
        if name and name not in table.columns:
            raise BadParameters(
                f"{parameter}: the table has no column called {name!r}.", field=parameter, columns=list(table.columns)
            )


def by_keys(db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], keys: Sequence[str]) -> None:
    """Rows whose keys are the same but for case and spaces."""
    by_name = {column.name: column for column in columns}
    cells = [by_name[key] for key in keys]
    same = ", ".join(rf"regexp_replace(lower({c.cell}), '\s+', ' ', 'g')" for c in cells)
    told = " AND ".join(f"NOT {c.is_missing}" for c in cells)
    row = quoted(SOURCE_ROW)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {CLUSTERS} AS"
        f" SELECT {row} AS source_row, CASE WHEN {told} THEN min({row}) OVER (PARTITION BY {told}, {same})"
        f" ELSE {row} END AS cluster, 1.0::DOUBLE AS probability FROM {quoted(table.role)}"
    )


def from_file(db: "duckdb.DuckDBPyConnection", table: Table, path: "Path") -> None:
    """As an agent before has written them; a row that it did not see is one of its own."""
    row = quoted(SOURCE_ROW)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {CLUSTERS} AS SELECT t.{row} AS source_row,"
        f" min(t.{row}) OVER (PARTITION BY coalesce(c.cluster, -t.{row})) AS cluster,"
        f" coalesce(c.probability, 1.0)::DOUBLE AS probability FROM {quoted(table.role)} t"
        f" LEFT JOIN read_parquet({text(path)}) c ON c.source_row = t.{row}"
    )


def gather(db: "duckdb.DuckDBPyConnection", table: Table, method: str) -> Clustering:
    """Lay the rows of shared clusters together in order, as `cluster_members`."""
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE cluster_sizes AS SELECT cluster, count(*) AS n FROM {CLUSTERS} GROUP BY cluster"
    )
    [(rows, clusters, shared, rows_shared, largest)] = db.execute(
        "SELECT coalesce(sum(n), 0)::BIGINT, count(*), count(*) FILTER (n > 1),"
        " coalesce(sum(n) FILTER (n > 1), 0)::BIGINT, coalesce(max(n), 0) FROM cluster_sizes"
    ).fetchall()
    row = quoted(SOURCE_ROW)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {MEMBERS} AS"
        " SELECT c.cluster AS __cluster__, t.* FROM"
        " (SELECT source_row, c.cluster, row_number() OVER (PARTITION BY c.cluster ORDER BY source_row) AS place"
        f"  FROM {CLUSTERS} c JOIN cluster_sizes s ON s.cluster = c.cluster WHERE s.n > 1) c"
        f" JOIN {quoted(table.role)} t ON t.{row} = c.source_row WHERE c.place <= {LARGEST}"
        f" ORDER BY c.cluster, t.{row}"
    )
    return Clustering(method, rows, clusters, shared, rows_shared, largest)


def text(path: "Path") -> str:
    return "'" + str(path).replace("'", "''") + "'"


def by_resolver(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: Sequence[Column],
    threshold: float | None,
    report_progress: Callable[[float], None],
) -> None:
    """Probabilistic matching over the columns given; the pairs it was not sure of stay as `uncertain_pairs`."""
    found = resolve_entities(db, table, columns, threshold=threshold, report_progress=report_progress)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {CLUSTERS} AS SELECT source_row, min(source_row) OVER (PARTITION BY cluster)"
        f" AS cluster, round(probability, 4)::DOUBLE AS probability FROM {found.clusters}"
    )
    low, high = UNCERTAIN
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {PAIRS} AS SELECT a AS row_a, b AS row_b, round(probability, 4) AS probability"
        f" FROM {found.pairs} WHERE probability BETWEEN {low} AND {high}"
    )


def found_by(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: Sequence[Column],
    *,
    keys: Sequence[str],
    apart: Sequence[str | None] = (),
    alike: float | None = None,
    report_progress: Callable[[float], None] = lambda _fraction: None,
) -> Clustering:
    """By exact keys where some are named, else by the entity resolver.

    `apart` are columns that tell no entity. With `alike`, a least probability, the resolver looks at the keys instead.
    """
    if keys and alike is None:
        by_keys(db, table, columns, keys)
        return gather(db, table, "exact keys")
    asked = [column for column in columns if column.name in keys or (not keys and column.name not in apart)]
    by_resolver(db, table, asked, alike, report_progress)
    return gather(db, table, "the entity resolver")


def taken_over(db: "duckdb.DuckDBPyConnection", table: Table, path: "Path") -> Clustering:
    """As an agent before found them."""
    from_file(db, table, path)
    return gather(db, table, "the survivorship resolver")


def write_pairs(db: "duckdb.DuckDBPyConnection", scratch: "Path") -> "Path | None":
    """The pairs the resolver was not sure of, if it was asked and there are any: row_a, row_b, probability."""
    known = db.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [PAIRS]).fetchall()
    if known == [(0,)] or db.execute(f"SELECT count(*) FROM {PAIRS}").fetchall() == [(0,)]:
        return None
    path = scratch / f"{PAIRS}.parquet"
    db.execute(f"COPY (FROM {PAIRS} ORDER BY row_a, row_b) TO {text(path)} (FORMAT parquet)")
    return path
