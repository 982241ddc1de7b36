"""The cleaned table as delimited text, written the way its source is written."""

from pathlib import Path

from transformers.cells.kinds import literal
from transformers.cleaning.cleaned_file import Cleaned
from transformers.cleaning.windows import from_parquet
from transformers.intake.encodings import head_of, marked_encoding
from transformers.intake.rendering import rendered
from transformers.intake.writing_habits import Habits, habits_of
from transformers.tables import AT_REST, SOURCE_ROW, holding, quoted

UTF8 = "utf-8"
SPOOLED_ROWS = 20_480  # in a row group: what is held at a time


def write(cleaned: Cleaned, path: Path) -> None:
    """In the source's encoding; in UTF-8 where that has no sign for what is in the table now."""
    if not cleaned.table.columns:
        path.touch()
        cleaned.notes.append("The table has no columns left: the file is empty.")
        return
    habits, spool = _habits(cleaned), path.with_name(f"{path.name}.parquet")
    cells = ", ".join(f"coalesce(CAST({quoted(n)} AS VARCHAR), '') AS {quoted(n)}" for n in cleaned.table.columns)
    rows = f"SELECT {cells}, {quoted(SOURCE_ROW)} FROM {from_parquet(cleaned.table.path)}"
    cleaned.db.execute(f"COPY ({rows}) TO {literal(str(spool))} (FORMAT parquet, ROW_GROUP_SIZE {SPOOLED_ROWS})")
    cleaned.report_progress(0.5)
    encoding = cleaned.original.encoding or UTF8
    with holding(cleaned.db, AT_REST):
        try:
            _write(cleaned, habits, encoding, spool, path)
        except UnicodeEncodeError:
            cleaned.notes.append(f"The file is in UTF-8: {encoding} has no sign for some of its characters.")
            _write(cleaned, habits, UTF8, spool, path)
    spool.unlink()


def _write(cleaned: Cleaned, habits: Habits, encoding: str, spool: Path, path: Path) -> None:
    with path.open("wb") as out:
        out.write(_mark(cleaned.source, encoding))
        if not any(repair.kind == "no_header" for repair in cleaned.original.repairs):
            out.write(_header(habits).encode(encoding))
        for piece in rendered(spool, None, habits):
            out.write(piece.content if encoding == UTF8 else piece.content.decode(UTF8).encode(encoding))


def _mark(source: Path | None, encoding: str) -> bytes:
    """The byte order mark that the source has."""
    if source is None:
        return b""
    head = head_of(source)
    marked, length = marked_encoding(head)
    return head[:length] if marked == encoding else b""


def _habits(cleaned: Cleaned) -> Habits:
    """Of the columns that are left; what is rendered is UTF-8, whatever becomes of it."""
    table, original = cleaned.table, cleaned.original
    if cleaned.source is None:
        found = _plain(original.columns, original.delimiter or ("\t" if original.format == "tsv" else ","))
    else:
        found = habits_of(cleaned.source, original.columns, original.encoding or UTF8, original.delimiter)
    places = [original.columns.index(name) for name in table.columns]
    alone = len(places) == 1  # an empty cell without quotes would be a blank line
    return found.model_copy(
        update={
            "columns": table.columns,
            "encoding": UTF8,
            "quotes": tuple(found.quotes[place] for place in places),
            "quotes_empty": tuple(found.quotes_empty[place] or alone for place in places),
        }
    )


def _plain(columns: tuple[str, ...], delimiter: str) -> Habits:
    none = (False,) * len(columns)
    return Habits(
        columns=columns, encoding=UTF8, delimiter=delimiter, between=delimiter, quote='"', escape=None, newline="\n",
        behind="", quotes=none, quotes_empty=none,
    )  # fmt: skip


def _header(habits: Habits) -> str:
    every = all(habits.quotes)
    cells = [
        habits.quoted(name) if every or any(sign in name for sign in habits.special) else name
        for name in habits.columns
    ]
    return habits.between.join(cells) + habits.behind + habits.newline
