"""Keys and references of a database, as key-identifier finds them from the tables' cells alone."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from scores.measure import Score
from scores.public_data import data
from scores.workshop import read, run, scratch
from transformers.tables import Table
from transformers.tool import PRIMARY

Keys = dict[str, frozenset[str]]
References = set[tuple[str, str, str, str]]  # table, column, referenced table, referenced column


def chinook() -> Iterator[Score]:
    from transformers.agents.key_identifier import AGENT

    with scratch() as folder, sqlite3.connect(data("keys-chinook", "Chinook_Sqlite.sqlite")) as db:
        primary, foreign = truth(db)
        tables = {name: _exported(db, name, folder) for name in sorted(primary)}
        found_keys: Keys = {}
        found_references: References = set()
        for name, table in tables.items():
            others = {role: t for role, t in tables.items() if role != name}
            result = run(AGENT, {**others, PRIMARY: table.model_copy(update={"role": PRIMARY})}, folder).result
            found_keys[name] = frozenset(result.summary_metrics["primary_key"])
            for key in result.data["foreign_keys"]:
                found_references.add((name, key["column"], key["table"] or name, key["references"]))
    right = sum(found_keys[name] == columns for name, columns in primary.items())
    said = sum(bool(columns) for columns in found_keys.values())
    hits = len(found_references & foreign)
    missed = ", ".join(f"{t}.{c}" for t, c, *_ in sorted(foreign - found_references)) or "none"
    extra = ", ".join(f"{t}.{c} → {o}.{k}" for t, c, o, k in sorted(found_references - foreign)) or "none"
    yield Score(dataset="chinook", metric="primary key precision", ours=right / max(said, 1), bar=1.0)
    yield Score(dataset="chinook", metric="primary key recall", ours=right / len(primary), bar=1.0,
                note="one key a table, the composite one of PlaylistTrack among them")  # fmt: skip
    yield Score(dataset="chinook", metric="foreign key precision", ours=hits / max(len(found_references), 1), bar=1.0,
                note=f"claimed beyond the schema: {extra}")  # fmt: skip
    yield Score(dataset="chinook", metric="foreign key recall", ours=hits / len(foreign), bar=0.9,
                note=f"missed: {missed}")  # fmt: skip


def truth(db: sqlite3.Connection) -> tuple[Keys, References]:
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    primary = {n: frozenset(row[1] for row in db.execute(f'PRAGMA table_info("{n}")') if row[5]) for n in names}
    foreign = {
        (n, row[3], row[2], row[4] or next(iter(primary[row[2]])))
        for n in names
        for row in db.execute(f'PRAGMA foreign_key_list("{n}")')
    }
    return primary, foreign


def _exported(db: sqlite3.Connection, name: str, folder: Path) -> Table:
    import csv

    found = db.execute(f'SELECT * FROM "{name}" ORDER BY rowid')
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([column[0] for column in found.description])
        writer.writerows(found)
    own = folder / name
    own.mkdir()
    return read(path, own, role=name)
