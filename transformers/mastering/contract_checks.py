"""A contract's column as SQL over the table's: the value it asks for, and what is wrong with a cell.

A text column keeps text, in the type's canonical form (2024-01-31, true, 12); a typed one is cast. What the contract
lists stays as it lists it, and a cell that only as it stands has the pattern's form stays as it stands.
"""

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from backend.errors import BadParameters
from transformers.cells import casts
from transformers.cells.columns import Column
from transformers.cells.kinds import DECIMAL_FORM, MISSING_FORM, MOST_DIGITS, Kind, has_form, literal, words
from transformers.mastering.contract import Contract, ContractColumn, ContractType
from transformers.tables import quoted

if TYPE_CHECKING:
    import duckdb

TRUE = ("true", "t", "yes", "y", "1", "on")
FALSE = ("false", "f", "no", "n", "0", "off")
SQL_TYPES = MappingProxyType(
    {ContractType.STRING: "VARCHAR", ContractType.INTEGER: "BIGINT", ContractType.DECIMAL: "DOUBLE",
     ContractType.BOOLEAN: "BOOLEAN", ContractType.DATE: "DATE", ContractType.DATETIME: "TIMESTAMP",
     ContractType.TIME: "TIME"}
)  # fmt: skip
PLAIN_NUMBER = r"^[+]?(-?)0*([0-9]+)(\.0*|(\.[0-9]*[1-9])0*)?$"  # its groups 1, 2 and 4 without idle zeros
NUMBERS = (ContractType.INTEGER, ContractType.DECIMAL)
MOMENTS = (ContractType.DATE, ContractType.DATETIME)


@dataclass(frozen=True)
class Enforced:
    """A column of the contract over the one of the table that it is; SQL expressions over the table's row."""

    wanted: ContractColumn
    column: Column
    failures: dict[str, str] = field(default_factory=dict)  # kind → condition, the first that holds is the cell's

    @property
    def name(self) -> str:
        return self.wanted.name

    @property
    def said(self) -> str:
        return quoted(self.column.name)

    @property
    def missing(self) -> str:
        """A word for nothing that the contract allows is a value: NA is Namibia."""
        meant = tuple(word for word in self._listed if re.fullmatch(MISSING_FORM, word))
        if not meant or not self.column.is_text:
            return self.column.is_missing
        return f"({self.column.is_missing} AND NOT coalesce(lower({self.column.cell}) IN {words(meant)}, false))"

    @property
    def _listed(self) -> dict[str, str]:
        """What the contract allows, by how a cell says it but for case and spaces; of two the first stays."""
        listed = {one.strip().lower(): one for one in reversed(self.wanted.allowed)}
        if self.wanted.type is not ContractType.BOOLEAN:
            return listed
        canonical = {_truth(said): one for said, one in listed.items() if _truth(said)}
        return canonical | listed

    @property
    def cast(self) -> str:
        """The cell as the contract's type; NULL where it is missing or is not of that type."""
        if self.column.is_text and self.wanted.type is ContractType.STRING and not self.wanted.allowed:
            return self.said  # whatever stands there is text
        return f"CASE WHEN NOT {self.missing} THEN {self._as_listed(self._value)} END"

    @property
    def _value(self) -> str:
        """The cell in the type's own form, whatever else the contract says; NULL where it is not of that type."""
        return _text_cast(self.column, self.wanted.type) if self.column.is_text else _native_cast(self)

    def _as_listed(self, value: str) -> str:
        """Written as the contract lists it, where the cell or its value differs by case or spaces only."""
        if not self.column.is_text:
            return value
        fitting = self._as_the_pattern_asks(value)
        if not self.wanted.allowed:
            return fitting
        whens = " ".join(f"WHEN {literal(said)} THEN {literal(one)}" for said, one in self._listed.items())
        return f"CASE lower({self.column.cell}) {whens} ELSE CASE lower(trim({value})) {whens} ELSE {fitting} END END"

    def _as_the_pattern_asks(self, value: str) -> str:
        """The cell as it stands where only so it has the form: the value would break the contract."""
        pattern, cell = self.wanted.pattern, self.column.cell
        if not pattern or self.wanted.type is ContractType.STRING:
            return value
        only_so = f"NOT {has_form(value, pattern)} AND {has_form(cell, pattern)}"
        return f"CASE WHEN {only_so} THEN {cell} ELSE {value} END"

    def checks_before(self, kind: str) -> list[str]:
        """The conditions looked at before this one: a cell counts once."""
        checks = self.checks()
        return [checks[other] for other in list(checks)[: list(checks).index(kind)]]

    def checks(self) -> dict[str, str]:
        """Kind → condition under which a cell breaks the contract, in the order in which they are looked at."""
        cast, wanted = f"({self.cast})", self.wanted
        found = {"missing_required": self.missing} if wanted.required else {}
        if not (self.column.is_text and wanted.type is ContractType.STRING):
            found["wrong_type"] = f"NOT {self.missing} AND {cast} IS NULL"
        text = f"CAST({cast} AS VARCHAR)"
        if wanted.allowed:
            found["value_not_allowed"] = f"NOT ({_is_allowed(wanted, tuple(self._listed), text)})"
        found |= _ranges(wanted, cast if wanted.type is ContractType.STRING else f"({self._value})")
        if wanted.min_length is not None:
            found["too_short"] = f"length({text}) < {wanted.min_length}"
        if wanted.max_length is not None:
            found["too_long"] = f"length({text}) > {wanted.max_length}"
        if wanted.pattern:
            found["pattern_mismatch"] = f"NOT {has_form(text, wanted.pattern)}"
        return {kind: f"coalesce({condition}, false)" for kind, condition in found.items()}


