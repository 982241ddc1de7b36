"""Spaces before or behind a value, in a column where few cells have them."""

from transformers.cells.columns import COLUMNS_A_QUERY
from transformers.cells.values import chunks
from transformers.detection.workbench import Workbench
from transformers.tables import SOURCE_ROW, quoted

FEW = 0.2  # of the present cells: what more of them have is how the file is written (padded columns)
SURE = 0.95


def look(bench: Workbench) -> None:
    text = [place for place, column in enumerate(bench.columns) if column.is_text and column.padded]
    for some in chunks(text, COLUMNS_A_QUERY):
        counts = ", ".join(f"count(*) FILTER ({_is_strayed(bench, place)})" for place in some)
        [row] = bench.db.execute(f"SELECT {counts} FROM {bench.relation}").fetchall()
        for place, cells in zip(some, row, strict=True):
            if 0 < cells <= FEW * bench.columns[place].present:
                _doubt(bench, place, 1 - cells / bench.columns[place].present)


def _is_strayed(bench: Workbench, place: int) -> str:
    cell = quoted(bench.columns[place].name)
    return f"{cell} <> trim({cell}) AND trim({cell}) <> ''"


def _doubt(bench: Workbench, place: int, confidence: float) -> None:
    bench.add(
        f"SELECT {SOURCE_ROW}, {place}, 'format', 'stray_space', {confidence}, {bench.text(place)}, {SURE}"
        f" FROM {bench.relation} WHERE {_is_strayed(bench, place)}"
    )
