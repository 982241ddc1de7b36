"""The cells that are probably wrong, as flags of a preview: no rule need touch them, somebody should see them."""

from dataclasses import dataclass

from transformers.cells.kinds import literal
from transformers.cleaning.flags import note_flags
from transformers.cleaning.rules import FlaggedCells, Plan, Work
from transformers.detection import detect_errors
from transformers.findings import Severity
from transformers.row_findings import RowFindings
from transformers.tool import AgentContext

LARGEST_EXAMINED = 100_000  # rows: a preview is to be quick; field-standardization looks at any table


@dataclass(frozen=True)
class Detected:
    """Cells by kind of error, and the first of them."""

    counts: dict[str, int]
    rows: RowFindings


def detected(context: AgentContext) -> Detected | None:
    """None where the table is too large to be examined beforehand."""
    if context.primary.rows > LARGEST_EXAMINED:
        return None
    with context.database() as db:
        work = Work(db, context.primary, context.scratch)
        errors = detect_errors(db, work.table, work.columns)
        kinds = [kind for (kind,) in db.execute(f"SELECT DISTINCT kind FROM {errors} ORDER BY kind").fetchall()]
        flags = tuple(FlaggedCells(f"error_{kind}", Severity.MEDIUM, _of_kind(errors, kind)) for kind in kinds)
        rows = RowFindings.over(db, work.table)
        return Detected(note_flags(work, Plan(flags=flags), rows), rows)


def _of_kind(errors: str, kind: str) -> str:
    return f'SELECT source_row, "column", value, message FROM {errors} WHERE kind = {literal(kind)}'