def _truth(word: str) -> str:
    """The form in which a truth value is written; nothing for every other word."""
    return "true" if word in TRUE else "false" if word in FALSE else ""


def _is_allowed(wanted: ContractColumn, listed: tuple[str, ...], text: str) -> str:
    """Numbers and truth values are allowed by value: 1.0 where the contract lists 1, true where it lists yes.

    The text stands in it once: its expression is long. NULL where there is none.
    """
    if wanted.type in NUMBERS:
        plain = tuple(re.sub(PLAIN_NUMBER, r"\1\2\4", one.strip()) for one in wanted.allowed)
        number = f"regexp_replace({text}, {literal(PLAIN_NUMBER)}, '\\1\\2\\4')"
        return f"{number} IN {words(plain)}"
    return f"{text} IN {words(listed if wanted.type is ContractType.BOOLEAN else wanted.allowed)}"


def _ranges(wanted: ContractColumn, cast: str) -> dict[str, str]:
    kind = SQL_TYPES[wanted.type] if wanted.type in (*NUMBERS, *MOMENTS) else "VARCHAR"
    kind = "DOUBLE" if wanted.type in NUMBERS else kind
    bounds = {"below_minimum": (wanted.min, "<"), "above_maximum": (wanted.max, ">")}
    return {
        name: f"TRY_CAST({cast} AS {kind}) {sign} TRY_CAST({literal(str(bound))} AS {kind})"
        for name, (bound, sign) in bounds.items()
        if bound is not None
    }


def _native_cast(enforced: Enforced) -> str:
    value = casts.native_value(enforced.said, enforced.column.physical)
    return f"TRY_CAST({value} AS {_exact_type(enforced) or SQL_TYPES[enforced.wanted.type]})"


def _exact_type(enforced: Enforced) -> str | None:
    """In which a whole number or a DECIMAL stays as it is; None where it is no such, or cannot hold the default."""
    physical, wanted = enforced.column.physical, enforced.wanted
    if wanted.type not in NUMBERS:
        return None
    if physical.endswith(("INT", "INTEGER")):
        own, form = ("UBIGINT", "[0-9]{1,18}") if physical == "UBIGINT" else ("BIGINT", "-?[0-9]{1,18}")
    elif found := re.fullmatch(r"DECIMAL\(([0-9]+),([0-9]+)\)", physical):
        digits, places = int(found[1]), int(found[2])
        if wanted.type is ContractType.INTEGER and (places or digits <= MOST_DIGITS):
            return None
        own, form = physical, rf"-?[0-9]{{1,{max(1, digits - places)}}}(\.[0-9]{{0,{places}}})?"
    else:
        return None
    return own if wanted.default is None or re.fullmatch(form, wanted.default) else None


def _text_cast(column: Column, wanted: ContractType) -> str:
    """Text in the type's canonical form; a cell that says it so already stays as it is."""
    text = column.cell
    if wanted is ContractType.STRING:
        return quoted(column.name)
    if wanted in NUMBERS:
        return _number(column, text, whole=wanted is ContractType.INTEGER)
    if wanted is ContractType.BOOLEAN:
        # not IN: a long list of it is planned as a join, and the text stands in many expressions
        whens = " ".join(f"WHEN {literal(word)} THEN {literal(_truth(word))}" for word in TRUE + FALSE)
        return f"CASE lower({text}) {whens} END"
    if wanted is ContractType.TIME:
        return f"CAST({casts.text_value(text, 'time', column.kinds, day_first=False)} AS VARCHAR)"
    value = casts.text_value(text, wanted.value, column.kinds, day_first=column.day_first)
    return f"CAST({value} AS VARCHAR)"


def _number(column: Column, text: str, *, whole: bool) -> str:
    kinds = column.kinds if any(column.kinds.get(kind) for kind in (Kind.DECIMAL, Kind.GROUPED)) else {
        **column.kinds, Kind.DECIMAL: 1, Kind.GROUPED: 1, Kind.CURRENCY: 1, Kind.PERCENT: 1,
    }  # fmt: skip
    value = casts.number(text, kinds)
    if whole:
        digits = f"coalesce(CAST(TRY_CAST({text} AS HUGEINT) AS VARCHAR), {text})"  # the longest stay as they are
        exact = f"regexp_extract(CAST({value} AS VARCHAR), '^(-?[0-9]{{1,15}})[.]0$', 1)"  # a DOUBLE is so far
        other = f"CAST(TRY_CAST({exact} AS BIGINT) AS VARCHAR)"
        return f"CASE WHEN {has_form(text, '[+-]?[0-9]+')} THEN {digits} ELSE {other} END"
    same = f"= ({value})" if casts.commas_are_decimal(kinds) else "IS NOT NULL"  # 1.000 may be a thousand
    plain = f"{has_form(text, DECIMAL_FORM)} AND TRY_CAST({text} AS DOUBLE) {same}"
    return f"CASE WHEN {plain} THEN {text} ELSE CAST({value} AS VARCHAR) END"


def check_patterns(db: "duckdb.DuckDBPyConnection", contract: Contract) -> None:
    """Raises BadParameters for an expression that RE2 does not read."""
    import duckdb

    for column in contract.columns:
        if column.pattern:
            try:
                db.execute(f"SELECT {has_form(literal(''), column.pattern)}")
            except duckdb.Error as error:
                raise BadParameters(
                    f"The contract's pattern of {column.name!r} is no regular expression that can be used.",
                    field=column.name,
                    detail=str(error),
                ) from None
