"""Which constraints a profile suggests: those that nearly every cell keeps, with enough cells to tell."""

from collections.abc import Iterator

from transformers.cells.semantic_types import names_a_key
from transformers.constraints.constraint import Constraint, ConstraintKind, kept_by, seen_before, within_ends
from transformers.constraints.shapes import pattern_of
from transformers.profiling.table_profile import ColumnProfile, TableProfile
from transformers.risk.personal_fields import is_hidden

LEAST_CONFIDENCE = 0.9  # for a rule without exception this takes three dozen cells
LEAST_SHARE = 0.99  # of the cells keep it: with more exceptions than one in a hundred it is no rule yet
LONGEST_LISTED = 100  # characters: a limit on longer text is an accident of the sample
MOST_SHAPES = 3  # that a pattern may join: more of them describe the sample, not the column
ANNOUNCED_TYPES = ("integer", "decimal", "boolean", "date", "datetime", "time")
KEY_TYPES = ("identifier", "integer", "text", "date", "categorical")  # a measured number is unique by chance


def suggest_constraints(profile: TableProfile, least_confidence: float = LEAST_CONFIDENCE) -> tuple[Constraint, ...]:
    """Column by column in the table's order, then those of several columns together."""
    found = [constraint for column in profile.columns for constraint in _of_column(column, profile.rows)]
    found += _of_table(profile)
    return tuple(c for c in found if c.confidence >= least_confidence and c.mostly >= LEAST_SHARE)


def _of_column(column: ColumnProfile, rows: int) -> Iterator[Constraint]:
    if not column.count:
        return
    yield from _type(column)
    yield from _not_null(column, rows)
    yield from _unique(column)
    if not is_hidden(column.name):
        yield from _range(column)
        yield from _allowed_values(column)
        yield from _pattern(column)
    yield from _length(column)


def _type(column: ColumnProfile) -> Iterator[Constraint]:
    logical = "integer" if column.logical_type == "identifier" and column.numbers else column.logical_type
    if logical in ANNOUNCED_TYPES:
        kept = column.count - column.invalid
        yield Constraint(
            kind=ConstraintKind.TYPE,
            columns=(column.name,),
            support=column.count,
            violations=column.invalid,
            confidence=kept_by(kept, column.count),
            arguments={"logical_type": logical},
            reason=f"{kept:,} of {column.count:,} cells are {logical}.",
        )


def _not_null(column: ColumnProfile, rows: int) -> Iterator[Constraint]:
    yield Constraint(
        kind=ConstraintKind.NOT_NULL,
        columns=(column.name,),
        support=rows,
        violations=rows - column.count,
        confidence=kept_by(column.count, rows),
        reason=f"{column.count:,} of {rows:,} cells have a value.",
    )


def _unique(column: ColumnProfile) -> Iterator[Constraint]:
    repeats = column.count - column.distinct
    if column.logical_type in KEY_TYPES and column.count > 1 and (not repeats or names_a_key(column.name)):
        yield Constraint(
            kind=ConstraintKind.UNIQUE,
            columns=(column.name,),
            support=column.count,
            violations=repeats,
            confidence=kept_by(column.count - repeats, column.count),
            reason=f"{column.distinct:,} values in {column.count:,} cells.",
        )


def _range(column: ColumnProfile) -> Iterator[Constraint]:
    ends: tuple[float | str, float | str] | None = None
    if column.numbers and column.logical_type in {"integer", "decimal"} and not column.numbers.infinite:
        ends = (column.numbers.minimum, column.numbers.maximum)
    elif column.times and column.times.earliest[0].isdigit() and "after" not in column.times.latest:
        ends = (column.times.earliest, column.times.latest)
    if ends and not column.constant:
        n = column.count - column.invalid
        yield Constraint(
            kind=ConstraintKind.RANGE,
            columns=(column.name,),
            support=n,
            confidence=within_ends(n),
            arguments={"minimum": ends[0], "maximum": ends[1]},
            reason=f"All {n:,} values lie between {ends[0]} and {ends[1]}.",
        )


def _allowed_values(column: ColumnProfile) -> Iterator[Constraint]:
    """Only where the profile lists every value, as it is."""
    listed = column.every_value
    if listed and not any("…" in value or "•" in value for value in listed):
        yield Constraint(
            kind=ConstraintKind.ALLOWED_VALUES,
            columns=(column.name,),
            support=column.count,
            confidence=seen_before(column.count, column.unique),
            arguments={"values": list(listed)},
            reason=f"{column.count:,} cells hold {len(listed)} values; {column.unique} of them occur once.",
        )


def _pattern(column: ColumnProfile) -> Iterator[Constraint]:
    """The common shapes, where few shapes are all there is and they say more than that there are letters."""
    if not _is_text(column) or not column.lengths or column.every_value:
        return
    shapes = column.patterns[:MOST_SHAPES]
    pattern = pattern_of([shape.value for shape in shapes], column.lengths)
    share = sum(shape.percent for shape in shapes) / 100
    if not pattern or not shapes:
        return
    n = round(sum(shape.count for shape in shapes) / share)
    kept = sum(shape.count for shape in shapes)
    yield Constraint(
        kind=ConstraintKind.PATTERN,
        columns=(column.name,),
        support=n,
        violations=max(0, n - kept),
        confidence=kept_by(min(kept, n), n),
        arguments={"shapes": [shape.value for shape in shapes], "pattern": pattern},
        reason=f"{kept:,} of {n:,} cells read look like {' or '.join(shape.value for shape in shapes)}.",
    )


def _is_text(column: ColumnProfile) -> bool:
    return column.logical_type in {"text", "identifier", "categorical"} and not column.numbers


def _length(column: ColumnProfile) -> Iterator[Constraint]:
    lengths = column.lengths
    if not lengths or lengths.maximum > LONGEST_LISTED or not _is_text(column):
        return
    fixed = lengths.minimum == lengths.maximum
    yield Constraint(
        kind=ConstraintKind.LENGTH,
        columns=(column.name,),
        support=column.count,
        confidence=kept_by(column.count, column.count) if fixed else within_ends(column.count),
        arguments={"minimum": lengths.minimum, "maximum": lengths.maximum},
        reason=f"All {column.count:,} cells have {lengths.minimum} to {lengths.maximum} characters.",
    )


def _of_table(profile: TableProfile) -> Iterator[Constraint]:
    for found in profile.dependencies:
        if found.exact or found.error <= 1 - LEAST_SHARE:
            yield Constraint(
                kind=ConstraintKind.DEPENDENCY,
                columns=(*found.determinants, found.dependent),
                support=found.support,
                violations=round(found.error * found.support),
                confidence=min(found.confidence, kept_by(round((1 - found.error) * found.support), found.support)),
                arguments={"determines": found.dependent},
                reason=f"Rows that agree on {', '.join(found.determinants)} agree on {found.dependent}.",
            )
