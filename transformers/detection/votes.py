"""Votes of dependencies: rows that agree on the left side say what the right side should be.

Every dependency on a column votes on every doubted cell of it, for or against. A vote is the log of the odds between
what most other rows of the group say and what the cell says; groups in which the doubted value occurs again speak for
the cell. The votes of one cell are averaged, not added: they come from much the same rows. A vote from a left side
that is itself more doubted than the cell counts for nothing.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from transformers.dependencies import Dependency
from transformers.detection import wrong_keys
from transformers.detection.exceptions import spare_exceptions
from transformers.detection.workbench import READ, Workbench
from transformers.tables import SOURCE_ROW

if TYPE_CHECKING:
    import duckdb

VOTES = "cell_votes"
DISPUTED = "disputed_groups"
REPEATED = 3  # each further row of the group with the doubted value weighs as much as three for the other one
OTHER = 0.5  # a row more on each side: no group is certain
DOUBT = 0.7  # in log odds: a lone disagreement is an exception as often as an error
KEPT = 0.02  # below this a cell is not even doubted
PRESENT_SHARE = 0.85  # of a group that has the value: an empty cell there is an exception


def look(bench: Workbench, dependencies: Sequence[Dependency]) -> None:
    if not dependencies:
        return
    db = bench.db
    _doubted(db, dependencies)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {VOTES} (source_row BIGINT, place INTEGER, voter INTEGER, lhs INTEGER[],"
        " top VARCHAR, filled BOOLEAN, odds DOUBLE)"
    )
    doubted = {place for (place,) in db.execute("SELECT DISTINCT place FROM doubted_cells").fetchall()}
    for voter, dependency in enumerate(dependencies):
        if int(dependency.rhs[1:]) in doubted:
            _vote(db, voter, dependency)
    _count(bench, dependencies)
    spare_exceptions(bench)


def _doubted(db: "duckdb.DuckDBPyConnection", dependencies: Sequence[Dependency]) -> None:
    """Cells that some dependency contradicts: `doubted_cells(source_row, place)`."""
    db.execute("CREATE OR REPLACE TEMP TABLE doubted_cells (source_row BIGINT, place INTEGER)")
    for dependency in dependencies:
        if not _dispute(db, dependency):
            continue
        key, right, place = _key(dependency), dependency.rhs, int(dependency.rhs[1:])
        db.execute(
            f"INSERT INTO doubted_cells SELECT r.{SOURCE_ROW}, {place} FROM {READ} r JOIN ("
            f"SELECT {key} AS g, arg_max(v, (n, v)) FILTER (v IS NOT NULL) AS top FROM ("
            f"SELECT {_columns(dependency)}, {right} AS v, count(*) AS n FROM {READ}"
            f" WHERE {_present(dependency)} AND {_hash(dependency)} IN (SELECT h FROM {DISPUTED})"
            f" GROUP BY ALL) GROUP BY g HAVING count(*) > 1 AND sum(n) > 2"
            f") groups ON {_key(dependency, 'r.')} = g WHERE r.{right} IS DISTINCT FROM top"
        )
    db.execute("CREATE OR REPLACE TEMP TABLE doubted_cells AS SELECT DISTINCT source_row, place FROM doubted_cells")


def _dispute(db: "duckdb.DuckDBPyConnection", dependency: Dependency) -> bool:
    """Fill `disputed_groups` with the hashes of groups of three rows or more that do not all say the same.

    Most groups agree: told apart by hashes they cost little memory, whatever their texts are.
    """
    right = dependency.rhs
    said = f"hash({right})"
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {DISPUTED} AS SELECT {_hash(dependency)} AS h FROM {READ}"
        f" WHERE {_present(dependency)} GROUP BY h HAVING count(*) > 2 AND (count({right}) BETWEEN 1 AND count(*) - 1"
        f" OR min({said}) FILTER ({right} IS NOT NULL) <> max({said}) FILTER ({right} IS NOT NULL))"
    )
    [(groups,)] = db.execute(f"SELECT count(*) FROM {DISPUTED}").fetchall()
    return bool(groups)


def _vote(db: "duckdb.DuckDBPyConnection", voter: int, dependency: Dependency) -> None:
    """What the cell's group says, the cell itself left out."""
    place, right = int(dependency.rhs[1:]), dependency.rhs
    places = [int(name[1:]) for name in dependency.lhs]
    strewn = f"m * {dependency.error}"  # exceptions that the group would have anyway
    db.execute(f"""
        INSERT INTO {VOTES}
        WITH cells AS (
            SELECT r.{SOURCE_ROW} AS source_row, {_key(dependency, "r.")} AS g, r.{right} AS own
            FROM {READ} r JOIN doubted_cells d ON d.source_row = r.{SOURCE_ROW} AND d.place = {place}
            WHERE {_present(dependency, "r.")}
        ), counts AS (
            SELECT {_key(dependency, "r.")} AS g, r.{right} AS v, count(*) AS n FROM {READ} r
            WHERE {_key(dependency, "r.")} IN (SELECT g FROM cells) GROUP BY ALL
        ), groups AS (
            SELECT g, sum(n)::BIGINT AS m, arg_max(v, (n, v)) FILTER (v IS NOT NULL) AS top,
                coalesce(max(n) FILTER (v IS NOT NULL), 0) AS most,
                coalesce(sum(n) FILTER (v IS NOT NULL), 0)::BIGINT AS present FROM counts GROUP BY g
        ), facts AS (
            SELECT source_row, own, top, m, most, present, coalesce(c.n, 1) - 1 AS again
            FROM cells JOIN groups USING (g) LEFT JOIN counts c ON c.g = cells.g AND c.v IS NOT DISTINCT FROM own
        )
        SELECT source_row, {place}, {voter}, {places}, top, own IS NOT NULL,
            CASE WHEN own = top THEN -ln((again + {OTHER}) / {OTHER})
                 WHEN own IS NULL AND (present < {PRESENT_SHARE} * (m - 1) OR most < 2) THEN -1.0
                 ELSE ln((most + {OTHER} + {strewn}) / (again * {REPEATED} + {OTHER} + {strewn}))
                      - CASE WHEN most < 2 THEN 1.0 ELSE 0.0 END END
        FROM facts WHERE m > 1
    """)


