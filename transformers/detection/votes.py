"""Votes of dependencies: rows that agree on the left side say what the right side should be.

Every dependency on a column votes on every doubted cell of it, for or against. A vote is the log of the odds between
what most other rows of the group say and what the cell says; groups in which the doubted value occurs again speak for
the cell. The votes of one cell are averaged, not added: they come from much the same rows. A vote from a left side
that is itself more doubted than the cell counts for nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from transformers.dependencies import Dependency
from transformers.dependencies.discovery import Search, dependencies_between
from transformers.detection.workbench import EVIDENCE, READ, Workbench
from transformers.tables import SOURCE_ROW

if TYPE_CHECKING:
    import duckdb

VOTES = "cell_votes"
MAX_VOTERS = 6  # dependencies on one column, the most confident
MAX_DEPENDENCIES = 60
MAX_ERROR = 0.12  # dirty cells on both sides
MAX_DISPERSION = 2.0  # exceptions that gather in some groups are habits of these, no errors
MEAN_GROUP = 3  # rows: of two that differ, nobody knows which is wrong
SMALL_ERROR = 0.01  # unless they hardly ever differ
MOST_TOLD = 20  # values: a left side of many values names something if it tells as many, or the root of its own
EXCEPTIONAL = 0.5  # of the rows with some value elsewhere are doubted: a rule with an exception, no errors
MIN_EXCEPTIONS = 5
REPEATED = 3  # each further row of the group with the doubted value weighs as much as three for the other one
OTHER = 0.5  # a row more on each side: no group is certain
DOUBT = 0.7  # in log odds: a lone disagreement is an exception as often as an error
KEPT = 0.02  # below this a cell is not even doubted
DOUBTED = 0.2  # from here on it counts as an exception
PRESENT_SHARE = 0.85  # of a group that has the value: an empty cell there is an exception


def dependencies_of(bench: Workbench, apart: Iterable[int]) -> tuple[Dependency, ...]:
    """Among what the columns read, without those `apart`; the most confident few of each right side."""
    names = {f"c{place}": f"c{place}" for place in range(len(bench.columns)) if place not in set(apart)}
    found = _believed(bench, dependencies_between(bench.db, READ, names, search=Search(max_error=MAX_ERROR)))
    voters: dict[str, int] = defaultdict(int)
    kept = []
    for dependency in sorted(found, key=lambda d: (len(d.lhs), -d.confidence, d.rhs, d.lhs)):
        voters[dependency.rhs] += 1
        if voters[dependency.rhs] <= MAX_VOTERS:
            kept.append(dependency)
    return tuple(kept[:MAX_DEPENDENCIES])


def _believed(bench: Workbench, found: Sequence[Dependency]) -> list[Dependency]:
    """Exceptions strewn as errors are, groups large enough to have a majority, left sides that name something."""
    strewn = [
        d
        for d in found
        if d.dispersion <= MAX_DISPERSION and (d.support >= MEAN_GROUP * d.groups or d.error <= SMALL_ERROR)
    ]
    told: dict[tuple[str, ...], int] = defaultdict(int)
    for d in strewn:
        told[d.lhs] = max(told[d.lhs], _distinct(bench, d.rhs))
    return [d for d in strewn if told[d.lhs] >= min(MOST_TOLD, d.groups**0.5)]


def _distinct(bench: Workbench, name: str) -> int:
    return len(bench.values.get(int(name[1:]), ())) or MOST_TOLD


def look(bench: Workbench, dependencies: Sequence[Dependency]) -> None:
    if not dependencies:
        return
    db = bench.db
    _doubted(db, dependencies)
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {VOTES} (source_row BIGINT, place INTEGER, voter INTEGER, lhs INTEGER[],"
        " top VARCHAR, odds DOUBLE)"
    )
    for voter, dependency in enumerate(dependencies):
        _vote(db, voter, dependency)
    _count(bench, dependencies)
    _spare_exceptions(bench)


def _doubted(db: "duckdb.DuckDBPyConnection", dependencies: Sequence[Dependency]) -> None:
    """Cells that some dependency contradicts: `doubted_cells(source_row, place)`."""
    parts = []
    for dependency in dependencies:
        key, right, place = _key(dependency), dependency.rhs, int(dependency.rhs[1:])
        parts.append(
            f"SELECT r.{SOURCE_ROW} AS source_row, {place} AS place FROM {READ} r JOIN ("
            f"SELECT {key} AS g, arg_max(v, (n, v)) FILTER (v IS NOT NULL) AS top FROM ("
            f"SELECT {_columns(dependency)}, {right} AS v, count(*) AS n FROM {READ} WHERE {_present(dependency)}"
            f" GROUP BY ALL) GROUP BY g HAVING count(*) > 1 AND sum(n) > 2"
            f") groups ON {_key(dependency, 'r.')} = g WHERE r.{right} IS DISTINCT FROM top"
        )
    db.execute("CREATE OR REPLACE TEMP TABLE doubted_cells (source_row BIGINT, place INTEGER)")
    for part in parts:
        db.execute(f"INSERT INTO doubted_cells {part}")
    db.execute("CREATE OR REPLACE TEMP TABLE doubted_cells AS SELECT DISTINCT source_row, place FROM doubted_cells")


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
        SELECT source_row, {place}, {voter}, {places}, top,
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
        SELECT source_row, place, 'dependency', {rule}, p, top, for_top FROM (
            SELECT source_row, place, arg_max(top, (for_top, top)) AS top, max(for_top) AS for_top,
                arg_max(voter, (for_top, -voter)) AS voter, max(p) AS p
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


def _present(dependency: Dependency, alias: str = "") -> str:
    return " AND ".join(f"{alias}{name} IS NOT NULL" for name in dependency.lhs)


def _spare_exceptions(bench: Workbench) -> None:
    """Where most rows with one value of another column are doubted in the same column, they follow a rule of theirs."""
    for place in _places(bench):
        for other in range(len(bench.columns)):
            if other != place:
                _spare(bench, place, other)


def _places(bench: Workbench) -> list[int]:
    found = bench.db.execute(
        f"SELECT place FROM {EVIDENCE} WHERE kind = 'dependency' AND confidence > {DOUBTED}"
        f" GROUP BY place HAVING count(*) >= {MIN_EXCEPTIONS}"
        " ORDER BY place"
    )
    return [place for [place] in found.fetchall()]


def _spare(bench: Workbench, place: int, other: int) -> None:
    """Not by the doubted value itself, which only rows in doubt may have."""
    bench.db.execute(f"""
        DELETE FROM {EVIDENCE} WHERE kind = 'dependency' AND place = {place} AND source_row IN (
            WITH doubted AS (
                SELECT source_row, c{other} AS v, c{place} AS own FROM {EVIDENCE}
                JOIN {READ} ON {SOURCE_ROW} = source_row
                WHERE kind = 'dependency' AND confidence > {DOUBTED} AND place = {place}
                    AND c{other} IS NOT NULL AND c{place} IS NOT NULL
            ), gathered AS (
                SELECT v, count(*) AS n FROM doubted GROUP BY v
                HAVING count(*) >= {MIN_EXCEPTIONS} AND count(DISTINCT own) >= {MIN_EXCEPTIONS}
            ), exceptions AS (
                SELECT v FROM gathered JOIN {READ} ON c{other} = v GROUP BY v, n HAVING n >= {EXCEPTIONAL} * count(*)
            )
            SELECT source_row FROM doubted JOIN exceptions USING (v)
        )
    """)
