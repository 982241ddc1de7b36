"""How a cell becomes a typed value: SQL expressions, exact about what they refuse.

A cast never turns a bad cell into a null in silence: what it refuses is counted as invalid by columns.py, with the
same forms. `text` is a trimmed VARCHAR expression.
"""

from collections.abc import Mapping

from transformers.cells import kinds as forms
from transformers.cells.kinds import Kind, has_form

FLOATS = ("FLOAT", "DOUBLE")
_CLOCKS = ["%H:%M", "%H:%M:%S", "%H:%M:%S.%g", "%I:%M %p", "%I:%M%p", "%I:%M:%S %p"]


def not_a_number(value: str) -> str:
    """SQL: a FLOAT or DOUBLE is NaN.

    Not `isnan`: over Parquet DuckDB 2.0 answers that from statistics, in which NaN does not count, and says false.
    """
    return f"(NOT isfinite({value}) AND NOT isinf({value}))"


def is_missing(identifier: str, physical: str) -> str:
    if physical == "VARCHAR":
        return forms.is_missing(f"trim({identifier})")
    if physical in FLOATS:
        return f"({identifier} IS NULL OR {not_a_number(identifier)})"
    return f"({identifier} IS NULL)"


def native_value(identifier: str, physical: str) -> str:
    """A column that came with a type: not-a-number is nothing, a zoned timestamp is in UTC, nesting is text."""
    if physical in FLOATS:
        return f"CASE WHEN NOT {not_a_number(identifier)} THEN {identifier} END"
    if physical == "TIMESTAMP WITH TIME ZONE":
        return f"make_timestamp(epoch_us({identifier}))"
    if physical.startswith("TIMESTAMP"):
        return f"CAST({identifier} AS TIMESTAMP)"
    if physical.startswith("TIME") or _is_nested(physical):
        return f"CAST({identifier} AS VARCHAR)"
    return identifier


def text_value(text: str, logical: str, kinds: Mapping[Kind, int], *, day_first: bool) -> str:
    if logical in {"integer", "decimal"}:
        return number(text, kinds)
    if logical == "boolean":
        return (
            f"CASE WHEN lower({text}) IN {forms.words(forms.TRUE_WORDS)} THEN true"
            f" WHEN lower({text}) IN {forms.words(forms.FALSE_WORDS)} THEN false END"
        )
    if logical == "date":
        return _date(text, day_first=day_first)
    if logical == "datetime":
        return _datetime(text, day_first=day_first)
    if logical == "time":
        return f"CAST(TRY_STRPTIME(upper(replace({text}, '.m.', 'm')), {_CLOCKS}) AS TIME)"
    return f"CASE WHEN NOT {forms.is_missing(text)} THEN {text} END"


def number(text: str, kinds: Mapping[Kind, int]) -> str:
    """DOUBLE, or BIGINT where every number is a whole one. Where all cells are plain numbers no form is asked for."""
    if set(kinds) <= {Kind.EMPTY, Kind.INTEGER}:
        return f"TRY_CAST({text} AS BIGINT)"
    if set(kinds) <= {Kind.EMPTY, Kind.INTEGER, Kind.DECIMAL}:
        return f"TRY_CAST({text} AS DOUBLE)"
    if not any(kinds.get(kind) for kind in forms.NUMBER_KINDS if kind is not Kind.INTEGER):
        return f"CASE WHEN {has_form(text, forms.INTEGER_FORM)} THEN TRY_CAST({text} AS BIGINT) END"
    branches = [f"WHEN {has_form(text, forms.DECIMAL_FORM)} THEN {_plain(text, kinds)}"]
    if kinds.get(Kind.COMMA_DECIMAL):
        branches.append(f"WHEN {has_form(text, forms.COMMA_DECIMAL_FORM)} THEN {_comma(text)}")
    if kinds.get(Kind.GROUPED):
        branches.insert(0, f"WHEN {has_form(text, forms.GROUPED_FORM)} THEN {_grouped(text, kinds)}")
    if kinds.get(Kind.PERCENT) or kinds.get(Kind.CURRENCY):
        either = f"{has_form(text, forms.PERCENT_FORM)} OR {has_form(text, forms.CURRENCY_FORM)}"
        branches.append(f"WHEN {either} THEN TRY_CAST(regexp_replace({text}, '[^0-9.-]', '', 'g') AS DOUBLE)")
    return f"CASE {' '.join(branches)} END"


def commas_are_decimal(kinds: Mapping[Kind, int]) -> bool:
    """1,5 is one and a half where more cells say so than say 1.5; then 1,234 is one and a bit."""
    return kinds.get(Kind.COMMA_DECIMAL, 0) > kinds.get(Kind.DECIMAL, 0)


def _plain(text: str, kinds: Mapping[Kind, int]) -> str:
    if not commas_are_decimal(kinds):
        return f"TRY_CAST({text} AS DOUBLE)"
    thousands = has_form(text, r"[+-]?[0-9]{1,3}(\.[0-9]{3})+")
    return f"TRY_CAST(CASE WHEN {thousands} THEN replace({text}, '.', '') ELSE {text} END AS DOUBLE)"


def _grouped(text: str, kinds: Mapping[Kind, int]) -> str:
    return _comma(text) if commas_are_decimal(kinds) else f"TRY_CAST(replace({text}, ',', '') AS DOUBLE)"


def _comma(text: str) -> str:
    return f"TRY_CAST(replace(replace({text}, '.', ''), ',', '.') AS DOUBLE)"


def _date(text: str, *, day_first: bool) -> str:
    return (
        f"CASE WHEN {has_form(text, forms.ISO_DATE_FORM)} THEN {forms.iso_date(text)}"
        f" WHEN {has_form(text, forms.SLASH_DATE_FORM)} THEN {forms.slash_date(text, day_first=day_first)}"
        f" WHEN {has_form(text, forms.NAMED_DATE_FORM)} THEN {forms.named_date(text)} END"
    )


def _datetime(text: str, *, day_first: bool) -> str:
    slash = forms.slash_datetime(text, day_first=day_first)
    return (
        f"CASE WHEN {has_form(text, forms.ISO_DATETIME_FORM)} THEN {forms.iso_datetime(text)}"
        f" WHEN {has_form(text, forms.SLASH_DATETIME_FORM)} THEN {slash}"
        f" ELSE CAST({_date(text, day_first=day_first)} AS TIMESTAMP) END"
    )


def _is_nested(physical: str) -> bool:
    return physical.endswith("]") or physical.startswith(("STRUCT", "MAP", "UNION", "BLOB", "INTERVAL", "BIT"))
