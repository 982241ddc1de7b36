"""Reading files: csv-spectrum cell for cell, files known to break readers, and polluted files with a known truth."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import CustomerError
from scores.measure import Measure, Score
from scores.pollution import Polluted, polluted_files
from scores.public_data import data
from scores.workshop import read, scratch
from transformers.intake.recipe import rebuild_bytes, write_recipe
from transformers.tables import SOURCE_ROW, Table

SEED = 4
Cells = Counter[tuple[int, str]]


@dataclass(frozen=True)
class Found:
    """What came of a polluted file. Cells carry the number of their column."""

    delimiter: bool
    f1: float
    lost: int  # cells that are nowhere, and of which nobody is told


def spectrum() -> Iterator[Score]:
    hits = wanted = got = 0
    for path in sorted(data("csv-spectrum").glob("csvs_*.csv")):
        truth = json.loads(path.with_name(path.name.replace("csvs_", "json_")).with_suffix(".json").read_text())
        expected = Counter(_named(truth if isinstance(truth, list) else [truth]))
        with scratch() as folder:
            found = Counter(_named(_records(read(path, folder))))
        hits, wanted, got = hits + (expected & found).total(), wanted + expected.total(), got + found.total()
    yield Score(
        dataset="csv-spectrum",
        metric="cells F1",
        ours=_f1(hits, wanted, got),
        bar=0.99,
        note="Line ends within cells are compared as LF: git changed them in one of the two copies.",
    )


def _named(rows: list[dict[str, Any]]) -> Iterator[tuple[int, str, str]]:
    for number, row in enumerate(rows):
        for name, cell in row.items():
            # one phone number was redacted in one of the two copies
            redacted = "Phone" in name
            yield number, name, "" if redacted else str(cell).replace("\r\n", "\n")


def _records(table: Table) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    return list(pq.read_table(table.path).drop([SOURCE_ROW]).to_pylist())


def known_breakers() -> Iterator[Score]:
    for folder in ("csv-frictionless", "csv-messytables-horror"):
        paths = [path for path in sorted(data(folder).iterdir()) if path.suffix != ".txt"]
        loaded = sum(map(_loads_or_says_why, paths))
        yield Score(dataset=folder, metric="files loaded or refused in words", ours=loaded / len(paths), bar=1.0)


def _loads_or_says_why(path: Path) -> bool:
    with scratch() as folder:
        try:
            read(path, folder)
        except CustomerError:
            return True
        except Exception as error:  # noqa: BLE001  (what is measured is that there is none)
            print(path.name, repr(error))
            return False
    return True


def polluted() -> Iterator[Score]:
    found = [(made, judged(made)) for made in polluted_files(SEED)]
    n = len(found)
    short = Counter(made.name.split(" ", 1)[1] for made, one in found if one.f1 < 0.99)
    for made, one in found:
        if one.f1 < 0.99 or one.lost or not one.delimiter:
            print(f"{made.name:60} F1 {one.f1:.4f} lost {one.lost} delimiter {one.delimiter}")
    named = f"polluted ({n} files)"
    yield Score(
        dataset=named,
        metric="delimiter found",
        ours=sum(one.delimiter for _, one in found) / n,
        anchor=1.0,
        anchor_name="clevercsv on Pollock (DuckDB's sniffer .46)",
        bar=1.0,
        seed=SEED,
    )
    yield Score(
        dataset=named,
        metric="cells F1, mean of files",
        ours=sum(one.f1 for _, one in found) / n,
        anchor=0.97,
        anchor_name="Python's csv on Pollock (DuckDB .38)",
        bar=0.99,
        seed=SEED,
        note="Below .99: " + ", ".join(f"{name} ({count})" for name, count in short.items()) if short else "",
    )
    yield Score(
        dataset=named,
        metric="cells lost in silence",
        ours=sum(one.lost for _, one in found),
        bar=0,
        less_is_better=True,
        seed=SEED,
    )


def recipes() -> Iterator[Score]:
    made = list(polluted_files(SEED))
    yield Score(
        dataset=f"polluted ({len(made)} files)",
        metric="bytes rebuilt from table, rejects and recipe",
        ours=sum(map(_comes_back, made)) / len(made),
        bar=1.0,
        seed=SEED,
    )


def _comes_back(made: Polluted) -> bool:
    with scratch() as folder:
        source, target = folder / "polluted.csv", folder / "rebuilt.csv"
        source.write_bytes(made.content)
        table = read(source, folder)
        rebuild_bytes(table.path, table.rejects_path, write_recipe(source, table, folder), target)
        return target.read_bytes() == made.content


def judged(made: Polluted) -> Found:
    with scratch() as folder:
        path = folder / "polluted.csv"
        path.write_bytes(made.content)
        try:
            table = read(path, folder)
        except CustomerError:
            return Found(delimiter=False, f1=0.0, lost=0)
        header, rows, aside = _outcome(table)
    expected = _cells([*([made.header] if made.header else []), *made.rows])
    found = _cells([*([header] if made.header else []), *rows])
    hits = (expected & found).total()
    return Found(
        table.delimiter in (made.delimiter, made.delimiter.rstrip(" ")),
        _f1(hits, expected.total(), found.total()),
        _lost(expected, found, made.spare, "\n".join((aside, *header, *(one.message for one in table.repairs)))),
    )


def _outcome(table: Table) -> tuple[list[str], list[list[str]], str]:
    import pyarrow.parquet as pq

    got = pq.read_table(table.path).drop([SOURCE_ROW])
    rows = [[cell or "" for cell in row.values()] for row in got.to_pylist()]
    aside = ""
    if table.rejects_path:
        aside = "\n".join(pq.read_table(table.rejects_path).column("raw").to_pylist())
    named = {row for repair in table.repairs for row in repair.rows}
    numbers = pq.read_table(table.path).column(SOURCE_ROW).to_pylist()
    aside += "\n".join("".join(row) for number, row in zip(numbers, rows, strict=True) if number in named)
    return list(table.columns), rows, aside


def _cells(rows: list[list[str]]) -> Cells:
    return Counter((at, cell.strip()) for row in rows for at, cell in enumerate(row) if cell.strip())


def _lost(expected: Cells, found: Cells, spare: list[str], told: str) -> int:
    """A cell may be in the table, among the rejected rows, in a row that a repair names, or in its sentence."""
    told_flat = " ".join(told.replace('""', '"').replace("\\", "").split())
    missing = [cell for (_, cell), n in (expected - found).items() for _ in range(n)]
    values = Counter[str]()
    for (_, cell), n in (found - expected).items():
        values[cell] += n
    lost = 0
    for cell in [*missing, *spare]:
        if values[cell]:
            values[cell] -= 1  # there, in another column: not lost, though it costs F1
        elif " ".join(cell.replace("\\", "").split()) not in told_flat:
            lost += 1
    return lost


def _f1(hits: int, wanted: int, got: int) -> float:
    return 2 * hits / (wanted + got) if wanted + got else 1.0


MEASURES = (
    Measure("read-spectrum", spectrum),
    Measure("read-known-breakers", known_breakers),
    Measure("read-polluted", polluted),
    Measure("read-recipes", recipes),
)
