"""survivorship-resolver: of the rows that are one entity, whose value survives, field by field (CATALOGUE §2).

It changes nothing: it leaves the clusters and the decisions for the agents after it.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from transformers.cells.columns import Column, read_columns
from transformers.findings import AgentResult, Severity
from transformers.mastering import clusters as grouping
from transformers.mastering.clusters import Clustering, check_columns
from transformers.mastering.decisions import Tally, note_decisions
from transformers.mastering.field_groups import found_groups
from transformers.mastering.findings import Said, some
from transformers.mastering.memory import leave_room, room_left
from transformers.mastering.policy import of_rows, policy_for
from transformers.mastering.renames import current_names
from transformers.mastering.rules import Rule
from transformers.mastering.stewarded import StewardedParameters
from transformers.mastering.survivors import LEARNING_CELLS, Survivors
from transformers.mastering.work_files import CLUSTERS_FILE, DECISIONS, PAIRS_FILE, parquet
from transformers.row_findings import RowFindings
from transformers.tool import Agent, AgentContext, Delivery

AGENT_ID = "survivorship-resolver"


class SurvivorshipResolverParameters(StewardedParameters):
    match_key_columns: list[str] = Field(
        default=[],
        description="Rows with the same values here are one entity; none named: the entity resolver finds them.",
    )
    source_column: str | None = Field(default=None, description="The column that names each row's source system.")
    survivorship_rules: dict[str, Rule] = Field(default={}, description="A rule by column.")
    source_priority: list[str] = Field(default=[], description="Sources, the most trusted first.")
    timestamp_column: str | None = Field(default=None, description="When each row was last known to be right.")
    default_rule: Rule = Field(default=Rule.QUALITY_SCORE, description="The rule of the columns that have none.")
    min_confidence: float = Field(default=0.5, ge=0, le=1, description="Decisions below it are left to a steward.")
    field_groups: list[list[str]] = Field(default=[], description="Columns whose values are taken from one row.")
    find_field_groups: bool = Field(default=True, description="Find such columns where one tells the other.")


def run(context: AgentContext) -> Delivery:
    table, form = context.primary, context.parameters
    assert isinstance(form, SurvivorshipResolverParameters)
    form = _renamed(form, current_names(context.earlier, table.columns))
    check_columns(table, form.match_key_columns, "match_key_columns")
    with context.database() as db:
        with room_left(db, context.memory_bytes):
            columns = read_columns(db, table)
        context.report_progress(0.1)
        found = grouping.found_by(
            db,
            table,
            columns,
            keys=form.match_key_columns,
            apart=[form.source_column, form.timestamp_column],
            stewarded=form,
            report_progress=lambda share: context.report_progress(0.1 + 0.3 * share),
        )
        leave_room(db, context.memory_bytes)
        grouping.draw_sample(db, table, LEARNING_CELLS // max(1, len(columns)))
        numbers = of_rows(db, columns)
        looked_for = form.find_field_groups and not form.field_groups and found.shared
        groups = found_groups(db, table, columns, _apart(form, columns) | numbers) if looked_for else []
        policy = policy_for(table, form, groups, numbers)
        survivors = Survivors(db, table, columns, policy)
        decisions = context.scratch / "decisions.parquet"
        survivors.write(decisions, lambda share: context.report_progress(0.4 + 0.5 * share))
        rows = RowFindings.over(db, table)
        tally = note_decisions(db, decisions, rows, form.min_confidence)
        path = context.scratch / "clusters.parquet"
        grouping.write_clusters(db, path)
        pairs = grouping.write_pairs(db, context.scratch)
    context.report_progress(1.0)
    files = [parquet(path, CLUSTERS_FILE, AGENT_ID), parquet(decisions, DECISIONS, AGENT_ID)]
    files += [parquet(pairs, PAIRS_FILE, AGENT_ID)] if pairs else []
    return Delivery(result=_result(columns, found, survivors, tally, rows), files=tuple(files))


def _renamed(form: SurvivorshipResolverParameters, now: Mapping[str, str]) -> SurvivorshipResolverParameters:
    """The form with the names that columns have by now."""
    source, stamp, across = form.source_column or "", form.timestamp_column or "", form.link_only_across or ""
    return form.model_copy(
        update={
            "match_key_columns": [now.get(name, name) for name in form.match_key_columns],
            "source_column": now.get(source, source) or None,
            "link_only_across": now.get(across, across) or None,
            "timestamp_column": now.get(stamp, stamp) or None,
            "survivorship_rules": {now.get(name, name): rule for name, rule in form.survivorship_rules.items()},
            "field_groups": [[now.get(name, name) for name in group] for group in form.field_groups],
        }
    )


def _apart(form: SurvivorshipResolverParameters, columns: tuple[Column, ...]) -> set[int]:
    named = {*form.match_key_columns, form.source_column, form.timestamp_column}
    return {i for i, column in enumerate(columns) if column.name in named}


def _result(
    columns: tuple[Column, ...], found: Clustering, survivors: Survivors, tally: Tally, rows: RowFindings
) -> AgentResult:
    said = Said(AGENT_ID, AGENT.name)
    if tally.unsure:
        said.alert(
            Severity.HIGH if tally.unsure > tally.conflicts / 2 else Severity.MEDIUM,
            "survivorship",
            f"{tally.unsure:,} of {tally.conflicts:,} conflicts were decided with less confidence than asked for,"
            f" most of them in {some(tally.worst)}.",
            "Have a steward look at them, or name a rule or a source priority for these columns.",
            len(tally.worst),
        )
        said.recommend(
            tally.worst[0], Severity.MEDIUM, f"Decide by hand, or name a rule, for {some(tally.worst)}.",
            round(tally.unsure / 60, 1),
        )  # fmt: skip
    if found.rows and not found.shared:
        said.alert(Severity.INFO, "survivorship", "No two rows are the same entity, so there was nothing to decide.")
    said.card("Entities", found.clusters, f"in {found.rows:,} rows, found by {found.method}")
    said.card("Conflicts decided", tally.conflicts, "fields for which an entity's rows say different things")
    status = "warning" if tally.unsure else "good"
    said.card("For a steward", tally.unsure, "decisions below the confidence asked for", status=status)
    data: dict[str, Any] = {
        "clusters": found.summary,
        "decisions": tally.by_column,
        "rules": tally.by_rule,
        "fields_together": [[columns[i].name for i in group] for group in survivors.policy.groups],
        **survivors.learned(),
        "of_the_row": [columns[i].name for i in sorted(survivors.policy.of_rows)],
        "weighed_by": survivors.weigher.name,
    }
    metrics = {
        "entities": found.clusters,
        "conflicts": tally.conflicts,
        "low_confidence_decisions": tally.unsure,
        "mean_confidence": tally.mean_confidence,
    }
    return said.result(metrics, data, _text(found, tally, survivors), rows)


def _text(found: Clustering, tally: Tally, survivors: Survivors) -> str:
    how = (
        "the sources' trust, learned from how they agree"
        if survivors.weigher.name == "source_trust"
        else ("how values are usually miswritten, learned from the clusters themselves")
    )
    return (
        f"{found.rows:,} rows are {found.clusters:,} entities ({found.method}); {found.shared:,} of them have several"
        f" rows. Of {tally.decided:,} fields there, {tally.conflicts:,} were in conflict. Where no rule was named they"
        f" were decided by {how}. {tally.unsure:,} decisions are below the confidence asked for."
    )


AGENT = Agent(
    id=AGENT_ID,
    name="Survivorship resolver",
    description="The winning value of every field of an entity, by rule or by learned trust, with its confidence.",
    parameters=SurvivorshipResolverParameters,
    run=run,
)
