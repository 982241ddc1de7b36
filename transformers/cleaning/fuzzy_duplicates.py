"""Rows that are probably of one entity though they are written otherwise: found by the entity resolver."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import MemoryLimit
from transformers.cells.kinds import literal
from transformers.cleaning.rules import Work
from transformers.cleaning.windows import from_parquet
from transformers.matching import Resolution, resolve_entities

LARGEST_FUZZY = 20_000  # rows: more take minutes; master-my-data is made for them


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

    name = work.foreseen.name_of("likely-duplicates", work.table)
    if path := work.foreseen.answer(name):
        return _found(from_parquet(path), _told_in(work, path), known)
    try:
        found = resolve_entities(work.db, work.table, work.columns)
    except (duckdb.OutOfMemoryException, MemoryLimit):  # the other kinds of duplicates are found all the same
        return _none({"looked": False, "reason": "Comparing the rows takes more memory than there is."})
    if (path := work.foreseen.place(name)) and not found.summary.limited:  # the run may have the memory for all
        _leave(work, found, path)
    return _found(found.clusters, _told(found), known)


def _none(told: dict[str, Any]) -> FuzzyDuplicates:
    return FuzzyDuplicates(flags="", removals="", told=told)


def _leave(work: Work, found: Resolution, path: Path) -> None:
    """The clusters of more than one row, and beside them what is told of the search."""
    several = f"SELECT * FROM {found.clusters} QUALIFY count(*) OVER (PARTITION BY cluster) > 1 ORDER BY source_row"
    told = literal(json.dumps(_told(found)))
    work.db.execute(f"COPY ({several}) TO {literal(str(path))} (FORMAT parquet, KV_METADATA {{told: {told}}})")


def _told_in(work: Work, path: Path) -> dict[str, Any]:
    [(told,)] = work.db.execute(
        f"SELECT decode(value) FROM parquet_kv_metadata({literal(str(path))}) WHERE decode(key) = 'told'"
    ).fetchall()
    read: dict[str, Any] = json.loads(told)
    return read


def _told(found: Resolution) -> dict[str, Any]:
    return {
        "looked": True,
        "entities": found.entities,
        "threshold": found.summary.threshold,
        "expected_precision": found.summary.expected_precision,
        "expected_recall": found.summary.expected_recall,
    }


def _found(clusters: str, told: dict[str, Any], known: str) -> FuzzyDuplicates:
    stays = f"source_row NOT IN (SELECT source_row FROM {known})"
    kept = f"min(source_row) FILTER ({stays}) OVER (PARTITION BY cluster)"
    others = f"(SELECT *, {kept} AS kept_row FROM {clusters}) WHERE source_row <> kept_row AND {stays}"
    reason = "'Is probably of the same entity as row ' || kept_row || '.'"
    return FuzzyDuplicates(
        flags=f"SELECT source_row, '' AS \"column\", NULL::VARCHAR AS value, {reason} AS message FROM {others}",
        removals=f"SELECT source_row, 'fuzzy_duplicate' AS rule, {reason} AS reason, CAST(probability AS DOUBLE)"
        f" AS confidence, kept_row FROM {others}",
        told=told,
    )
