"""Which cells are probably wrong: every rule leaves its evidence, the strongest of a cell decides."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from transformers.detection import (
    corruption,
    nothing,
    representation,
    sources,
    spill,
    stray_space,
    typos,
    votes,
)
from transformers.detection.conclusions import conclude
from transformers.detection.marks import Mark, Marks, read_marks, weigh
from transformers.detection.opening import open_workbench
from transformers.detection.reading import read_cells
from transformers.detection.voters import dependencies_of
from transformers.detection.workbench import Workbench, sign_evidence
from transformers.tables import Table

if TYPE_CHECKING:
    import duckdb

    from transformers.cells.columns import Column

ERRORS = "cell_errors"


def no_report(share: float) -> None:
    """For callers that show no progress."""


def detect_errors(
    db: "duckdb.DuckDBPyConnection",
    table: Table,
    columns: "Sequence[Column]",
    *,
    labels: Marks | None = None,
    source_column: str | None = None,
    report_progress: Callable[[float], None] = no_report,
) -> str:
    """The name of a temporary table of cells that are more probably wrong than right.

    `cell_errors(source_row, "column", value, kind, rule, confidence, message)`, ordered by row and column. `labels`
    are up to 20 rows a person has marked. Fractions in binary and nested values are not looked at. `source_column`
    says which source each row is from: then all that sources contradict each other in is settled by their trust.

    Raises:
        BadParameters: there is no such source column.
    """
    bench = open_workbench(db, table, columns, source_column)
    marks = read_marks(bench, labels or {})
    gather(bench, marks, report_progress)
    weigh(bench, marks)
    conclude(bench, ERRORS)
    report_progress(1.0)
    return ERRORS


def gather(bench: Workbench, marks: Sequence[Mark] = (), report_progress: Callable[[float], None] = no_report) -> None:
    """Every rule in turn: forms first, so that the others compare what cells say and not how."""
    representation.look(bench)
    stray_space.look(bench)
    nothing.look(bench)
    read_cells(bench)
    report_progress(0.2)
    spill.look(bench)
    apart = sources.look(bench, marks, bench.source)
    report_progress(0.3)
    votes.look(bench, dependencies_of(bench, apart))
    report_progress(0.7)
    typos.look(bench)
    corruption.look(bench)
    sign_evidence(bench)
    report_progress(0.9)
