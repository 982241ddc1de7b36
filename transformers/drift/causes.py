"""The rows behind a drift: conditions on the primary's cells, in SQL, for each column that drifted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from transformers.cells import casts
from transformers.cells.columns import Column, LogicalType
from transformers.cells.kinds import literal
from transformers.cells.values import chunks
from transformers.drift import categories
from transformers.drift.binning import Bins
from transformers.drift.categories import LISTED, Words
from transformers.drift.comparison import ColumnDrift, Sides
from transformers.drift.numbers import finite, iso, length
from transformers.drift.pairs import Family, Pair
from transformers.findings import Severity
from transformers.row_findings import CellCheck
from transformers.tables import quoted

if TYPE_CHECKING:
    import duckdb

EXCESS = 0.02  # of the rows, that a bin or value has more of than before, for its rows to be named
TIMES = 1.25  # as often as before, at least
OTHER_PERIOD = 0.5
BINS_NAMED = 3
CHECKS_A_QUERY = 50
TEXTS: Mapping[str, Callable[[Column], str]] = MappingProxyType(
    {"value": categories.text_of, "pattern": categories.shape_of, "hour": categories.hour_of}
)


def causes(sides: Sides, columns: Sequence[ColumnDrift]) -> list[CellCheck]:
    """With the cells that each holds for, counted over every row."""
    return list(_counted(sides.db, sides.primary.role, [check for one in columns for check in _of(sides, one)]))


def _counted(db: "duckdb.DuckDBPyConnection", role: str, checks: Sequence[CellCheck]) -> Iterator[CellCheck]:
    for some in chunks(checks, CHECKS_A_QUERY):
        asked = ", ".join(f"count(*) FILTER ({check.condition})" for check in some)
        [row] = db.execute(f"SELECT {asked} FROM {quoted(role)}").fetchall()
        for check, count in zip(some, row, strict=True):
            if count:
                yield replace(check, count=count)


def _of(sides: Sides, one: ColumnDrift) -> Iterator[CellCheck]:
    kinds = one.kinds()
    if one.pair.type_changed:
        yield from _misfits(one.pair)
        return  # whatever else differs follows from it
    if "outside_baseline_range" in kinds and one.bins and not _other_period(one.pair, one.bins):
        yield from _outside(one.pair, one.bins)
    elif "distribution_drift" in kinds and one.bins and one.pair.family is Family.NUMBER:
        yield from _crowded_bins(one.pair, one.bins)
    if "outside_baseline_lengths" in kinds:
        yield _odd_lengths(sides, one.pair)
    if "missing_share_drift" in kinds and one.pair.new.missing / one.pair.new.rows > _missing_before(one.pair):
        yield _check(one.pair, "newly_missing", one.pair.new.is_missing, "Missing, as fewer cells were before.")
    if "misfit_share_drift" in kinds:
        message = f"Not {one.pair.new.logical.value}, as the column's other values are."
        yield _check(one.pair, "misfit", one.pair.new.is_invalid, message, Severity.MEDIUM)
    for words in one.words:
        yield from _odd_words(sides, words, kinds)


def _missing_before(pair: Pair) -> float:
    return pair.old.missing / pair.old.rows if pair.old.rows else 0.0


def _check(pair: Pair, kind: str, condition: str, message: str, severity: Severity = Severity.LOW) -> CellCheck:
    known = f"coalesce({condition}, false)"
    return CellCheck(kind, severity, pair.name, known, pair.new.cell, 0, message)


def _misfits(pair: Pair) -> Iterator[CellCheck]:
    """Cells that are not what the baseline's column holds."""
    old, new = pair.old, pair.new
    if new.is_text and old.logical not in {LogicalType.TEXT, LogicalType.CATEGORICAL, LogicalType.IDENTIFIER}:
        value = casts.text_value(new.cell, old.logical.value, new.kinds | old.kinds, day_first=old.day_first)
        condition = f"NOT {new.is_missing} AND ({value}) IS NULL"
        message = f"Not {old.logical.value}, as the baseline's column is."
        yield _check(pair, "type_changed", condition, message, Severity.MEDIUM)


