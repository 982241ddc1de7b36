"""Which rows are the same entity: the temporary table `clusters(source_row, cluster, probability)`, every row in one.

A cluster's number is its first source row. Rows that miss a key match no other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.cells.kinds import literal
from transformers.mastering.ordered_files import Stretch
from transformers.mastering.stewarded import StewardedParameters
from transformers.matching import resolve_entities
from transformers.naming_columns import known
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

CLUSTERS = "clusters"
MEMBERS = "cluster_members"  # rows of some clusters of two and more, in order
SAMPLE = "cluster_sample"
CHOSEN = "chosen_rows"
SLOT = 256  # cluster numbers counted together: as fine as a stretch need be cut
PAIRS = "uncertain_pairs"
UNCERTAIN = (0.1, 0.95)  # probabilities of a match between which a steward knows better than the resolver
UNATTENDED = StewardedParameters()
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
    known(parameter, filter(None, names), table.columns)


def by_keys(db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], keys: Sequence[str]) -> None:
    """Rows whose keys are the same but for case and spaces."""
    by_name = {column.name: column for column in columns}
    cells = [by_name[key] for key in keys]
    same = ", ".join(rf"regexp_replace(lower({c.cell}), '\s+', ' ', 'g')" for c in cells)
    told = " AND ".join(f"NOT {c.is_missing}" for c in cells)
    row = quoted(SOURCE_ROW)
    keyed = (
        f"SELECT {row} AS source_row, CASE WHEN {told} THEN md5_number(concat_ws(chr(31), {same})) END AS k"
        f" FROM {quoted(table.role)}"
    )
    db.execute(f"CREATE OR REPLACE TEMP TABLE keyed_rows AS {keyed}")  # 128 bits a key, however long its text
    db.execute(
        "CREATE OR REPLACE TEMP TABLE first_rows AS SELECT k, min(source_row) AS cluster FROM keyed_rows"
        " WHERE k IS NOT NULL GROUP BY k HAVING count(*) > 1"
    )
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {CLUSTERS} AS SELECT source_row, coalesce(f.cluster, source_row) AS cluster,"
        " 1.0::DOUBLE AS probability FROM keyed_rows r LEFT JOIN first_rows f ON f.k = r.k"
    )
    db.execute("DROP TABLE keyed_rows")
    db.execute("DROP TABLE first_rows")


def from_file(db: "duckdb.DuckDBPyConnection", table: Table, path: "Path") -> None:
    """As an agent before has written them; a row that it did not see is one of its own."""
    row = quoted(SOURCE_ROW)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {CLUSTERS} AS SELECT t.{row} AS source_row,"
        f" coalesce(c.cluster, t.{row}) AS cluster,"
        f" coalesce(c.probability, 1.0)::DOUBLE AS probability FROM {quoted(table.role)} t"
        f" LEFT JOIN read_parquet({text(path)}) c ON c.source_row = t.{row}"
    )


def gather(db: "duckdb.DuckDBPyConnection", method: str) -> Clustering:
    """Count them: `cluster_sizes(cluster, n)`."""
    db.execute(  # in order, so that a stretch of clusters is found without looking through all
        f"CREATE OR REPLACE TEMP TABLE cluster_sizes AS SELECT cluster, count(*) AS n FROM {CLUSTERS} GROUP BY cluster"
        " ORDER BY cluster"
    )
    [(rows, clusters, shared, rows_shared, largest)] = db.execute(
        "SELECT coalesce(sum(n), 0)::BIGINT, count(*), count(*) FILTER (n > 1),"
        " coalesce(sum(n) FILTER (n > 1), 0)::BIGINT, coalesce(max(n), 0) FROM cluster_sizes"
    ).fetchall()
    return Clustering(method, rows, clusters, shared, rows_shared, largest)


def shared_stretches(db: "duckdb.DuckDBPyConnection", rows: int) -> list[Stretch]:
    """Ranges of cluster numbers (above, up to) that hold about so many rows of shared clusters."""
    slots = db.execute(
        f"SELECT cluster // {SLOT} AS slot, sum(least(n, {LARGEST}))::BIGINT FROM cluster_sizes WHERE n > 1"
        " GROUP BY slot ORDER BY slot"
    ).fetchall()
    found, above, held = [], -1, 0
    for slot, n in slots:
        held += n
        if held >= rows:
            found.append((above, (slot + 1) * SLOT - 1))
            above, held = (slot + 1) * SLOT - 1, 0
    return [*found, (above, (slots[-1][0] + 1) * SLOT - 1)] if held else found


def draw_sample(db: "duckdb.DuckDBPyConnection", table: Table, rows: int) -> None:
    """`cluster_sample`: whole shared clusters chosen by a hash, about so many rows."""
    [(shared,)] = db.execute("SELECT coalesce(sum(n), 0)::BIGINT FROM cluster_sizes WHERE n > 1").fetchall()
    step = max(1, -(-shared // max(1, rows)))
    choose_rows(db, f"hash(c.cluster) % {step} = 0")
    lay_chosen(db, table, SAMPLE)


def choose_rows(db: "duckdb.DuckDBPyConnection", condition: str = "true") -> None:
    """`chosen_rows(source_row, cluster)`: the rows of shared clusters, of each no more than are weighed."""
    chosen = (
        f"SELECT c.source_row, c.cluster FROM {CLUSTERS} c JOIN cluster_sizes s ON s.cluster = c.cluster"
        f" WHERE s.n > 1 AND {condition}"
    )
    db.execute(f"CREATE OR REPLACE TEMP TABLE {CHOSEN} AS {chosen}")
    db.execute(
        f"DELETE FROM {CHOSEN} WHERE source_row IN (SELECT source_row FROM (SELECT source_row, row_number() OVER"
        f" (PARTITION BY cluster ORDER BY source_row) AS place FROM {CHOSEN} WHERE cluster IN"
        f" (SELECT cluster FROM cluster_sizes WHERE n > {LARGEST})) WHERE place > {LARGEST})"
    )


def lay_chosen(db: "duckdb.DuckDBPyConnection", table: Table, name: str) -> None:
    """A temporary table of the rows chosen, with their cluster, in order."""
    row = quoted(SOURCE_ROW)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT c.cluster AS __cluster__, t.* FROM {CHOSEN} c"
        f" JOIN {quoted(table.role)} t ON t.{row} = c.source_row ORDER BY c.cluster, t.{row}"
    )


def text(path: "Path") -> str:
    """SQL: the path as a literal."""
    return literal(str(path))


def by_resolver(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: Sequence[Column],
    *,
    threshold: float | None,
    stewarded: StewardedParameters,
    report_progress: Callable[[float], None],
) -> None:
    """Probabilistic matching over the columns given; the pairs it was not sure of stay as `uncertain_pairs`."""
    found = resolve_entities(
        db,
        table,
        columns,
        threshold=threshold,
        labels=stewarded.steward_labels,
        link_only_across=stewarded.link_only_across,
        report_progress=report_progress,
    )
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {CLUSTERS} AS SELECT c.source_row, f.cluster, round(c.probability, 4)::DOUBLE"
        f" AS probability FROM {found.clusters} c JOIN (SELECT cluster AS k, min(source_row) AS cluster"
        f" FROM {found.clusters} GROUP BY cluster) f ON f.k = c.cluster"
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
    stewarded: StewardedParameters = UNATTENDED,
    report_progress: Callable[[float], None] = lambda _fraction: None,
) -> Clustering:
    """By exact keys where some are named, else by the entity resolver.

    `apart` are columns that tell no entity. With `alike`, a least probability, the resolver looks at the keys instead.
    """
    if keys and alike is None:
        by_keys(db, table, columns, keys)
        return gather(db, "exact keys")
    asked = [column for column in columns if column.name in keys or (not keys and column.name not in apart)]
    if stewarded.link_only_across:
        check_columns(table, [stewarded.link_only_across], "link_only_across")
    by_resolver(db, table, asked, threshold=alike, stewarded=stewarded, report_progress=report_progress)
    return gather(db, "the entity resolver")


def taken_over(db: "duckdb.DuckDBPyConnection", table: Table, path: "Path") -> Clustering:
    """As an agent before found them."""
    from_file(db, table, path)
    return gather(db, "the survivorship resolver")


def write_clusters(db: "duckdb.DuckDBPyConnection", path: "Path") -> None:
    """In the order of the rows."""
    db.execute(f"COPY (FROM {CLUSTERS} ORDER BY source_row) TO {text(path)} (FORMAT parquet)")


def write_pairs(db: "duckdb.DuckDBPyConnection", scratch: "Path") -> "Path | None":
    """The pairs the resolver was not sure of, if it was asked and there are any: row_a, row_b, probability."""
    known = db.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [PAIRS]).fetchall()
    if known == [(0,)] or db.execute(f"SELECT count(*) FROM {PAIRS}").fetchall() == [(0,)]:
        return None
    path = scratch / f"{PAIRS}.parquet"
    db.execute(f"COPY (FROM {PAIRS} ORDER BY row_a, row_b) TO {text(path)} (FORMAT parquet)")
    return path
