"""A rule with exceptions: where most rows with one value of another column are doubted in the same column, they follow
a rule of their own.
"""

from collections.abc import Sequence

from transformers.detection.workbench import EVIDENCE, READ, Workbench
from transformers.tables import SOURCE_ROW

EXCEPTIONAL = 0.5  # of the rows with some value elsewhere are doubted: a rule with an exception, no errors
MIN_EXCEPTIONS = 5
MOST_OTHERS = 60  # columns: an exception is looked for in the first of them
DOUBTED = 0.2  # from here on it counts as an exception


def spare_exceptions(bench: Workbench) -> None:
    for place in _places(bench):
        gathered = _gather(bench, place)
        if gathered:
            _spare(bench, place, gathered)


def _places(bench: Workbench) -> list[int]:
    found = bench.db.execute(
        f"SELECT place FROM {EVIDENCE} WHERE kind = 'dependency' AND confidence > {DOUBTED}"
        f" GROUP BY place HAVING count(*) >= {MIN_EXCEPTIONS}"
        " ORDER BY place"
    )
    return [place for [place] in found.fetchall()]


def _gather(bench: Workbench, place: int) -> list[int]:
    """Fills `gathered(other, v, n)`: values of other columns that many doubted rows share; gives those columns.

    Not by the doubted value itself, which only rows in doubt may have.
    """
    others = [other for other in range(len(bench.columns)) if other != place][:MOST_OTHERS]
    cells = ", ".join(f"c{other}" for other in others)
    bench.db.execute(f"""
        CREATE OR REPLACE TEMP TABLE gathered AS
        WITH doubted AS (
            SELECT source_row, c{place} AS own, unnest({others}) AS other, unnest([{cells}]) AS v FROM {EVIDENCE}
            JOIN {READ} ON {SOURCE_ROW} = source_row
            WHERE kind = 'dependency' AND confidence > {DOUBTED} AND place = {place} AND c{place} IS NOT NULL
        )
        SELECT other, v, count(*) AS n, list(source_row) AS doubted_rows FROM doubted WHERE v IS NOT NULL
        GROUP BY other, v HAVING count(*) >= {MIN_EXCEPTIONS} AND count(DISTINCT own) >= {MIN_EXCEPTIONS}
    """)
    return [other for [other] in bench.db.execute("SELECT DISTINCT other FROM gathered ORDER BY 1").fetchall()]


def _spare(bench: Workbench, place: int, others: Sequence[int]) -> None:
    counted = " UNION ALL ".join(
        f"SELECT {other} AS other, c{other} AS v, count(*) AS rows FROM {READ}"
        f" WHERE c{other} IN (SELECT v FROM gathered WHERE other = {other}) GROUP BY c{other}"
        for other in others
    )
    bench.db.execute(f"""
        DELETE FROM {EVIDENCE} WHERE kind = 'dependency' AND place = {place} AND source_row IN (
            SELECT unnest(doubted_rows) FROM gathered JOIN ({counted}) USING (other, v)
            WHERE n >= {EXCEPTIONAL} * rows
        )
    """)
