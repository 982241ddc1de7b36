"""How the trust in golden records is spread, and those of too little of it as findings."""

from typing import TYPE_CHECKING

from transformers.findings import RowIssue, Severity
from transformers.mastering.clusters import text
from transformers.mastering.counting import count_all
from transformers.mastering.golden import Golden
from transformers.mastering.lone_trust import doubted
from transformers.row_findings import RowFindings
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

LOW_TRUST = "low_trust_record"


def note_trust(
    db: "duckdb.DuckDBPyConnection", golden: Golden, records: Table, rows: RowFindings, least: float
) -> dict[str, float]:
    """Records below the least trust as row-level issues, at their first source row; and how trust is spread.

    A record of one row is among them only where its source is known to be bad.
    """
    source, trust = f"read_parquet({text(records.path)})", quoted(golden.names.trust)
    where = doubted(golden.names.trust, golden.names.count, least, golden.lone.speaks_of(golden.columns))
    low = f"SELECT {quoted(SOURCE_ROW)} AS r, {trust} AS t FROM {source} WHERE {where}"
    count_all(db, low, rows, (LOW_TRUST, Severity.MEDIUM, ""))
    rows.keep(
        RowIssue(
            row_index=row,
            column="",
            issue_type=LOW_TRUST,
            severity=Severity.MEDIUM,
            message=f"The golden record that begins with this row has a trust of {known:.2f}.",
        )
        for row, known in db.execute(f"{low} ORDER BY r LIMIT {rows.room(LOW_TRUST)}").fetchall()
    )
    parts = f"avg({trust}), min({trust}), quantile_cont({trust}, 0.1), quantile_cont({trust}, 0.5)"
    [figures] = db.execute(f"SELECT {parts} FROM {source}").fetchall()
    return {
        name: round(float(figure), 4)
        for name, figure in zip(("mean", "least", "tenth", "median"), figures, strict=True)
        if figure is not None
    }
