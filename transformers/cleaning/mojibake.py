"""Text whose encoding was mistaken on its way (“cafÃ©”), and what it says, by ftfy's heuristics.

Only cells with other than ASCII are looked at, each distinct text once. Quotes, ligatures and widths are left as the
customer wrote them: what is mended is the encoding and nothing else.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from transformers.cells.kinds import literal
from transformers.cleaning.spelling import worn
from transformers.tables import SOURCE_ROW, quoted

if TYPE_CHECKING:
    import duckdb

MENDED = "mojibake_mended"
BATCH = 5_000
LONGEST = 10_000  # characters; a longer cell is a document


def mended(text: str) -> tuple[str, float] | None:
    """What the text says, and how sure that is; None where nothing is wrong with it.

    Each suspicious sequence that goes makes the other reading less likely to be chance.
    """
    from ftfy import fix_encoding
    from ftfy.badness import badness, is_bad

    if not is_bad(text):
        return None  # as fix_encoding finds as well, after a longer look
    fixed = fix_encoding(text)
    if fixed == text:
        return None
    gained = badness(text) - badness(fixed)
    return fixed, round(1 - 0.5 ** (2 + max(0, gained)), 4)


def has_other_than_ascii(cell: str) -> str:
    return f"strlen({cell}) <> length({cell})"


def mojibake_edits(db: "duckdb.DuckDBPyConnection", columns: Sequence[str]) -> str | None:
    """A relation of edits for these columns of `primary`; None where nothing has to be mended."""
    db.execute(f"CREATE OR REPLACE TEMP TABLE {MENDED} (place INTEGER, old VARCHAR, new VARCHAR, confidence DOUBLE)")
    suspect = worn(db, columns, {"other": has_other_than_ascii("@")})["other"]
    found = [place for place, name in enumerate(columns) if name in suspect and _gather(db, place, name)]
    if not found:
        return None
    return " UNION ALL ".join(
        f'SELECT {quoted(SOURCE_ROW)} AS source_row, {literal(columns[place])} AS "column", m.new AS new,'
        f" 'mojibake' AS rule, m.confidence AS confidence"
        f' FROM "primary" p JOIN {MENDED} m ON m.place = {place} AND p.{quoted(columns[place])} = m.old'
        for place in found
    )


def _gather(db: "duckdb.DuckDBPyConnection", place: int, name: str) -> int:
    import pyarrow as pa

    count = 0
    for texts in _texts(db, name):
        fixes = [(place, text, *fix) for text in texts if (fix := mended(text))]
        if fixes:
            names = ("place", "old", "new", "confidence")
            arrays = dict(zip(names, map(list, zip(*fixes, strict=True)), strict=True))
            db.register("mojibake_batch", pa.table(arrays))
            db.execute(f"INSERT INTO {MENDED} SELECT * FROM mojibake_batch")
            db.unregister("mojibake_batch")
        count += len(fixes)
    return count


def _texts(db: "duckdb.DuckDBPyConnection", name: str) -> Iterator[list[str]]:
    """Distinct texts with other than ASCII, on a cursor of their own: this one writes meanwhile."""
    cell = quoted(name)
    with db.cursor() as cursor:
        cursor.execute(
            f'SELECT DISTINCT {cell} FROM "primary" WHERE {has_other_than_ascii(cell)} AND length({cell}) <= {LONGEST}'
            " ORDER BY 1"
        )
        while rows := cursor.fetchmany(BATCH):
            yield [text for (text,) in rows]
