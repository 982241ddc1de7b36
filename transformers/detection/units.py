"""One unit, one way to write it: numbers whose unit is spelled, or given, otherwise than in most of the column.

Only what keeps the meaning is offered: another spelling of the same unit, and the bare number where the unit is the
column's only one and bare numbers of the same size are its custom, or where the column's name says the unit. Another
unit is no error (a price in euros among dollars), and no unit is ever put behind a bare number.
"""

from collections.abc import Mapping

from transformers.detection.quantities import Quantity, denoised, overlap, plain, quantities
from transformers.detection.unit_names import units_named_in
from transformers.detection.workbench import Doubt, Workbench

CONVENTION = 0.5  # of the present cells: what most do is the convention
UNIT_SHARE = 0.9  # of the present cells are quantities, or the column is none of quantities
MOST_UNITS = 2  # more, and each is a part of its value
MIN_CELLS = 5  # of a spelling: fewer are an accident
SPELLINGS = 3  # in use, for there to be no convention
COMMON = 0.05  # of the cells: a spelling that is in use
IN_THE_NAME = 0.9  # that a unit does not belong into cells that nobody writes alike, if the column's name has it
SAME_VALUE = 0.95  # the same value in another form, if the cell says what it seems to
BARE = "|"


def look(bench: Workbench, place: int, values: Mapping[str, int]) -> bool:
    read = quantities(values)
    if sum(values[text] for text in read) < UNIT_SHARE * sum(values.values()):
        return False
    units = {q.unit for q in read.values()} - {""}
    if not units or len(units) > MOST_UNITS:
        return False
    _judge(Units(bench, place, values, read), units)
    return True


class Units:
    """The quantities of one column, and what is said of them."""

    def __init__(self, bench: Workbench, place: int, values: Mapping[str, int], read: Mapping[str, Quantity]) -> None:
        self.bench, self.place, self.values, self.read = bench, place, values, read

    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for text, q in self.read.items():
            counts[q.spelling] = counts.get(q.spelling, 0) + self.values[text]
        return counts

    def numbers(self, *, bare: bool) -> dict[float, int]:
        found: dict[float, int] = {}
        for text, q in self.read.items():
            if bool(q.unit) != bare:
                found[float(q.number)] = found.get(float(q.number), 0) + self.values[text]
        return found

    def doubt(self, rule: str, offers: Mapping[str, str | None], confidence: Mapping[str, float]) -> None:
        self.bench.rewritten[self.place] = {text: form for text, form in offers.items() if form is not None}
        doubts = [
            Doubt(text, form, confidence[text], SAME_VALUE if form is not None else 0.0)
            for text, form in offers.items()
        ]
        self.bench.doubt_texts(self.place, "unit", rule, doubts)


def _judge(column: Units, units: set[str]) -> None:
    counts = column.counts()
    convention = min(counts, key=lambda spelling: (-counts[spelling], spelling))
    every = sum(counts.values())
    if counts[convention] >= CONVENTION * every:
        _minority(column, units, convention, counts)
    elif len(units) == 1 and BARE not in counts and _in_use(counts) >= SPELLINGS:
        _no_convention(column, units, 1 - counts[convention] / every)


def _in_use(counts: Mapping[str, int]) -> int:
    every = sum(counts.values())
    return sum(n >= max(MIN_CELLS, COMMON * every) for n in counts.values())


def _minority(column: Units, units: set[str], convention: str, counts: Mapping[str, int]) -> None:
    """Other spellings of the convention's unit; where it is none, any unit; where it is one, numbers without."""
    meant = next(q.unit for q in column.read.values() if q.spelling == convention)
    odd = {
        text: q for text, q in column.read.items() if q.spelling != convention and (not meant or q.unit in {meant, ""})
    }
    comparable = not meant and len(units) == 1 and overlap(column.numbers(bare=True), column.numbers(bare=False))
    before, after = convention.split("|", 1)

    def offer(q: Quantity) -> str | None:
        kept = q.unit == meant or (not meant and comparable)
        return f"{before}{denoised(q.number)}{after}" if kept and not q.remark else None

    sure = {text: sharpened(counts[convention], counts[q.spelling]) for text, q in odd.items()}
    column.doubt("unit_minority", {text: offer(q) for text, q in odd.items()}, sure)


def sharpened(most: float, few: float) -> float:
    """That most cells show the custom and not an accident: twice as many, four times as likely."""
    return most**2 / (most**2 + few**2)


def _no_convention(column: Units, units: set[str], confidence: float) -> None:
    """Nobody's spelling is the column's. Bare numbers lose nothing where the column's name says the unit."""
    named = units <= units_named_in(column.bench.columns[column.place].name)
    offers = {text: plain(q.number) if named and not q.remark else None for text, q in column.read.items()}
    column.doubt("unit_without_convention", offers, dict.fromkeys(offers, max(confidence, IN_THE_NAME * named)))
