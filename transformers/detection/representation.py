"""One column, one way to write a value: times, dates and quantities that are written otherwise than most of it.

What a deviating cell says is kept (it votes with the others), only its form is at fault. The confidence is the share
of the convention among the cells that follow either; where no convention has half of a column of quantities, the
unit is written anyhow and every cell is at fault.
"""

from collections.abc import Callable, Mapping

from transformers.detection import clocks, dates, groupings
from transformers.detection.quantities import denoised, plain, quantity, units
from transformers.detection.workbench import Doubt, Workbench

CONVENTION = 0.5  # of the present cells: what most do is the convention
UNIT_SHARE = 0.9  # of the present cells are quantities, or the column is none of quantities
MOST_UNITS = 60  # more are words after a number (street addresses), not units
MIN_CELLS = 5  # of a column, of a spelling: fewer are an accident
SPELLINGS = 3  # in use, for there to be no convention
COMMON_UNIT = 0.05  # of the cells: a spelling that is in use
READ_EXACTLY = 0.95  # the same value in another form, if the cell says what it seems to
Read = Callable[[str], "str | None"]


def look(bench: Workbench) -> None:
    """Doubts, and `bench.rewritten`: how each deviating text reads in its column's own form."""
    for place, values in sorted(bench.values.items()):
        if sum(values.values()) < MIN_CELLS or bench.columns[place].physical != "VARCHAR":
            continue
        _ = any(rule(bench, place, values) for rule in (_times, _dates, groupings.look, _quantities))


def _times(bench: Workbench, place: int, values: Mapping[str, int]) -> bool:
    found = clocks.clock_style(values)
    if not found or found[1] < CONVENTION:
        return False
    style, share = found

    def written(text: str) -> str | None:
        read = clocks.clock_time(text)
        return style.write(*read) if read else None

    _rewrite(bench, place, values, "time_format", share, written)
    return True


def _dates(bench: Workbench, place: int, values: Mapping[str, int]) -> bool:
    found = dates.column_format(values)
    if not found or found[2] < CONVENTION or found[0] == "named":
        return False
    form, padded, share = found

    def written(text: str) -> str | None:
        own = dates.date_format(text)
        if not own or own == form or (own.startswith("??") and own[2:] == form[3:]):
            return text if own else None
        order = form[:3] if own.startswith("??") else own[:3]
        day = dates.read_date(text, order) if order != "ymd" or own.startswith("ymd") or own == "named" else None
        return dates.write_date(day, form, padded=padded) if day else None

    _rewrite(bench, place, values, "date_format", share, written)
    return True


def _rewrite(  # noqa: PLR0917
    bench: Workbench, place: int, values: Mapping[str, int], rule: str, share: float, written: Read
) -> None:
    """Cells that read as another text are doubted; cells that do not read at all are, a little less."""
    forms = {text: written(text) for text in values}
    bench.rewritten[place] = {text: form or text for text, form in forms.items()}
    doubts = [
        Doubt(text, form, confidence=share, certainty=READ_EXACTLY if form else 0.0)
        for text, form in forms.items()
        if form != text and (form or share > 1 - COMMON_UNIT)
    ]
    bench.doubt_texts(place, "format", rule, doubts)


def _quantities(bench: Workbench, place: int, values: Mapping[str, int]) -> bool:
    counts, share = units(values)
    if share < UNIT_SHARE or not 1 < len(counts) <= MOST_UNITS:
        return False
    convention = min(counts, key=lambda unit: (-counts[unit], unit))
    of_all = counts[convention] / sum(counts.values())
    if of_all >= CONVENTION:
        _minority_units(bench, place, values, convention, counts)
    elif (
        sum(n >= max(MIN_CELLS, COMMON_UNIT * sum(counts.values())) for n in counts.values()) >= SPELLINGS
        and "|" not in counts
    ):
        _no_convention(bench, place, values, 1 - of_all)
    return True


def _minority_units(
    bench: Workbench, place: int, values: Mapping[str, int], convention: str, counts: Mapping[str, int]
) -> None:
    """A number with another unit than most, or with none: the same number, where it is of the same size."""
    before, after = convention.split("|", 1)
    usual = sorted(float(q.number) for text in values if (q := quantity(text)) and q.unit == convention)
    low, high = usual[0], usual[-1]
    forms, doubts = {}, []
    for text in values:
        read = quantity(text)
        if read is None or read.unit == convention:
            continue
        fits = low <= float(read.number) <= high
        number = denoised(read.number)
        forms[text] = f"{before}{number}{after}" if fits else text
        sure = counts[convention] / (counts[convention] + counts[read.unit])
        doubts.append(Doubt(text, forms[text], confidence=sure, certainty=READ_EXACTLY if fits else 0.0))
    bench.rewritten[place] = forms
    bench.doubt_texts(place, "unit", "unit_minority", doubts)


def _no_convention(bench: Workbench, place: int, values: Mapping[str, int], confidence: float) -> None:
    forms = {text: plain(q.number) for text in values if (q := quantity(text))}
    bench.rewritten[place] = forms
    doubts = [Doubt(text, number, confidence, certainty=READ_EXACTLY) for text, number in forms.items()]
    bench.doubt_texts(place, "unit", "unit_without_convention", doubts)
