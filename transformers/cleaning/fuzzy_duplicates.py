"""Rows that are probably of one entity though they are written otherwise: found by the entity resolver."""

from dataclasses import dataclass
from typing import Any

from backend.errors import MemoryLimit
from transformers.cleaning.rules import Work
from transformers.matching import Resolution, resolve_entities

LARGEST_FUZZY = 20_000  # rows: more take minutes, twice with a preview; master-my-data is made for them


@dataclass(frozen=True)
class FuzzyDuplicates:
    """What was found as relations, for flags or for removals, and what is told of the search."""

    flags: str
    removals: str
    told: dict[str, Any]


def fuzzy(work: Work, known: str) -> FuzzyDuplicates:
    """`known` is the table of duplicates that are found already: none of those is the row that stays."""
    if not 1 < work.table.rows <= LARGEST_FUZZY:
        return _none({"looked": False, "largest_table": LARGEST_FUZZY})
    import duckdb

    try:
        found = resolve_entities(work.db, work.table, work.columns)
    except (duckdb.OutOfMemoryException, MemoryLimit):  # the other kinds of duplicates are found all the same
        return _none({"looked": False, "reason": "Comparing the rows takes more memory than there is."})
    return _found(found, known)


def _none(told: dict[str, Any]) -> FuzzyDuplicates:
    return FuzzyDuplicates(flags="", removals="", told=told)


def _found(found: Resolution, known: str) -> FuzzyDuplicates:
    stays = f"source_row NOT IN (SELECT source_row FROM {known})"
    kept = f"min(source_row) FILTER ({stays}) OVER (PARTITION BY cluster)"
    others = f"(SELECT *, {kept} AS kept_row FROM {found.clusters}) WHERE source_row <> kept_row AND {stays}"
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
