"""Words for nothing ("N/A") in a table that leaves other cells blank: two ways to say the same.

Where a table leaves no cell blank, its word is its convention and no fault.
"""

from transformers.cells.columns import Column, LogicalType
from transformers.detection.workbench import Workbench
from transformers.tables import SOURCE_ROW

TYPED = (LogicalType.INTEGER, LogicalType.DECIMAL, LogicalType.DATE, LogicalType.DATETIME, LogicalType.TIME)
IN_NUMBERS = 0.95  # certainly no value of a column of numbers or dates
IN_WORDS = 0.6  # "none" may be a value among words


def look(bench: Workbench) -> None:
    if not any(column.nulls for column in bench.columns):
        return
    for place, column in enumerate(bench.columns):
        if column.disguised:
            confidence = IN_NUMBERS if _is_typed(column) else IN_WORDS
            bench.add(
                f"SELECT {SOURCE_ROW}, {place}, 'disguised_missing', 'word_for_nothing', {confidence}, NULL,"
                f" {confidence} FROM {bench.relation} WHERE {bench.missing(place)} AND {bench.text(place)} <> ''"
            )


def _is_typed(column: Column) -> bool:
    return column.logical in TYPED
