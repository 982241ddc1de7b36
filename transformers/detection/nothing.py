"""Words for nothing ("N/A") in a table that leaves other cells blank: two ways to say the same.

A table's convention is the way that more of its columns use (then: more of its cells). A word that is the convention
is no fault; nor is one that most missing cells of its own column are written with, if others of the column are blank.
"""

from collections.abc import Mapping

from transformers.cells.columns import NUMERIC, TEMPORAL, Column, LogicalType
from transformers.cells.kinds import literal
from transformers.detection.workbench import Workbench
from transformers.tables import SOURCE_ROW

IN_NUMBERS = 0.95  # certainly no value of a column of numbers or dates
IN_WORDS = 0.6  # "NA" may be a value among words
AN_ANSWER = 0.3  # "none" is one: which allergies? which discount?
ANSWERS = ("none", "nothing", "no", "nil", "missing", "unknown", "empty")
BLANK_SHARE = 0.01  # of a column's cells, for leaving them blank to be a custom there
Usage = Mapping[int, Mapping[str, int]]  # place → word → cells


def look(bench: Workbench) -> None:
    usage = {place: _words(bench, place) for place, column in enumerate(bench.columns) if column.disguised}
    blanks = _weight([column.nulls for column in bench.columns if column.nulls > BLANK_SHARE * column.rows])
    for place, words in usage.items():
        column = bench.columns[place]
        for word, cells in words.items():
            used = _weight([found[word] for found in usage.values() if word in found])
            if used < blanks and not 0 < column.nulls < cells:
                _doubt(bench, place, word, _confidence(column, word))


def _words(bench: Workbench, place: int) -> dict[str, int]:
    return dict(
        bench.db.execute(
            f"SELECT lower({bench.text(place)}), count(*) FROM {bench.relation}"
            f" WHERE {bench.missing(place)} AND {bench.text(place)} <> '' GROUP BY 1 ORDER BY 1"
        ).fetchall()
    )


def _weight(cells: list[int]) -> tuple[int, int]:
    """Of a way to say nothing: the columns and the cells that use it."""
    return len(cells), sum(cells)


def _confidence(column: Column, word: str) -> float:
    if column.logical in (*NUMERIC, *TEMPORAL, LogicalType.TIME):
        return IN_NUMBERS
    return AN_ANSWER if word in ANSWERS else IN_WORDS


def _doubt(bench: Workbench, place: int, word: str, confidence: float) -> None:
    bench.add(
        f"SELECT {SOURCE_ROW}, {place}, 'disguised_missing', 'word_for_nothing', {confidence}, NULL, {confidence}"
        f" FROM {bench.relation} WHERE {bench.missing(place)} AND lower({bench.text(place)}) = {literal(word)}"
    )