def _other_period(pair: Pair, bins: Bins) -> bool:
    """Where most moments lie outside, the file covers other days: no row is to blame."""
    return pair.family is Family.MOMENT and bins.outside > OTHER_PERIOD * bins.new.sum()


def _outside(pair: Pair, bins: Bins) -> Iterator[CellCheck]:
    number, low, high = finite(pair.new), bins.highs[0], bins.lows[-1]
    most = iso(high) if pair.family is Family.MOMENT else f"{high:.6g}"
    for count, condition, message in (
        (bins.new[0], f"{number} <= {low!r}", "Below all that the baseline holds."),
        (bins.new[-1], f"{number} > {high!r}", f"Above all that the baseline holds ({most})."),
    ):
        if count:
            yield _check(pair, "outside_baseline_range", condition, message, Severity.MEDIUM)


def _crowded_bins(pair: Pair, bins: Bins) -> Iterator[CellCheck]:
    old, new = bins.old / bins.old.sum(), bins.new / bins.new.sum()
    excess = sorted(((float(q - p), i) for i, (p, q) in enumerate(zip(old, new, strict=True))), reverse=True)
    for more, i in excess[:BINS_NAMED]:
        if more >= EXCESS and new[i] >= TIMES * old[i]:
            number = finite(pair.new)
            low = "true" if bins.lows[i] == float("-inf") else f"{number} > {bins.lows[i]!r}"
            high = "true" if bins.highs[i] == float("inf") else f"{number} <= {bins.highs[i]!r}"
            within = f"{bins.lows[i]:.6g} … {bins.highs[i]:.6g}"
            message = f"In {within}: {new[i]:.1%} of the values, {old[i]:.1%} in the baseline."
            yield _check(pair, "overrepresented_range", f"{number} IS NOT NULL AND {low} AND {high}", message)


def _odd_lengths(sides: Sides, pair: Pair) -> CellCheck:
    shortest, longest = (
        f"(SELECT {end}({length(pair.old)}) FROM {quoted(sides.baseline.role)})" for end in ("min", "max")
    )
    [ends] = sides.db.execute(f"SELECT {shortest}, {longest}").fetchall()
    message = f"Shorter or longer than all of the baseline's ({ends[0]:.0f} to {ends[1]:.0f} characters)."
    condition = f"{length(pair.new)} NOT BETWEEN {ends[0]!r} AND {ends[1]!r}"
    return _check(pair, "outside_baseline_lengths", condition, message)


def _odd_words(sides: Sides, words: Words, kinds: set[str]) -> Iterator[CellCheck]:
    text = TEXTS[words.aspect](words.pair.new)
    if f"unseen_{words.aspect}" in kinds:
        if words.unseen_values <= LISTED or words.aspect != "value":
            listed = ", ".join(literal(value) for value, _ in words.unseen)
            condition = f"left({text}, 200) IN ({listed})"
        else:
            known = f"SELECT {TEXTS[words.aspect](words.pair.old)} AS v FROM {quoted(sides.baseline.role)}"
            condition = f"{text} IS NOT NULL AND {text} NOT IN (SELECT v FROM ({known}) WHERE v IS NOT NULL)"
        noun = "value" if words.aspect == "value" else words.aspect
        yield _check(
            words.pair, f"unseen_{words.aspect}", condition, f"The baseline has no such {noun}.", Severity.MEDIUM
        )
    elif f"{'distribution' if words.aspect == 'value' else words.aspect}_drift" in kinds:
        yield from _crowded_words(words, text)


def _crowded_words(words: Words, text: str) -> Iterator[CellCheck]:
    old, new = words.old / words.m, words.new / words.n
    excess = sorted(((float(new[i] - old[i]), -i) for i in range(len(words.labels))), reverse=True)
    for more, place in excess[:BINS_NAMED]:
        i = -place
        if more >= EXCESS and new[i] >= TIMES * old[i]:
            message = f"{new[i]:.1%} of the cells hold it; in the baseline {old[i]:.1%} do."
            condition = f"left({text}, 200) = {literal(words.labels[i])}"
            yield _check(words.pair, "overrepresented_value", condition, message)
