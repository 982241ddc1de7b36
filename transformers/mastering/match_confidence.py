"""How sure it is that a row belongs to its entity, where the match keys count for more or less.

A key's weight is what agreement in it adds: with 1 it is enough by itself, lesser ones add up to 1. A row's confidence
is what the clustering gave, times the weight of the keys in which the row agrees as a share of what that would be if
all of them counted in full. So weights of 1 change nothing, and agreement in nothing but a key of weight 0 is none.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.mastering.clusters import CLUSTERS
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

ROW = quoted(SOURCE_ROW)
LEAST_ALIKE = 0.8  # Jaro–Winkler: texts of which less is the same have nothing to do with each other
LONGEST = 200  # characters compared
AGREEMENT = "key_agreement"  # source_row, said (weighed), full (as if all weights were 1)


def weigh_matches(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], weights: Mapping[str, float]
) -> None:
    """Give the rows of shared clusters their confidence. Expects `clusters` and `cluster_sizes`."""
    if all(weight == 1 for weight in weights.values()):
        return
    by_name = {column.name: column for column in columns}
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {AGREEMENT} AS SELECT source_row, 0.0::DOUBLE AS said, 0.0::DOUBLE AS full_said"
        f" FROM {CLUSTERS} JOIN cluster_sizes USING (cluster) WHERE n > 1"
    )
    for name, weight in weights.items():
        _add_key(db, table, by_name[name], weight)
    unknown = min(1.0, sum(weights.values()) / len(weights))  # no key says anything, so none more than another
    share = f"CASE WHEN full_said = 0 THEN {unknown!r} ELSE least(1.0, said) / least(1.0, full_said) END"
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {CLUSTERS} AS SELECT source_row, cluster, CASE WHEN a.said IS NULL"
        f" THEN probability ELSE round(least(1.0, probability * {share}), 4) END::DOUBLE AS probability"
        f" FROM {CLUSTERS} LEFT JOIN {AGREEMENT} a USING (source_row)"
    )
    db.execute(f"DROP TABLE {AGREEMENT}")


def _add_key(db: "duckdb.DuckDBPyConnection", table: Table, key: Column, weight: float) -> None:
    """A row agrees as far as its text is that of another row of the entity: the first that has one, or the last."""
    same = rf"left(regexp_replace(lower({key.cell}), '\s+', ' ', 'g'), {LONGEST})"
    told = (
        f"SELECT c.cluster, t.{ROW} AS r, {same} AS x FROM {quoted(table.role)} t JOIN {CLUSTERS} c"
        f" ON c.source_row = t.{ROW} JOIN cluster_sizes s ON s.cluster = c.cluster WHERE s.n > 1"
        f" AND NOT {key.is_missing}"
    )
    db.execute(f"CREATE OR REPLACE TEMP TABLE key_cells AS {told}")
    ends = (
        "SELECT cluster, min(r) AS first_row, arg_min(x, r) AS first_text, max(r) AS last_row,"
        " arg_max(x, r) AS last_text FROM key_cells GROUP BY cluster"
    )
    alike = (
        f"coalesce(greatest(CASE WHEN r <> first_row THEN {_alike('first_text')} END,"
        f" CASE WHEN r <> last_row THEN {_alike('last_text')} END), 0.0)"
    )
    db.execute(
        f"UPDATE {AGREEMENT} SET said = said + {weight!r}::DOUBLE * f.alike, full_said = full_said + f.alike"
        f" FROM (SELECT r, {alike} AS alike FROM key_cells JOIN ({ends}) USING (cluster)) f WHERE f.r = source_row"
    )
    db.execute("DROP TABLE key_cells")


def _alike(other: str) -> str:
    near = f"jaro_winkler_similarity(x, {other})"
    return f"CASE WHEN x = {other} THEN 1.0 WHEN {near} >= {LEAST_ALIKE} THEN {near} ELSE 0.0 END"


def spread(db: "duckdb.DuckDBPyConnection", least: float) -> dict[str, float]:
    """The confidence of the merged records, each as sure as its least sure row; how many of them are below `least`."""
    of_records = (
        f"SELECT min(probability) AS p FROM {CLUSTERS} JOIN cluster_sizes USING (cluster) WHERE n > 1 GROUP BY cluster"
    )
    [(n, mean, lowest, below)] = db.execute(
        f"SELECT count(*), round(avg(p), 4), min(p), count(*) FILTER (p < {least!r}::DOUBLE) FROM ({of_records})"
    ).fetchall()
    return {"records": n, "mean": mean, "least": lowest, "below": below} if n else {}
