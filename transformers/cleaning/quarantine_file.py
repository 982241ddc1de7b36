"""quarantine.csv: the rows set aside, as they were found, each with its number in the source and the reasons."""

from transformers.cells.spreadsheet_text import write_csv
from transformers.cleaning.removals import why_columns
from transformers.cleaning.rules import SET_ASIDE, Applied
from transformers.cleaning.windows import from_parquet
from transformers.tables import SOURCE_ROW, quoted
from transformers.tool import AgentContext, AgentFile

NAME = "quarantine.csv"
_TOLD = {"rule": "quarantine_rule", "reason": "quarantine_reason", "confidence": "quarantine_confidence"}


def quarantine_file(context: AgentContext, applied: Applied) -> AgentFile:
    """UTF-8, commas; with its header alone where no row was set aside."""
    aside = next((file.path for file in applied.files if file.kind == SET_ASIDE), None)
    columns = list(applied.types_before)
    why = why_columns(columns)
    told = {"source_row": quoted(SOURCE_ROW)} | {name: quoted(why[part]) for part, name in _TOLD.items()}
    taken = {name.casefold() for name in columns}
    free = [f"{value} AS {quoted(_free(name, taken))}" for name, value in told.items()]
    path = context.scratch / NAME
    if aside:
        cells = ", ".join([*free, *map(quoted, columns)])
        source = f"SELECT {cells} FROM {from_parquet(aside)} ORDER BY {quoted(SOURCE_ROW)}"
    else:
        names = [*(_free(name, taken) for name in told), *columns]
        source = f"SELECT {', '.join(f'NULL AS {quoted(name)}' for name in names)} WHERE false"
    with context.database() as db:
        write_csv(db, source, path)
    return AgentFile(name=NAME, path=path, content_type="text/csv; charset=utf-8", kind="quarantine")


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
