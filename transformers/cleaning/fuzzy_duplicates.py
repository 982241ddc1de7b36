"""Rows that are probably of one entity though they are written otherwise: found by the entity resolver."""

from dataclasses import dataclass
from typing import Any

from transformers.cleaning.rules import Work
from transformers.matching import resolve_entities

LARGEST_FUZZY = 20_000  # rows: more take minutes, twice with a preview; master-my-data is made for them


@dataclass(frozen=True)
class FuzzyDuplicates:
    """Relations of what was found, for flags or for removals."""

    flags: str
    removals: str
    told: dict[str, Any]


def fuzzy(work: Work, known: str) -> FuzzyDuplicates | None:
    """None where the table is too large to look. `known` is the table of duplicates that are found already."""
    if not 1 < work.table.rows <= LARGEST_FUZZY:
        return None
    found = resolve_entities(work.db, work.table, work.columns)
    first = f"SELECT *, min(source_row) OVER (PARTITION BY cluster) AS kept_row FROM {found.clusters}"
    others = f"({first}) WHERE source_row <> kept_row AND source_row NOT IN (SELECT source_row FROM {known})"
    reason = "'Is probably of the same entity as row ' || kept_row || '.'"
    told = {
        "looked": True,
        "entities": found.entities,
        "threshold": found.summary.threshold,
        "expected_precision": found.summary.expected_precision,
        "expected_recall": found.summary.expected_recall,
    }
    return FuzzyDuplicates(
        flags=f"SELECT source_row, '' AS \"column\", NULL::VARCHAR AS value, {reason} AS message FROM {others}",
        removals=f"SELECT source_row, 'fuzzy_duplicate' AS rule, {reason} AS reason, CAST(probability AS DOUBLE)"
        f" AS confidence, kept_row FROM {others}",
        told=told,
    )
