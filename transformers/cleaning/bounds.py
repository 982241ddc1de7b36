"""The range that a customer demands of a column: of numbers, or of dates; a column of the other kind is refused."""

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from backend.errors import BadParameters
from transformers.cells.columns import NUMERIC, TEMPORAL, Column
from transformers.cleaning.constraints import as_type, number_of

if TYPE_CHECKING:
    import duckdb

ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?")
End = float | str | None


class Bounds(BaseModel):
    """Both ends belong to it; dates are given as text, 2024-12-31. A number given as text is read as the number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: float | str | None = None
    max: float | str | None = None

    @field_validator("min", "max", mode="before")
    @classmethod
    def _number_or_date(cls, end: Any) -> End:
        if end is None:
            return None
        number = _number(end)
        if number is None and _moment(end) is None:
            raise ValueError(f"{end!r} is neither a number nor a date such as 2024-12-31")
        return end if number is None else number

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("min or max is needed")
        if self.min is None or self.max is None:
            return self
        if isinstance(self.min, str) != isinstance(self.max, str):
            raise ValueError("min and max must be of one kind")
        least, most = (_moment(end) or _number(end) for end in (self.min, self.max))
        if least is not None and most is not None and most < least:  # type: ignore[operator]  # of one kind
            raise ValueError("min must not be above max")
        return self


def _number(end: Any) -> float | None:
    if isinstance(end, bool) or not isinstance(end, int | float | str):
        return None
    try:
        number = float(end)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _moment(end: Any) -> datetime | None:
    """In UTC where it names a zone."""
    if not isinstance(end, str) or not ISO_DATE.fullmatch(end):
        return None
    try:
        found = datetime.fromisoformat(end)
    except ValueError:
        return None
    return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)


def check_fit(db: "duckdb.DuckDBPyConnection", parameter: str, column: Column, bounds: Bounds) -> None:
    """Raises BadParameters where the column holds nothing of the bounds' kind: they would test nothing."""
    dates = isinstance(bounds.max if bounds.min is None else bounds.min, str)
    if not column.present or column.logical in (TEMPORAL if dates else NUMERIC):
        return
    if column.is_text:
        value = as_type(column, "datetime") if dates else number_of(column)
        if db.execute(f'SELECT 1 FROM "primary" WHERE ({value}) IS NOT NULL LIMIT 1').fetchall():
            return
    kind = "dates" if dates else "numbers"
    raise BadParameters(f"{parameter}: {column.name}: the range is of {kind}, the column holds none.", field=parameter)
