"""Ids of entities that last: from run to run a cluster keeps its id, and without an earlier run it has one by content.

An id comes from the records' content, never from row numbers, so that the same records in another order get the same.
With a cross-reference of an earlier run, each cluster keeps the id that most of its records had; of two that merge
the larger share wins, of one that splits the larger part keeps it, and what became of the others is recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.matching.memory import told_as_limit
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

IDS = "er_entity_ids"
CHANGES = "er_entity_changes"
ID_LENGTH = 20  # hexadecimal digits: 80 bits, by which a billion entities meet by chance once in two million times
PREFIX = "E"


@dataclass(frozen=True)
class EntityIds:
    """Names of temporary tables, and what happened to the earlier ids.

    `ids`: source_row, cluster, source_key, entity_id. `changes`: was, now, records, change ("merged" where the
    earlier id is gone, "split" where only some of its records left it).
    """

    ids: str
    changes: str
    kept: int
    new: int
    merged: int
    split: int


def entity_ids(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    clusters: str,
    *,
    key_columns: Sequence[str] = (),
    previous: str | None = None,
) -> EntityIds:
    """An id for each cluster of the table `clusters` (source_row, cluster).

    `previous` names a table or view of (source_key, entity_id); a row's source key is the text of its `key_columns`,
    or where there are none the hash of its content.
    """
    with told_as_limit():
        _keyed(db, table, clusters, key_columns)
        _overlaps(db, previous)
        _keep(db)
        _name_the_rest(db)
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE {IDS} AS SELECT k.source_row, k.cluster, k.source_key, n.entity_id"
            " FROM ei_keyed k JOIN ei_named n USING (cluster) ORDER BY k.source_row"
        )
        return _counted(db)


def _keyed(db: "duckdb.DuckDBPyConnection", table: Table, clusters: str, key_columns: Sequence[str]) -> None:
    """`ei_keyed`: every row with the hash of its content and its key; `ei_content`: the first hash of each cluster."""
    content = _text_of([name for name in table.columns if name != SOURCE_ROW])
    key = _text_of(key_columns) if key_columns else "content"
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE ei_keyed AS SELECT c.source_row, c.cluster, content, {key} AS source_key"
        f" FROM (SELECT *, md5({content}) AS content FROM {quoted(table.role)}) t"
        f" JOIN {clusters} c ON c.source_row = t.{SOURCE_ROW}"
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE ei_content AS SELECT cluster, min(content) AS content FROM ei_keyed"
        " GROUP BY cluster"
    )


def _text_of(names: Sequence[str]) -> str:
    """One text of several cells, in which a missing cell is not an empty one."""
    if len(names) == 1:
        return f"coalesce(CAST({quoted(names[0])} AS VARCHAR), chr(30))"
    cells = ", ".join(f"coalesce(CAST({quoted(name)} AS VARCHAR), chr(30))" for name in names)
    return f"concat_ws(chr(31), {cells})" if names else "''"


def _overlaps(db: "duckdb.DuckDBPyConnection", previous: str | None) -> None:
    """`ei_overlaps`: how many records of a cluster had which id. `ei_earlier`: every id there ever was."""
    if previous is None:
        db.execute("CREATE OR REPLACE TEMP TABLE ei_overlaps (cluster BIGINT, was VARCHAR, n BIGINT, content VARCHAR)")
        db.execute("CREATE OR REPLACE TEMP TABLE ei_earlier (entity_id VARCHAR)")
        return
    db.execute(
        "CREATE OR REPLACE TEMP TABLE ei_overlaps AS SELECT cluster, was, n, content FROM"
        " (SELECT k.cluster, p.entity_id AS was, count(*) AS n FROM ei_keyed k JOIN"
        f" (SELECT source_key, min(entity_id) AS entity_id FROM {previous} GROUP BY source_key) p USING (source_key)"
        " GROUP BY ALL) JOIN ei_content USING (cluster)"
    )
    db.execute(f"CREATE OR REPLACE TEMP TABLE ei_earlier AS SELECT DISTINCT entity_id FROM {previous}")


def _keep(db: "duckdb.DuckDBPyConnection") -> None:
    """`ei_named`: the largest overlap decides first, then the largest among who is left, until nobody is."""
    db.execute("CREATE OR REPLACE TEMP TABLE ei_named (cluster BIGINT, entity_id VARCHAR)")
    db.execute("CREATE OR REPLACE TEMP TABLE ei_open AS SELECT * FROM ei_overlaps")
    order = "ORDER BY n DESC, was, content, cluster"
    while True:
        [(named,)] = db.execute(
            "INSERT INTO ei_named SELECT cluster, was FROM (SELECT cluster, was,"
            f" row_number() OVER (PARTITION BY cluster {order}) AS first_of_cluster,"
            f" row_number() OVER (PARTITION BY was {order}) AS first_of_id FROM ei_open)"
            " WHERE first_of_cluster = 1 AND first_of_id = 1"
        ).fetchall()
        if not named:
            return
        db.execute(
            "CREATE OR REPLACE TEMP TABLE ei_open AS SELECT o.* FROM ei_open o"
            " ANTI JOIN ei_named c ON c.cluster = o.cluster ANTI JOIN ei_named i ON i.entity_id = o.was"
        )


def _name_the_rest(db: "duckdb.DuckDBPyConnection") -> None:
    """By content; records of the same content in two clusters, or an id that was given before, ask for another."""
    db.execute(
        "CREATE OR REPLACE TEMP TABLE ei_unnamed AS SELECT cluster, md5(content ||"
        " (row_number() OVER (PARTITION BY content ORDER BY cluster))::VARCHAR) AS content"
        " FROM ei_content ANTI JOIN ei_named USING (cluster)"
    )
    while True:
        proposed = f"'{PREFIX}' || left(content, {ID_LENGTH})"
        db.execute(
            f"INSERT INTO ei_named SELECT cluster, id FROM (SELECT cluster, {proposed} AS id,"
            f" row_number() OVER (PARTITION BY {proposed} ORDER BY cluster) AS place FROM ei_unnamed)"
            " ANTI JOIN ei_earlier e ON e.entity_id = id ANTI JOIN ei_named g ON g.entity_id = id WHERE place = 1"
        )
        db.execute(
            "CREATE OR REPLACE TEMP TABLE ei_unnamed AS SELECT cluster, md5(content) AS content FROM ei_unnamed"
            " ANTI JOIN ei_named USING (cluster)"
        )
        [(left,)] = db.execute("SELECT count(*) FROM ei_unnamed").fetchall()
        if not left:
            return


def _counted(db: "duckdb.DuckDBPyConnection") -> EntityIds:
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {CHANGES} AS SELECT o.was, n.entity_id AS now, sum(o.n)::BIGINT AS records,"
        " CASE WHEN any_value(still.entity_id) IS NULL THEN 'merged' ELSE 'split' END AS change"
        " FROM ei_overlaps o JOIN ei_named n USING (cluster) LEFT JOIN ei_named still ON still.entity_id = o.was"
        " WHERE n.entity_id <> o.was GROUP BY o.was, n.entity_id ORDER BY o.was, n.entity_id"
    )
    [(kept, new)] = db.execute(
        "SELECT count(e.entity_id), count(*) - count(e.entity_id) FROM ei_named n"
        " LEFT JOIN ei_earlier e ON e.entity_id = n.entity_id"
    ).fetchall()
    [(merged, split)] = db.execute(
        "SELECT count(DISTINCT was) FILTER (change = 'merged'), count(DISTINCT was) FILTER (change = 'split')"
        f" FROM {CHANGES}"
    ).fetchall()
    for name in ("ei_keyed", "ei_content", "ei_overlaps", "ei_earlier", "ei_open", "ei_unnamed", "ei_named"):
        db.execute(f"DROP TABLE IF EXISTS {name}")
    return EntityIds(IDS, CHANGES, kept, new, merged, split)
