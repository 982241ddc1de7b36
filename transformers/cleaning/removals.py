"""The proposals on rows: who is hit by which rule in a window, and the rows set aside with all their reasons."""

from collections.abc import Sequence

from transformers.cells.kinds import literal
from transformers.cells.values import chunks
from transformers.cleaning.rules import Plan, RowRemovals, RowRule, Work
from transformers.cleaning.windows import Window
from transformers.tables import SOURCE_ROW, quoted

CONDITIONS_A_QUERY = 100
HITS = "apply_hits"  # source_row, place (of the proposal), rule, reason, confidence, kept_row, column
_WHY = ("__agent__", "__rule__", "__reason__", "__confidence__", "__kept_row__")


def why_columns(columns: Sequence[str]) -> dict[str, str]:
    """What a set-aside row says beside its cells, by the names that its table leaves free."""
    taken = {name.casefold() for name in columns}
    names = {}
    for name in _WHY:
        free = name
        while free in taken:
            free += "_"
        names[name.strip("_")] = free
    return names


def gather(work: Work, plan: Plan) -> None:
    """Relations become tables, once for all windows."""
    for place, proposal in enumerate(plan.rows):
        if isinstance(proposal, RowRemovals):
            work.db.execute(
                f"CREATE OR REPLACE TEMP TABLE {removals_table(place)} AS SELECT * FROM ({proposal.relation})"
            )
    rules = [
        f"({place}, {literal(rule.rule)}, {literal(rule.reason)}, {rule.confidence!r}, {literal(rule.column)})"
        for place, rule in enumerate(plan.rows)
        if isinstance(rule, RowRule)
    ]
    work.db.execute(
        "CREATE OR REPLACE TEMP TABLE apply_row_rules"
        '(place BIGINT, rule VARCHAR, reason VARCHAR, confidence DOUBLE, "column" VARCHAR)'
    )
    if rules:
        work.db.execute(f"INSERT INTO apply_row_rules VALUES {', '.join(rules)}")


def removals_table(place: int) -> str:
    return f"apply_rows_{place}"


def hit(work: Work, plan: Plan, base: str, window: Window) -> None:
    """Fill HITS for the rows of `base`."""
    work.db.execute(
        f"CREATE OR REPLACE TEMP TABLE {HITS}(source_row BIGINT, place BIGINT, rule VARCHAR, reason VARCHAR,"
        ' confidence DOUBLE, kept_row BIGINT, "column" VARCHAR)'
    )
    rules = [(place, rule) for place, rule in enumerate(plan.rows) if isinstance(rule, RowRule)]
    for some in chunks(rules, CONDITIONS_A_QUERY):
        work.db.execute(f"INSERT INTO {HITS} {_by_condition(some, base)}")
    for place, proposal in enumerate(plan.rows):
        if isinstance(proposal, RowRemovals):
            work.db.execute(f"INSERT INTO {HITS} {_by_number(place, base, window)}")


def _by_condition(rules: Sequence[tuple[int, RowRule]], base: str) -> str:
    places = ", ".join(f"CASE WHEN {rule.condition} THEN {place} END" for place, rule in rules)
    either = " OR ".join(f"({rule.condition})" for _, rule in rules)
    return (
        'SELECT r, place, rule, reason, confidence, NULL, "column" FROM'
        f" (SELECT {quoted(SOURCE_ROW)} AS r, unnest([{places}]) AS place FROM {base} WHERE {either})"
        " JOIN apply_row_rules USING (place)"
    )


def _by_number(place: int, base: str, window: Window) -> str:
    within = window.holds.replace(quoted(SOURCE_ROW), "source_row")
    return (
        f"SELECT source_row, {place}, rule, reason, confidence, kept_row, '' FROM {removals_table(place)}"
        f" WHERE {within} AND source_row IN (SELECT {quoted(SOURCE_ROW)} FROM {base})"
    )


def remaining(base: str) -> str:
    """SQL: the rows that stay."""
    return f"(SELECT * FROM {base} WHERE {quoted(SOURCE_ROW)} NOT IN (SELECT source_row FROM {HITS}))"


def set_aside(columns: Sequence[str], agent_id: str, base: str) -> str:
    """SQL: the rows that go, as they were found, with every reason told."""
    why = why_columns(columns)
    told = {
        "agent": literal(agent_id),
        "rule": "first(rule ORDER BY place, rule)",
        "reason": "string_agg(reason, ' ' ORDER BY place, reason)",
        "confidence": "max(confidence)",
        "kept_row": "first(kept_row ORDER BY place, kept_row)",
    }
    reasons = ", ".join(f"{value} AS {quoted(why[part])}" for part, value in told.items())
    cells = ", ".join(f"b.{quoted(name)}" for name in [*columns, SOURCE_ROW])
    names = ", ".join(f"h.{quoted(why[part])}" for part in told)
    return (
        f"SELECT {cells}, {names} FROM {base} b"
        f" JOIN (SELECT source_row AS r, {reasons} FROM {HITS} GROUP BY source_row) h"
        f" ON b.{quoted(SOURCE_ROW)} = h.r ORDER BY h.r"
    )
