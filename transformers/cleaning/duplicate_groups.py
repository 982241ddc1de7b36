"""Rows that say the same: found by hashes of 128 bits, kept as one narrow table of the rows that have a double.

`duplicates(source_row, kept_row, kind, agreement, loses)`: agreement is the share of the columns in which the two rows
are written alike; `loses` is true where the row says something that the kept one does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from transformers.cells.columns import TEXTUAL, Column, LogicalType
from transformers.cells.kinds import has_form, words
from transformers.cells.values import chunks
from transformers.cleaning.rules import Work
from transformers.tables import SOURCE_ROW, quoted

DUPLICATES = "duplicates"
HASHED_AT_ONCE = 200  # arguments of one hash: beyond it DuckDB plans longer than it scans
CODE = r"[^\s@]*([A-Za-z][^\s@]*[0-9]|[0-9][^\s@]*[A-Za-z])[^\s@]*"  # one word of letters and digits
ROW = quoted(SOURCE_ROW)


class Kind(StrEnum):
    EXACT = "exact"
    EMAIL_CASE = "email_case"
    CASE_VARIATION = "case_variation"
    MISSING_VALUES = "missing_values"
    CONFLICTING = "conflicting"


@dataclass(frozen=True)
class Sameness:
    """When two cells, and two rows, say the same."""

    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    emails: tuple[str, ...]
    folds_case: bool
    folds_emails: bool
    null_keys_match: bool

    def raw(self, column: Column, side: str = "") -> str:
        return f"{side}{quoted(column.name)}"

    def mail(self, column: Column, side: str = "") -> str:
        """As it is, but for the case of e-mail addresses."""
        cell = self.raw(column, side)
        return f"lower({cell})" if column.is_text and column.name in self.emails else cell

    def norm(self, column: Column, side: str = "") -> str:
        """What the cell says: NULL where it says nothing."""
        cell = self.raw(column, side)
        if not column.is_text:
            return cell
        said = self._folded(column, f"trim({cell})")
        if not column.disguised:
            return f"nullif({said}, '')"
        missing = column.is_missing.replace(quoted(column.name), cell)
        return f"CASE WHEN NOT {missing} THEN {said} END"

    def _folded(self, column: Column, text: str) -> str:
        """In lower case where case says nothing; in keys and codes (dQw4) it does."""
        if self.folds_emails and column.name in self.emails:
            return f"lower({text})"
        if not self.folds_case or column.logical is LogicalType.IDENTIFIER:
            return text
        if column.logical not in TEXTUAL:
            return f"lower({text})"
        return f"CASE WHEN {has_form(text, CODE)} THEN {text} ELSE lower({text}) END"

    @property
    def deciding(self) -> list[Column]:
        """The columns that have to agree."""
        return [column for column in self.columns if column.name in self.keys] or list(self.columns)


def gather(work: Work, same: Sameness, *, last: bool) -> None:
    """Fill DUPLICATES. Of a group without contradictions the fullest row stays, else its first (or last)."""
    db, key = work.db, [same.norm(column) for column in same.deciding]
    where = "" if same.null_keys_match or not same.keys else f"WHERE {' AND '.join(f'{k} IS NOT NULL' for k in key)}"
    one = digest(key)
    twice = f'SELECT h FROM (SELECT {one} AS h FROM "primary" {where}) GROUP BY h HAVING count(*) > 1'
    db.execute(f"CREATE OR REPLACE TEMP TABLE twice AS {twice}")
    present = " + ".join(f"CAST({same.norm(column)} IS NOT NULL AS INTEGER)" for column in same.columns)
    facts = {
        "h": one,
        "g": digest(["'g'", *key]),
        "raw": digest([same.raw(column) for column in same.columns]),
        "mail": digest([same.mail(column) for column in same.columns]),
        "norm": digest([same.norm(column) for column in same.columns]),
        "present": present,
    }
    listed = ", ".join(f"{value} AS {name}" for name, value in facts.items())
    db.execute(
        f'CREATE OR REPLACE TEMP TABLE doubles AS SELECT {ROW} AS source_row, {listed} FROM "primary"'
        f" {where} {'AND' if where else 'WHERE'} {one} IN (SELECT h FROM twice)"
    )
    _pair(work, same, last=last)


def _pair(work: Work, same: Sameness, *, last: bool) -> None:
    """Each row with the one of its group that stays; those written otherwise are compared cell by cell."""
    work.db.execute(f"CREATE OR REPLACE TEMP TABLE contradictions AS {_contradictions(same)}")
    order = "source_row DESC" if last else "source_row"
    fullest = "CASE WHEN (h, g) IN (SELECT (h, g) FROM contradictions) THEN 0 ELSE present END DESC"
    kept = f"first_value(source_row) OVER (PARTITION BY h, g ORDER BY {fullest}, {order})"
    work.db.execute(
        f"CREATE OR REPLACE TEMP TABLE paired AS SELECT d.source_row, k.source_row AS kept_row,"
        f" d.raw = k.raw AS is_raw, d.mail = k.mail AS is_mail, d.norm = k.norm AS is_norm, d.present > 0 AS says"
        f" FROM (SELECT *, {kept} AS kept FROM doubles) d JOIN doubles k ON d.kept = k.source_row"
        f" WHERE d.source_row <> d.kept"
    )
    work.db.execute(
        f"CREATE OR REPLACE TEMP TABLE {DUPLICATES}"
        "(source_row BIGINT, kept_row BIGINT, kind VARCHAR, agreement DOUBLE, loses BOOLEAN)"
    )
    exact = f"SELECT source_row, kept_row, '{Kind.EXACT}', 1.0, false FROM paired WHERE is_raw"
    work.db.execute(f"INSERT INTO {DUPLICATES} {exact}")
    work.db.execute(f"INSERT INTO {DUPLICATES} {_compared(same)}")


def _contradictions(same: Sameness) -> str:
    """Groups in which two rows say different things of one column: only keys leave room for that."""
    if not same.keys:
        return "SELECT h, g FROM doubles WHERE false"
    cells = ", ".join(f"{same.norm(column, 'a.')} AS c{place}" for place, column in enumerate(same.columns))
    differ = " OR ".join(f"min(c{place}) <> max(c{place})" for place in range(len(same.columns)))
    rows = f'SELECT d.h, d.g, {cells} FROM "primary" a JOIN doubles d ON a.{ROW} = d.source_row'
    return f"SELECT h, g FROM ({rows}) GROUP BY h, g HAVING {differ}"


def _compared(same: Sameness) -> str:
    def counted(tests: list[str]) -> str:
        return " + ".join(f"CAST({test} AS INTEGER)" for test in tests)

    ours = [same.norm(column, "a.") for column in same.columns]
    theirs = [same.norm(column, "b.") for column in same.columns]
    sides = list(zip(ours, theirs, strict=True))
    alike = counted(
        [f"({same.raw(column, 'a.')} IS NOT DISTINCT FROM {same.raw(column, 'b.')})" for column in same.columns]
    )
    against = counted([f"coalesce({one} <> {other}, false)" for one, other in sides])
    loses = " OR ".join(f"({one} IS NOT NULL AND {other} IS NULL)" for one, other in sides)
    kind = (
        f"CASE WHEN p.is_mail THEN '{Kind.EMAIL_CASE}' WHEN p.is_norm THEN '{Kind.CASE_VARIATION}'"
        f" WHEN {against} > 0 THEN '{Kind.CONFLICTING}' ELSE '{Kind.MISSING_VALUES}' END"
    )
    return (
        f"SELECT p.source_row, p.kept_row, {kind}, ({alike}) / {len(same.columns)}, {loses} FROM paired p"
        f' JOIN "primary" a ON a.{ROW} = p.source_row JOIN "primary" b ON b.{ROW} = p.kept_row'
        " WHERE p.says AND NOT p.is_raw"
    )


def digest(parts: Sequence[str]) -> str:
    hashes = [f"hash({', '.join(some)})" for some in chunks(parts, HASHED_AT_ONCE)]
    return hashes[0] if len(hashes) == 1 else f"hash({', '.join(hashes)})"


def removals(kinds: Sequence[Kind], *, fills: bool) -> str:
    """What may go: of a kind that is asked for, and with nothing lost that is not merged or contradicted."""
    reason = (
        f"CASE WHEN kind = '{Kind.MISSING_VALUES}' AND loses THEN 'What only this row says fills row '"
        f" WHEN kind = '{Kind.EXACT}' THEN 'Repeats row ' WHEN kind = '{Kind.CONFLICTING}' THEN 'Has the key of row '"
        f" WHEN kind = '{Kind.MISSING_VALUES}' THEN 'Says nothing more than row '"
        " ELSE 'Differs only in case, blanks or words for nothing from row ' END || kept_row || '.'"
    )
    return (
        f"SELECT source_row, kind AS rule, {reason} AS reason, agreement AS confidence, kept_row FROM {DUPLICATES}"
        f" WHERE {_sure(kinds, fills=fills)}"
    )


def unsure(kinds: Sequence[Kind], *, fills: bool) -> str:
    message = "'May be the same as row ' || kept_row || ', which lacks something that this row says.'"
    return (
        f"SELECT source_row, '' AS \"column\", NULL::VARCHAR AS value, {message} AS message FROM {DUPLICATES}"
        f" WHERE kind IN {_listed(kinds)} AND NOT ({_sure(kinds, fills=fills)})"
    )


def _sure(kinds: Sequence[Kind], *, fills: bool) -> str:
    lost = "" if fills else f" AND (NOT loses OR kind = '{Kind.CONFLICTING}')"
    return f"(kind IN {_listed(kinds)}{lost})"


def _listed(kinds: Sequence[Kind]) -> str:
    return words(tuple(kinds)) if kinds else "('')"
