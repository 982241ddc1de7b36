"""golden-record-builder: one record for each entity, with a trust score and its lineage (CATALOGUE §2).

It takes over the clusters and the decisions of the survivorship-resolver where it ran; else it makes its own.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from transformers.cells.columns import Column, read_columns
from transformers.findings import AgentResult, Severity
from transformers.mastering import clusters as grouping
from transformers.mastering.clusters import Clustering, check_columns
from transformers.mastering.findings import Said
from transformers.mastering.golden import Golden
from transformers.mastering.identities import Identities, identify
from transformers.mastering.lone_trust import LoneTrust
from transformers.mastering.match_confidence import spread, weigh_matches
from transformers.mastering.memory import leave_room, one_at_a_time, room_left
from transformers.mastering.policy import guessed_policy, of_rows
from transformers.mastering.record_trust import LOW_TRUST, note_trust
from transformers.mastering.renames import current_names
from transformers.mastering.rules import Rule
from transformers.mastering.stewarded import StewardedParameters
from transformers.mastering.survivors import LEARNING_CELLS, Survivors
from transformers.mastering.work_files import (
    CLUSTERS_FILE,
    CROSS_REFERENCE,
    DECISIONS,
    LINEAGE,
    PAIRS_FILE,
    latest,
    left_by,
    parquet,
)
from transformers.row_findings import RowFindings
from transformers.tables import Table
from transformers.tool import Agent, AgentContext, AgentFile, Delivery

if TYPE_CHECKING:
    import duckdb

AGENT_ID = "golden-record-builder"
RESOLVER_ID = "survivorship-resolver"
BESIDE_ARROW = 0.7  # of what the database leaves room with: records are laid out in Arrow beside it
LEARNED = ("confidence_alone", "source_column", "source_trust")  # as Survivors.learned tells it


Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class BuilderRule(StrEnum):
    MOST_COMPLETE = "most_complete"
    MOST_RECENT = "most_recent"
    SOURCE_PRIORITY = "source_priority"
    MOST_FREQUENT = "most_frequent"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"


AS_SURVIVORSHIP = MappingProxyType(
    {
        BuilderRule.MOST_COMPLETE: Rule.COMPLETENESS,
        BuilderRule.MOST_RECENT: Rule.FRESHNESS,
        BuilderRule.SOURCE_PRIORITY: Rule.SOURCE_PRIORITY,
        BuilderRule.MOST_FREQUENT: Rule.FREQUENCY,
        BuilderRule.MIN: Rule.MIN,
        BuilderRule.MAX: Rule.MAX,
        BuilderRule.FIRST: Rule.FIRST,
        BuilderRule.LAST: Rule.LAST,
    }
)


class GoldenRecordBuilderParameters(StewardedParameters):
    match_key_weights: dict[str, Weight] = Field(
        default={},
        description="Columns that identify an entity where no agent before found any; each with what agreement in it"
        " counts towards the match confidence of a record: 1 is enough by itself, lesser weights add up.",
    )
    default_survivorship_rule: BuilderRule = Field(
        default=BuilderRule.MOST_COMPLETE, description="Used where the survivorship-resolver did not run."
    )
    min_trust_score: float = Field(default=0.5, ge=0, le=1, description="Records below it are reported.")
    enable_fuzzy_matching: bool = Field(default=False, description="Let the entity resolver match alike keys, too.")
    fuzzy_threshold: float = Field(default=80, ge=0, le=100, description="Its least probability of a match, percent.")


def run(context: AgentContext) -> Delivery:
    table, form = context.primary, context.parameters
    assert isinstance(form, GoldenRecordBuilderParameters)
    now = current_names(context.earlier, table.columns)
    weights = {now.get(name, name): weight for name, weight in form.match_key_weights.items()}
    across = now.get(form.link_only_across or "", form.link_only_across)
    form = form.model_copy(update={"match_key_weights": weights, "link_only_across": across})
    check_columns(table, list(form.match_key_weights), "match_key_weights")
    with context.database() as db:
        with room_left(db, context.memory_bytes):
            columns = read_columns(db, table)
        found = _clusters(context, db, columns, form)
        weigh_matches(db, table, columns, form.match_key_weights)
        context.report_progress(0.3)
        decisions, learned = _decisions(context, db, columns, form)
        context.report_progress(0.5)
        leave_room(db, context.memory_bytes)
        with one_at_a_time(db):
            identities = identify(db, table, columns, context.scratch, previous=context.tables.get(CROSS_REFERENCE))
        leave_room(db, int(context.memory_bytes * BESIDE_ARROW))
        golden = Golden(db, table, columns, decisions, LoneTrust.of(learned), context.scratch)
        records = golden.write(lambda share: context.report_progress(0.5 + 0.4 * share))
        files = _files(golden, context)
        rows = RowFindings.over(db, table)
        trust = note_trust(db, golden, records, rows, form.min_trust_score)
        matched = spread(db, form.min_trust_score)
    context.report_progress(1.0)
    built = Built(form, records, found, identities, trust, matched, learned)
    return Delivery(result=_result(built, rows), table=records, files=files)


def _clusters(
    context: AgentContext,
    db: "duckdb.DuckDBPyConnection",
    columns: tuple[Column, ...],
    form: GoldenRecordBuilderParameters,
) -> Clustering:
    before = latest(context.earlier, CLUSTERS_FILE)
    if before is not None:
        return grouping.taken_over(db, context.primary, before)
    least = form.fuzzy_threshold / 100 if form.enable_fuzzy_matching else None
    return grouping.found_by(
        db,
        context.primary,
        columns,
        keys=list(form.match_key_weights),
        alike=least,
        stewarded=form,
        report_progress=lambda share: context.report_progress(0.3 * share),
    )


def _decisions(
    context: AgentContext,
    db: "duckdb.DuckDBPyConnection",
    columns: tuple[Column, ...],
    form: GoldenRecordBuilderParameters,
) -> tuple[Path, dict[str, Any]]:
    """The file, and what was learned of values that stand alone and of sources."""
    before, resolver = latest(context.earlier, DECISIONS), left_by(context.earlier, RESOLVER_ID)
    if before is not None and resolver is not None:
        return before, {name: resolver.result.data.get(name) for name in LEARNED}
    grouping.draw_sample(db, context.primary, LEARNING_CELLS // max(1, len(columns)))
    policy = guessed_policy(AS_SURVIVORSHIP[form.default_survivorship_rule], columns, of_rows(db, columns))
    survivors = Survivors(db, context.primary, columns, policy)
    path = context.scratch / "decisions.parquet"
    survivors.write(path, lambda share: context.report_progress(0.3 + 0.2 * share))
    return path, survivors.learned()


def _files(golden: Golden, context: AgentContext) -> tuple[AgentFile, ...]:
    lineage, reference = context.scratch / "lineage.parquet", context.scratch / "cross_reference.parquet"
    golden.write_lineage(lineage)
    golden.write_cross_reference(reference)
    files = [parquet(lineage, LINEAGE, AGENT_ID), parquet(reference, CROSS_REFERENCE, AGENT_ID)]
    if latest(context.earlier, PAIRS_FILE) is None:
        pairs = grouping.write_pairs(golden.db, context.scratch)
        files += [parquet(pairs, PAIRS_FILE, AGENT_ID)] if pairs else []
    return tuple(files)


@dataclass(frozen=True)
class Built:
    form: GoldenRecordBuilderParameters
    records: Table
    found: Clustering
    identities: Identities
    trust: dict[str, float]  # how it is spread
    matched: dict[str, float]  # the match confidence of the merged records
    learned: dict[str, Any]


def _result(built: Built, rows: RowFindings) -> AgentResult:
    records, found, identities, least = built.records, built.found, built.identities, built.form.min_trust_score
    trust, matched = built.trust, built.matched
    said, low, single = Said(AGENT_ID, AGENT.name), rows.of_kind(LOW_TRUST), found.clusters - found.shared
    if low:
        said.alert(
            Severity.HIGH if low > records.rows / 4 else Severity.MEDIUM,
            "trust",
            f"{low:,} of {records.rows:,} golden records have a trust below {least:g}.",
            "Have a steward look at them before they are used.",
        )
        said.recommend("", Severity.MEDIUM, f"Review the {low:,} records of low trust.", round(low / 60, 1))
    if matched.get("below"):
        said.alert(
            Severity.MEDIUM,
            "matching",
            f"{matched['below']:,} of {matched['records']:,} merged records have a match confidence below {least:g}.",
            "Add a key that tells entities better, or give the keys the weight that they deserve.",
        )
    if found.largest > grouping.LARGEST:
        message = f"One entity has {found.largest:,} rows; its first {grouping.LARGEST:,} were weighed."
        said.alert(Severity.HIGH, "matching", message, "Check the match keys: so many rows are seldom one entity.")
    said.card("Golden records", records.rows, f"from {found.rows:,} source rows")
    said.card("Merged", found.shared, f"records with several source rows, {found.rows_shared:,} in all")
    said.card("On one row only", single, "records that no other row confirms or contradicts")
    said.card("Mean trust", trust.get("mean", 0.0), "the mean confidence of a record's fields")
    if identities.kept:
        said.card("Known entities", identities.kept, "kept the id they had in the cross-reference given")
    data = {
        "clusters": found.summary,
        "trust": trust,
        "match_confidence": matched,
        "match_key_weights": built.form.match_key_weights,
        "low_trust_records": low,
        "single_row_records": single,
        "identities": identities.summary,
        "lone_rows": built.learned,
    }
    metrics = {
        "source_rows": found.rows,
        "golden_records": records.rows,
        "merged_records": found.shared,
        "mean_trust": trust.get("mean", 0.0),
        "low_trust_records": low,
        "single_row_records": single,
    }
    text = (
        f"{found.rows:,} source rows became {records.rows:,} golden records, {found.shared:,} of them from several rows"
        f" (entities by {found.method}). Their mean trust is {trust.get('mean', 0.0):.2f}; {low:,} are below"
        f" {least:g}. {single:,} records rest on one row only: they are doubted where their source is known to be wrong"
        " too often, and nowhere else. Every cell names its source row and the rule that chose it."
    )
    return said.result(metrics, data, text, rows)


AGENT = Agent(
    id=AGENT_ID,
    name="Golden record builder",
    description="One record for each entity, cell by cell, with a trust score and an id that lasts.",
    parameters=GoldenRecordBuilderParameters,
    run=run,
)
