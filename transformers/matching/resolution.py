"""resolve_entities: from a table to clusters of rows with probabilities, in bounded memory and without labels."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.matching.blocking import Proposed, find_pairs
from transformers.matching.comparisons import comparisons_for
from transformers.matching.fields import Field, LeftOut, choose_fields
from transformers.matching.grouping import Grouping, group, link
from transformers.matching.judging import Judge, appoint
from transformers.matching.memory import room_for_arrays
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
    with room_for_arrays(db):
        fields, left_out = choose_fields(db, table, columns, link_only_across)
        build_records(db, table, fields, link_only_across)
        size = size_of(db, linking=link_only_across is not None)
        if not fields or not size.pairs:
            return _everyone_alone(db, table.rows, left_out)
        report_progress(PREPARED)
        judge, proposed = _judge(db, fields, size, seed, report_progress)
        labelled = judged_pairs(db, labels)
        grouping = _grouped(judge.taught(labelled), labelled, size, threshold)
        write_resolution(db, grouping.labels, grouping.pairs)
        report_progress(1.0)
    summary = tell(judge, grouping, proposed, left_out, size=size, labels=len(labelled.a))
    return Resolution(clusters=CLUSTERS, pairs=PAIRS, entities=grouping.entities, summary=summary)


def _judge(
    db: "duckdb.DuckDBPyConnection", fields: Sequence[Field], size: Size, seed: int, report_progress: Progress
) -> tuple[Judge, Proposed]:
    """A judge who learnt from the candidates that blocking proposed."""
    proposed = find_pairs(db, fields, size, lambda done: report_progress(PREPARED + (PROPOSED - PREPARED) * done))
    judge = appoint(db, comparisons_for(fields), text_similarity(db, fields, size.rows), size, seed)
    report_progress(JUDGED)
    return judge, proposed


def _grouped(judge: Judge, labelled: Pairs, size: Size, threshold: float | None) -> Grouping:
    pairs = judge.candidates().and_also(labelled)
    if size.linking:
        return link(judge.db, size.rows, pairs, threshold)
    return group(judge, size.rows, pairs, threshold)


def _everyone_alone(db: "duckdb.DuckDBPyConnection", rows: int, left_out: Sequence[LeftOut]) -> Resolution:
    import numpy as np

    write_resolution(db, np.arange(rows, dtype=np.int64), no_pairs())
    return Resolution(clusters=CLUSTERS, pairs=PAIRS, entities=rows, summary=nothing_to_tell(rows, left_out))
