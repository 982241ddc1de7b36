"""A rule with exceptions: where most rows with one value of another column are doubted in the same column, they follow
a rule of their own.
"""

from transformers.detection.workbench import EVIDENCE, READ, Workbench
from transformers.tables import SOURCE_ROW

EXCEPTIONAL = 0.5  # of the rows with some value elsewhere are doubted: a rule with an exception, no errors
MIN_EXCEPTIONS = 5
DOUBTED = 0.2  # from here on it counts as an exception


def spare_exceptions(bench: Workbench) -> None:
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