def _count(bench: Workbench, dependencies: Sequence[Dependency]) -> None:
    """Two rounds: the first says how doubted each left side is, the second counts with that."""
    db = bench.db
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE vote_doubts AS SELECT source_row, place, {_probability('avg(odds)')} AS p"
        f" FROM {VOTES} GROUP BY source_row, place"
    )
    wrong_keys.look(bench, VOTES, "vote_doubts", dependencies)
    db.execute(f"""
        CREATE OR REPLACE TEMP TABLE vote_weights AS
        SELECT v.source_row, v.place, v.voter, v.top, v.odds,
            greatest(0.02, 1 - coalesce(max(o.p), 0)) AS weight
        FROM (SELECT *, unnest(lhs) AS left_place FROM {VOTES}) v
        LEFT JOIN vote_doubts o ON o.source_row = v.source_row AND o.place = v.left_place
        GROUP BY v.source_row, v.place, v.voter, v.top, v.odds
    """)
    rule = _rule_names(dependencies)
    bench.add(f"""
        SELECT source_row, place, 'dependency', {rule}, p, top, for_top / greatest(p, for_all) FROM (
            SELECT source_row, place, arg_max(top, (for_top, top)) AS top, max(for_top) AS for_top,
                sum(for_top) AS for_all, arg_max(voter, (for_top, -voter)) AS voter, max(p) AS p
            FROM (
                SELECT source_row, place, top, min(voter) FILTER (odds > 0) AS voter,
                    {_probability("sum(odds * weight) FILTER (odds > 0) / max(weights)")} AS for_top,
                    any_value(p) AS p
                FROM (
                    SELECT *, sum(weight) OVER cell AS weights,
                        {_probability("sum(odds * weight) OVER cell / sum(weight) OVER cell")}
                            * least(1.0, max(weight) OVER cell * 1.5) AS p
                    FROM vote_weights WINDOW cell AS (PARTITION BY source_row, place)
                ) GROUP BY source_row, place, top HAVING count(*) FILTER (odds > 0) > 0
            ) GROUP BY source_row, place
        ) WHERE p > {KEPT}
    """)


def _probability(odds: str) -> str:
    return f"1 / (1 + exp({DOUBT} - ({odds})))"


def _rule_names(dependencies: Sequence[Dependency]) -> str:
    names: Mapping[int, str] = {voter: "dependency:" + ",".join(d.lhs) for voter, d in enumerate(dependencies)}
    whens = " ".join(f"WHEN {voter} THEN '{name}'" for voter, name in names.items())
    return f"CASE voter {whens} END"


def _columns(dependency: Dependency) -> str:
    return ", ".join(dependency.lhs)


def _key(dependency: Dependency, alias: str = "") -> str:
    columns = [alias + name for name in dependency.lhs]
    return columns[0] if len(columns) == 1 else f"row({', '.join(columns)})"


def _hash(dependency: Dependency) -> str:
    return f"hash({_columns(dependency)})"


def _present(dependency: Dependency, alias: str = "") -> str:
    return " AND ".join(f"{alias}{name} IS NOT NULL" for name in dependency.lhs)
