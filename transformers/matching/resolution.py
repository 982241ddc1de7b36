"""resolve_entities: from a table to clusters of rows with probabilities, in bounded memory and without labels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.matching.blocking import KEYED_FIELDS, Proposed, find_pairs
from transformers.matching.comparisons import comparisons_for
from transformers.matching.fields import MOST_FIELDS, Field, LeftOut, choose_fields
from transformers.matching.grouping import Grouping, group, link
from transformers.matching.judging import Judge, appoint
from transformers.matching.memory import forget, room_for_arrays, told_as_limit
from transformers.matching.pairs import Label, Pairs, judged_pairs, no_pairs
from transformers.matching.records import Size, build_records, size_of
from transformers.matching.summary import Resolution
from transformers.matching.tables import CLUSTERS, PAIRS, write_resolution
from transformers.matching.telling import nothing_to_tell, tell
from transformers.matching.text_similarity import text_similarity
from transformers.tables import Table

if TYPE_CHECKING:
    import duckdb

SEED = 20240229
PREPARED, PROPOSED, JUDGED = 0.1, 0.4, 0.9  # of the time, roughly, at the end of each part
Progress = Callable[[float], None]


def resolve_entities(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: Sequence[Column],
    *,
    threshold: float | None = None,
    labels: Sequence[Label] = (),
    link_only_across: str | None = None,
    seed: int = SEED,
    report_progress: Progress = lambda _fraction: None,
) -> Resolution:
    """Clusters of the table's rows, by all columns that carry identity.

    `labels` are pairs of source rows that a steward judged. `link_only_across` names a column of sources: a row then
    has at most one counterpart in each other source, and none in its own.
    """
    asked = Asked(table, columns, threshold, labels, link_only_across, seed)
    with room_for_arrays(db):
        return _with_less(db, asked, rising(report_progress))


@dataclass(frozen=True)
class Asked:
    table: Table
    columns: Sequence[Column]
    threshold: float | None
    labels: Sequence[Label]
    across: str | None
    seed: int

    @property
    def judged_rows(self) -> list[int]:
        return [row for one, other, _ in self.labels for row in (one, other)]


@dataclass(frozen=True)
class Effort:
    """How many columns are compared, and how many of them are keyed for blocking."""

    fields: int = MOST_FIELDS
    keyed: int = KEYED_FIELDS
    limited: tuple[str, ...] = ()


LESS = Effort(5, 3, ("memory was short: only the five columns that tell most were compared, by fewer blocking rules",))


def _with_less(db: "duckdb.DuckDBPyConnection", asked: Asked, report_progress: Progress) -> Resolution:
    """Where the memory does not suffice, once more with fewer columns and rules.

    Raises:
        MemoryLimit: that did not fit either.
    """
    import duckdb

    try:
        return _resolve(db, asked, Effort(), report_progress)
    except duckdb.OutOfMemoryException:
        forget(db)
    with told_as_limit():
        return _resolve(db, asked, LESS, report_progress)


def _resolve(db: "duckdb.DuckDBPyConnection", asked: Asked, effort: Effort, report_progress: Progress) -> Resolution:
    table, across = asked.table, asked.across
    fields, left_out = choose_fields(db, table, asked.columns, across, effort.fields)
    build_records(db, table, fields, across, asked.judged_rows)
    size = size_of(db, linking=across is not None)
    if not fields or not size.pairs:
        return _everyone_alone(db, size, left_out)
    report_progress(PREPARED)
    judge, proposed = _judge(db, fields, size, report_progress, seed=asked.seed, keyed=effort.keyed)
    labelled = judged_pairs(db, asked.labels)
    grouping = _grouped(judge.taught(labelled), labelled, size, asked.threshold)
    entities = write_resolution(db, grouping.labels, grouping.pairs, grouping.copies, grouping.bar)
    report_progress(1.0)
    summary = tell(judge, grouping, proposed, left_out, size=size, labels=len(labelled.a), limited=effort.limited)
    return Resolution(clusters=CLUSTERS, pairs=PAIRS, entities=entities, summary=summary)


def rising(report_progress: Progress) -> Progress:
    """A second attempt does not fall behind what was reported of the first."""
    reached = 0.0

    def report(fraction: float) -> None:
        nonlocal reached
        reached = max(reached, fraction)
        report_progress(reached)

    return report


def _judge(
    db: "duckdb.DuckDBPyConnection",
    fields: Sequence[Field],
    size: Size,
    report_progress: Progress,
    *,
    seed: int,
    keyed: int,
) -> tuple[Judge, Proposed]:
    """A judge who learnt from the candidates that blocking proposed."""
    proposed = find_pairs(
        db, fields, size, lambda done: report_progress(PREPARED + (PROPOSED - PREPARED) * done), keyed
    )
    judge = appoint(db, comparisons_for(fields), text_similarity(db, fields, size.rows), size, seed)
    report_progress(JUDGED)
    return judge, proposed


def _grouped(judge: Judge, labelled: Pairs, size: Size, threshold: float | None) -> Grouping:
    pairs = judge.candidates(size).and_also(labelled)
    if size.linking:
        return link(judge.db, size.rows, pairs, threshold)
    return group(judge, size, pairs, threshold)


def _everyone_alone(db: "duckdb.DuckDBPyConnection", size: Size, left_out: Sequence[LeftOut]) -> Resolution:
    import numpy as np

    entities = write_resolution(db, np.arange(size.rows, dtype=np.int64), no_pairs())
    summary = nothing_to_tell(size.rows + size.copies, left_out)
    return Resolution(clusters=CLUSTERS, pairs=PAIRS, entities=entities + size.copies, summary=summary)
