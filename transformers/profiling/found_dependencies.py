"""The exact and nearly exact functional dependencies of a table, within bounds that are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.dependencies import functional_dependencies
from transformers.profiling.samples import RULE
from transformers.profiling.table_profile import FoundDependency, Sampled, steady
from transformers.profiling.values import ValueFigures
from transformers.tables import Table

if TYPE_CHECKING:
    import duckdb

NEARLY = 0.02  # of the rows that share their determinants: one exception in fifty is an error, not a habit
MAX_COLUMNS = 30
MAX_PAIRS = 20
LISTED = 50


@dataclass(frozen=True)
class FoundDependencies:
    listed: tuple[FoundDependency, ...] = ()
    limits: tuple[str, ...] = ()
    sampled: tuple[Sampled, ...] = ()


NO_DEPENDENCIES = FoundDependencies()


def found_dependencies(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    sample: Table,
    columns: Sequence[Column],
    values: Mapping[str, ValueFigures],
) -> FoundDependencies:
    """Keys determine everything and constants follow from anything: neither takes part."""
    telling = [c for c in columns if 1 < values[c.name].distinct < c.present]
    if len(telling) < 2:  # noqa: PLR2004  it takes two
        return NO_DEPENDENCIES
    chosen = telling[:MAX_COLUMNS]
    found = functional_dependencies(
        db, sample.role, chosen, max_error=NEARLY, max_columns=MAX_COLUMNS, max_rows=sample.rows, max_pairs=MAX_PAIRS
    )
    limits = [f"dependencies: the first {MAX_COLUMNS} of {len(telling)} columns"] if len(telling) > MAX_COLUMNS else []
    sampled = [Sampled(figure="functional dependencies", rule=RULE, n=sample.rows, of=table.rows)]
    told = sampled if sample.rows < table.rows else []
    return FoundDependencies(
        tuple(
            FoundDependency(
                determinants=d.lhs,
                dependent=d.rhs,
                exact=d.error == 0,
                error=steady(d.error) or 0.0,
                support=d.support,
                confidence=steady(d.confidence) or 0.0,
            )
            for d in found[:LISTED]
        ),
        tuple(limits),
        tuple(told),
    )
