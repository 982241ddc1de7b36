"""From a form's column names to places. What names a column that is not there is the customer's to mend."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from backend.errors import BadParameters
from transformers.cells.columns import TEMPORAL, Column
from transformers.cells.semantic_types import names_a_key
from transformers.cells.values import chunks
from transformers.mastering.clusters import SAMPLE, check_columns
from transformers.mastering.decision import Policy
from transformers.mastering.members import known_text
from transformers.mastering.rules import Rule
from transformers.tables import Table

if TYPE_CHECKING:
    import duckdb

SOURCE_NAME = r"(^|[_ .-])(source|src|origin|system|provider|feed)([_ .-]|$)"
STAMP_NAME = r"updat|modif|chang|last|valid|as.?of|_at$|timestamp"
DISTINCT_AT_ONCE = 8  # columns whose values are held at a time, all of them
NO_CHANCE = 50  # rows of shared entities that all differ in a column: it is not the entity that it tells


class Wishes(Protocol):
    @property
    def survivorship_rules(self) -> Mapping[str, Rule]: ...
    @property
    def source_column(self) -> str | None: ...
    @property
    def timestamp_column(self) -> str | None: ...
    @property
    def source_priority(self) -> Sequence[str]: ...
    @property
    def default_rule(self) -> Rule: ...
    @property
    def field_groups(self) -> Sequence[Sequence[str]]: ...


def policy_for(
    table: Table, wishes: Wishes, found: Sequence[tuple[int, ...]] = (), of_rows: Collection[int] = ()
) -> Policy:
    """`found` are the groups that the data told, used where the form names none. Raises BadParameters."""
    place = {name: i for i, name in enumerate(table.columns)}
    check_columns(table, list(wishes.survivorship_rules), "survivorship_rules")
    check_columns(table, [wishes.source_column or ""], "source_column")
    check_columns(table, [wishes.timestamp_column or ""], "timestamp_column")
    for group in wishes.field_groups:
        check_columns(table, group, "field_groups")
    source = place[wishes.source_column] if wishes.source_column else None
    policy = Policy(
        default=wishes.default_rule,
        by_column={place[name]: rule for name, rule in wishes.survivorship_rules.items()},
        source=source,
        timestamp=place[wishes.timestamp_column] if wishes.timestamp_column else None,
        priority=tuple(wishes.source_priority),
        groups=[tuple(place[name] for name in group) for group in wishes.field_groups] or found,
        of_rows=frozenset({*of_rows} if source is None else {*of_rows, source}),
    )
    _check(policy)
    return policy


def _check(policy: Policy) -> None:
    if policy.uses(Rule.FRESHNESS) and policy.timestamp is None:
        raise BadParameters("The rule freshness needs a timestamp_column.", field="timestamp_column")
    if policy.uses(Rule.SOURCE_PRIORITY) and policy.source is None:
        raise BadParameters("The rule source_priority needs a source_column.", field="source_column")


def of_rows(db: "duckdb.DuckDBPyConnection", columns: Sequence[Column]) -> set[int]:
    """Columns that number the rows: no two rows of any entity share a value, by their name or beyond chance."""
    if db.execute(f"SELECT count(*) FROM {SAMPLE}").fetchall() == [(0,)]:
        return set()
    told: list[int] = []
    values: list[int] = []
    for some in chunks(columns, DISTINCT_AT_ONCE):
        asked = ", ".join(f"count({known_text(c)}), count(DISTINCT {known_text(c)})" for c in some)
        [counts] = db.execute(f"SELECT {asked} FROM {SAMPLE}").fetchall()
        told += counts[::2]
        values += counts[1::2]
    return {
        i
        for i, column in enumerate(columns)
        if told[i] == values[i] > 0 and (names_a_key(column.name) or told[i] >= NO_CHANCE)
    }


def guessed_policy(rule: Rule, columns: Sequence[Column], of_rows: Collection[int]) -> Policy:
    """One rule for all columns; the time stamp or source it needs is told by type and name. Raises BadParameters."""
    source = _place(columns, SOURCE_NAME, lambda column: column.logical not in TEMPORAL)
    stamp = _place(columns, STAMP_NAME, lambda column: column.logical in TEMPORAL)
    if stamp is None:
        stamp = _place(columns, "", lambda column: column.logical in TEMPORAL)
    needs_source = rule is Rule.SOURCE_PRIORITY
    policy = Policy(rule, source=source if needs_source else None, timestamp=stamp, of_rows=frozenset(of_rows))
    _check(policy)
    return policy


def _place(columns: Sequence[Column], name: str, fits: Callable[[Column], bool]) -> int | None:
    named = (i for i, c in enumerate(columns) if fits(c) and re.search(name, c.name, re.IGNORECASE))
    return next(named, None)
