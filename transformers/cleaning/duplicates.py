"""duplicate-resolver's form and plan: rows that say the same as another one, by five kinds, and the row that stays.

Without key columns rows are duplicates when all their cells agree (as they are, or but for case and blanks), or when
one row says nothing that a fuller one does not say. With key columns the key alone decides, and the cells only say
of which kind a duplicate is. A row goes only where nothing it says is lost, or the customer asked for it; else it is
flagged.
"""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from transformers.cells.columns import Column
from transformers.cells.semantic_types import SemanticType
from transformers.cleaning import duplicate_groups as groups
from transformers.cleaning.duplicate_groups import Kind, Sameness
from transformers.cleaning.fuzzy_duplicates import LARGEST_FUZZY, FuzzyDuplicates, fuzzy
from transformers.cleaning.incomplete_rows import incomplete_rows
from transformers.cleaning.merging import merged_cells
from transformers.cleaning.rules import CellEdits, FlaggedCells, Plan, RowRemovals, Stage, Work
from transformers.findings import Severity
from transformers.naming_columns import known
from transformers.tool import AgentParameters


class MergeStrategy(StrEnum):
    REMOVE_DUPLICATES = "remove_duplicates"
    MERGE_SMART = "merge_smart"


class NullHandling(StrEnum):
    IGNORE_NULLS = "ignore_nulls"
    MATCH_NULLS = "match_nulls"


class ConflictResolution(StrEnum):
    KEEP_FIRST = "keep_first"
    KEEP_LAST = "keep_last"
    MERGE_SMART = "merge_smart"


class Fuzzy(StrEnum):
    OFF = "off"
    FLAG = "flag"
    REMOVE = "remove"


class DuplicateParameters(AgentParameters):
    detect_exact: bool = Field(default=True, description="Rows that agree in every cell.")
    detect_case_variations: bool = Field(default=True, description="Rows that differ in case and outer blanks only.")
    detect_email_case: bool = Field(default=True, description="Rows that differ in the case of e-mail addresses only.")
    detect_missing_values: bool = Field(default=True, description="Rows that differ only in what one of them misses.")
    detect_conflicting: bool = Field(default=True, description="Rows of one key that contradict each other.")
    merge_strategy: MergeStrategy = Field(
        default=MergeStrategy.REMOVE_DUPLICATES,
        description="remove_duplicates sets the others aside; merge_smart first fills what the row that stays misses.",
    )
    email_columns: tuple[str, ...] = Field(default=(), description="Columns of e-mail addresses; empty: those found.")
    key_columns: tuple[str, ...] = Field(default=(), description="Columns that name the thing a row is about.")
    null_handling: NullHandling = Field(
        default=NullHandling.IGNORE_NULLS,
        description="ignore_nulls: a missing cell contradicts nothing, a missing key matches nothing; match_nulls:"
        " missing only equals missing.",
    )
    conflict_resolution: ConflictResolution = Field(
        default=ConflictResolution.KEEP_FIRST,
        description="Which row of those that contradict each other stays; merge_smart takes the most frequent value.",
    )
    fuzzy: Fuzzy = Field(
        default=Fuzzy.FLAG,
        description=f"Rows that are probably of one entity, in tables of up to {LARGEST_FUZZY:,} rows.",
    )

    @property
    def fills(self) -> bool:
        return MergeStrategy.MERGE_SMART in (self.merge_strategy, self.conflict_resolution)

    @property
    def votes(self) -> bool:
        return self.conflict_resolution is ConflictResolution.MERGE_SMART

    @property
    def ignores_nulls(self) -> bool:
        return self.null_handling is NullHandling.IGNORE_NULLS

    @property
    def removed_kinds(self) -> tuple[Kind, ...]:
        asked = {
            Kind.EXACT: self.detect_exact,
            Kind.EMAIL_CASE: self.detect_email_case,
            Kind.CASE_VARIATION: self.detect_case_variations,
            Kind.MISSING_VALUES: self.detect_missing_values,
            Kind.CONFLICTING: self.detect_conflicting,
        }
        return tuple(kind for kind, wanted in asked.items() if wanted)


def plan(work: Work, form: DuplicateParameters) -> Plan:
    sameness = _sameness(work.columns, form, work.table.columns)
    groups.gather(work, sameness, last=form.conflict_resolution is ConflictResolution.KEEP_LAST)
    work.report_progress(0.5)
    if form.detect_missing_values and form.ignores_nulls and not form.key_columns:
        incomplete_rows(work, sameness)
    work.report_progress(0.7)
    found_fuzzy = fuzzy(work, groups.DUPLICATES) if form.fuzzy is not Fuzzy.OFF else None
    work.report_progress(0.95)
    kinds = form.removed_kinds
    rows = [RowRemovals(groups.removals(kinds, fills=form.fills))]
    if form.fuzzy is Fuzzy.REMOVE and found_fuzzy and found_fuzzy.removals:
        rows.append(RowRemovals(found_fuzzy.removals))
    return Plan(
        cells=(CellEdits(merged_cells(work, sameness, kinds, votes=form.votes)),) if form.fills else (),
        rows=tuple(rows),
        flags=_flags(kinds, form, found_fuzzy),
        data={
            "key_columns": list(form.key_columns),
            "email_columns": list(sameness.emails),
            **({"fuzzy": found_fuzzy.told} if found_fuzzy else {}),
        },
    )


def _sameness(columns: Sequence[Column], form: DuplicateParameters, names: Sequence[str]) -> Sameness:
    emails = known("email_columns", form.email_columns, names) or [
        column.name for column in columns if column.semantic is SemanticType.EMAIL
    ]
    return Sameness(
        columns=tuple(columns),
        keys=tuple(known("key_columns", form.key_columns, names)),
        emails=tuple(emails),
        folds_case=form.detect_case_variations,
        folds_emails=form.detect_email_case or form.detect_case_variations,
        null_keys_match=not form.ignores_nulls,
    )


def _flags(
    kinds: Sequence[Kind], form: DuplicateParameters, found_fuzzy: FuzzyDuplicates | None
) -> tuple[FlaggedCells, ...]:
    unsure = FlaggedCells("possible_duplicate", Severity.LOW, groups.unsure(kinds, fills=form.fills))
    if form.fuzzy is Fuzzy.FLAG and found_fuzzy and found_fuzzy.flags:
        return unsure, FlaggedCells("fuzzy_duplicate", Severity.LOW, found_fuzzy.flags)
    return (unsure,)


STAGE = Stage("duplicate-resolver", "Duplicate resolver", DuplicateParameters, plan)
