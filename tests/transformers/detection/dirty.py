"""Tables with faults, and what is flagged in them."""

from collections.abc import Mapping, Sequence

from workshop import Workshop

from transformers.cells.columns import read_columns
from transformers.detection import detect_errors

Data = Mapping[str, Sequence[str | None]]
Flagged = dict[tuple[int, str], str]  # (row, column) → rule


def flagged(
    workshop: Workshop,
    data: Data,
    labels: Mapping[int, Mapping[str, bool]] | None = None,
    source_column: str | None = None,
) -> Flagged:
    table = workshop.table(data)
    with workshop.database(table) as db:
        errors = detect_errors(db, table, read_columns(db, table), labels=labels, source_column=source_column)
        found = db.execute(f'SELECT source_row, "column", rule FROM {errors} ORDER BY ALL').fetchall()
    return {(row, column): rule for row, column, rule in found}


def hospitals(rows: int = 120) -> dict[str, list[str | None]]:
    """Twelve of them, ten rows each; the number tells the name and the town."""
    towns = ["Ashford", "Brentwood", "Colchester", "Dorking", "Evesham", "Farnham", "Guildford", "Hastings", "Ipswich",
             "Jarrow", "Kendal", "Lancaster"]  # fmt: skip
    return {
        "number": [f"{10010 + i % 12 * 7}" for i in range(rows)],
        "name": [f"{towns[i % 12]} General Hospital" for i in range(rows)],
        "town": [towns[i % 12] for i in range(rows)],
        "measure": [f"m-{i * 31 % 17}" for i in range(rows)],
    }
