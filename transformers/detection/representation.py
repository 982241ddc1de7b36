"""One column, one way to write a value: times, dates and quantities that are written otherwise than most of it.

What a deviating cell says is kept (it votes with the others), only its form is at fault. A rewriting is offered where
it is the same moment, day or number, whole: a cell that says more than the convention can hold is left to people.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from transformers.detection import clocks, dates, groupings, units
from transformers.detection.workbench import Doubt, Workbench

CONVENTION = 0.5  # of the present cells: what most do is the convention
MIN_CELLS = 5  # of a column: fewer are an accident
NEARLY_ALL = 0.95  # of the cells: then one that cannot be read is at fault
READ_EXACTLY = 0.95  # the same value in another form, if the cell says what it seems to
Read = Callable[[str], "str | None"]


def look(bench: Workbench) -> None:
    """Doubts, and `bench.rewritten`: how each deviating text reads in its column's own form."""
    for place, values in sorted(bench.values.items()):
        if sum(values.values()) < MIN_CELLS or bench.columns[place].physical != "VARCHAR":
            continue
        _ = any(rule(bench, place, values) for rule in (_times, _dates, groupings.look, units.look))


def _times(bench: Workbench, place: int, values: Mapping[str, int]) -> bool:
    found = clocks.clock_style(values)
    if not found or found[1] < CONVENTION:
        return False
    style, share = found

    def written(text: str) -> str | None:
        read = clocks.clock_time(text)
        return style.write(*read) if read else None

    kept = {text for text in values if clocks.is_same_moment(text, style)}
    _rewrite(bench, place, values, "time_format", share, written, kept)
    return True


def _dates(bench: Workbench, place: int, values: Mapping[str, int]) -> bool:
    found = dates.column_format(values)
    if not found or found[2] < CONVENTION or found[0] == "named":
        return False
    form, padded, share = found

    def written(text: str) -> str | None:
        return dates.rewritten(text, form, padded=padded)

    _rewrite(bench, place, values, "date_format", share, written, set(values))
    return True


def _rewrite(  # noqa: PLR0917
    bench: Workbench,
    place: int,
    values: Mapping[str, int],
    rule: str,
    share: float,
    written: Read,
    kept: AbstractSet[str],
) -> None:
    """Cells that read as another text are doubted; that is offered for those of `kept`, which lose nothing by it."""
    forms = {text: written(text) for text in values}
    sure = units.sharpened(share, 1 - share)
    bench.rewritten[place] = {text: form or text for text, form in forms.items()}
    doubts = [
        Doubt(text, form, confidence=sure, certainty=READ_EXACTLY if form and text in kept else 0.0)
        for text, form in forms.items()
        if form != text and (form or share > NEARLY_ALL)
    ]
    bench.doubt_texts(place, "format", rule, doubts)
