"""Wrong cells and their repair: three public benchmarks, planted faults, and false alarms on clean tables.

Detection: F1 over cells, wrong = the text differs from the clean file's at all. Repair: precision = right repairs over
repairs made, recall = right repairs over all wrong cells (Baran's measure), a repair being right to the letter.
"""

import csv
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from scores.clean_tables import clean_tables
from scores.measure import Measure, Score
from scores.planted_errors import plant
from scores.public_data import data
from scores.taxpayers import taxpayers
from scores.unusual_tables import unusual_tables
from scores.workshop import CHILD_MEMORY, read
from transformers.cells.columns import read_columns
from transformers.detection import detect_errors
from transformers.operations import DUCKDB_SHARE
from transformers.repair import propose_repairs
from transformers.tables import database_over

Cell = tuple[int, str]
LABELLED_ROWS = 20
SEEDS = (1, 2, 3)
RAHA = "Raha, 20 labelled rows"
RULES = "zero-label rules (FD voting, entity plurality, units, N/A tokens)"
SOURCES = {"flights": "src"}  # the column whose header says that it names sources
NOTES = {"beers": "units are taken off the cells of a column whose name says the unit, and kept elsewhere"}
BARS = {"hospital": (0.93, 0.90), "flights": (0.88, 0.72), "beers": (0.985, 0.965)}
ANCHORS = {"hospital": (0.89, 0.76), "flights": (0.86, 0.85), "beers": (0.98, 0.99)}
PRECISION_BAR = 0.97
FALSE_ALARM_BAR = 0.5  # per cent of the cells


@dataclass(frozen=True)
class Found:
    """What was flagged, and what would be put where (None: nothing)."""

    errors: frozenset[Cell]
    repairs: Mapping[Cell, str | None]


def benchmark(name: str) -> Iterator[Score]:
    wrong, source = _wrong(name), SOURCES.get(name)
    yield from _benchmarked(name, wrong, _found(data(f"err-{name}", "dirty.csv")))
    if source:
        yield from _unnamed(name, wrong, source)


def _unnamed(name: str, wrong: Mapping[Cell, str], source: str) -> Iterator[Score]:
    """With a header that says nothing."""
    with TemporaryDirectory(prefix="scores-") as folder:
        path, text = Path(folder) / "dirty.csv", data(f"err-{name}", "dirty.csv").read_text(encoding="utf-8")
        path.write_text(text.replace(source, "c", 1), encoding="utf-8")
        found = _found(path)
    note = "sources are not taken for sources where nothing says so: a price that changes looks the same"
    yield Score(dataset=f"{name}, source not named", metric="detection F1, no labels", note=note,
                ours=_rates(len(found.errors & wrong.keys()), len(found.errors), len(wrong))[2])  # fmt: skip
    yield Score(dataset=f"{name}, source not named", metric="repair F1, no labels", note=note,
                ours=_repair_rates(found, wrong)[2])  # fmt: skip


def _benchmarked(name: str, wrong: Mapping[Cell, str], found: Found) -> Iterator[Score]:
    """Against the bars."""
    detection, repair = BARS[name]
    how = "sources known by their header" if name in SOURCES else ""
    _, _, f1 = _rates(len(found.errors & wrong.keys()), len(found.errors), len(wrong))
    yield Score(dataset=name, metric="detection F1, no labels", ours=f1, anchor=ANCHORS[name][0], anchor_name=RULES,
                bar=detection, note=", ".join(filter(None, (how, NOTES.get(name)))))  # fmt: skip
    precision, recall, f1 = _repair_rates(found, wrong)
    yield Score(dataset=name, metric="repair F1, no labels", ours=f1, bar=repair,
                note=", ".join(filter(None, (f"recall {recall:.3f}", how))))  # fmt: skip
    yield Score(dataset=name, metric="repair precision, no labels", ours=precision, bar=PRECISION_BAR, note=how)


def with_labels(name: str) -> Iterator[Score]:
    """The rows are drawn by a seed; the mean of three draws. Marked rows count like any other."""
    wrong = _wrong(name)
    rows = sum(1 for _ in _rows(data(f"err-{name}", "clean.csv")))
    dirty = data(f"err-{name}", "dirty.csv")
    drawn = [_found(dirty, _labels(name, wrong, rows, seed)) for seed in SEEDS]
    f1 = [_rates(len(found.errors & wrong.keys()), len(found.errors), len(wrong))[2] for found in drawn]
    metric = f"F1, {LABELLED_ROWS} labelled rows, mean of {len(SEEDS)} draws"
    yield Score(dataset=name, metric=f"detection {metric}", ours=sum(f1) / len(f1), anchor=ANCHORS[name][1],
                anchor_name=RAHA, seed=SEEDS[0])  # fmt: skip
    f1 = [_repair_rates(found, wrong)[2] for found in drawn]
    yield Score(dataset=name, metric=f"repair {metric}", ours=sum(f1) / len(f1), seed=SEEDS[0])


def planted() -> Iterator[Score]:
    """One seed; right and flagged and wrong cells summed over the tables."""
    with TemporaryDirectory(prefix="scores-") as folder:
        right = flagged = wrong = repaired = repairs = 0
        for name, path in clean_tables(Path(folder)):
            faults = plant(path, Path(folder), SEEDS[0], "%" if name in {"dblp", "acm"} else ",")
            found = _found(faults.path)
            hits, meant = len(found.errors & faults.faults.keys()), {c: v for c, (_, v) in faults.faults.items()}
            right, flagged, wrong = right + hits, flagged + len(found.errors), wrong + len(meant)
            repairs += len(found.repairs)
            repaired += sum(meant.get(cell) == (value or "") for cell, value in found.repairs.items())
            if meant:
                yield Score(dataset=f"{name}, planted", metric="detection F1, no labels",
                            ours=_rates(hits, len(found.errors), len(meant))[2], seed=SEEDS[0])  # fmt: skip
        yield Score(dataset="all planted", metric="detection F1, no labels", ours=_rates(right, flagged, wrong)[2],
                    seed=SEEDS[0])  # fmt: skip
        yield Score(dataset="all planted", metric="repair precision, no labels", ours=repaired / max(1, repairs),
                    bar=PRECISION_BAR, seed=SEEDS[0], note=f"recall {repaired / wrong:.3f}")  # fmt: skip


def keys_of_two() -> Iterator[Score]:
    """Made data: what one column tells of another, and two of a third."""
    with TemporaryDirectory(prefix="scores-") as folder:
        made = taxpayers(Path(folder), SEEDS[0])
        found, meant = _found(made.path), {cell: right for cell, (_, right) in made.faults.items()}
        _, _, f1 = _rates(len(found.errors & meant.keys()), len(found.errors), len(meant))
        yield Score(dataset="taxpayers, made", metric="detection F1, no labels", ours=f1, seed=SEEDS[0])
        precision, recall, _ = _repair_rates(found, meant)
        yield Score(dataset="taxpayers, made", metric="repair precision, no labels", ours=precision,
                    bar=PRECISION_BAR, seed=SEEDS[0], note=f"recall {recall:.3f}")  # fmt: skip


def false_alarms() -> Iterator[Score]:
    """What is flagged in tables that are taken to be right, though some of them are not quite."""
    with TemporaryDirectory(prefix="scores-") as folder:
        flagged = cells = 0
        for name, path in clean_tables(Path(folder)):
            errors, size = _flagged(path)
            flagged, cells = flagged + errors, cells + size
            yield _alarm(name, 100 * errors / size)
        yield _alarm("all clean tables", 100 * flagged / cells)


def right_as_it_is() -> Iterator[Score]:
    """Made tables that look wrong and are not: no cell of them may be rewritten."""
    with TemporaryDirectory(prefix="scores-") as folder:
        for name, path in unusual_tables(Path(folder), SEEDS[0]):
            found, cells = _found(path), sum(len(row) for row in _rows(path))
            yield Score(dataset=f"{name}, made", metric="repairs on clean cells", ours=len(found.repairs), bar=0,
                        less_is_better=True, seed=SEEDS[0])  # fmt: skip
            yield Score(dataset=f"{name}, made", metric="% of clean cells flagged", less_is_better=True,
                        ours=100 * len(found.errors) / cells, seed=SEEDS[0])  # fmt: skip


def _alarm(name: str, share: float) -> Score:
    return Score(dataset=name, metric="% of clean cells flagged", ours=share, bar=FALSE_ALARM_BAR, less_is_better=True)


def _flagged(path: Path) -> tuple[int, int]:
    with TemporaryDirectory(prefix="scores-") as folder:
        table = read(path, Path(folder))
        with database_over({table.role: table}, Path(folder), int(CHILD_MEMORY * DUCKDB_SHARE)) as db:
            errors = detect_errors(db, table, read_columns(db, table))
            [[count]] = db.execute(f"SELECT count(*) FROM {errors}").fetchall()
            return count, table.rows * len(table.columns)


def _found(path: Path, labels: Mapping[int, Mapping[str, str]] | None = None) -> Found:
    """`labels`: the right text of cells, the wrong ones' and the right ones'."""
    with TemporaryDirectory(prefix="scores-") as folder:
        table = read(path, Path(folder))
        with database_over({table.role: table}, Path(folder), int(CHILD_MEMORY * DUCKDB_SHARE)) as db:
            columns = read_columns(db, table)
            marks = _marks(path, labels) if labels else None
            errors = detect_errors(db, table, columns, labels=marks)
            flagged = db.execute(f'SELECT source_row, "column" FROM {errors}').fetchall()
            repairs = propose_repairs(db, table, columns, errors, labels=labels)
            put = db.execute(f'SELECT source_row, "column", new FROM {repairs}').fetchall()
    return Found(frozenset((row, name) for row, name in flagged), {(row, name): new for row, name, new in put})


def _marks(path: Path, labels: Mapping[int, Mapping[str, str]]) -> dict[int, dict[str, bool]]:
    dirty = dict(enumerate(_rows(path), start=1))
    return {row: {name: dirty[row][name] != right for name, right in cells.items()} for row, cells in labels.items()}


def _labels(name: str, wrong: Mapping[Cell, str], rows: int, seed: int) -> dict[int, dict[str, str]]:
    drawn = random.Random(seed).sample(range(1, rows + 1), LABELLED_ROWS)
    dirty = dict(enumerate(_rows(data(f"err-{name}", "dirty.csv")), start=1))
    return {row: {c: wrong.get((row, c), text) for c, text in dirty[row].items()} for row in sorted(drawn)}


def _wrong(name: str) -> dict[Cell, str]:
    """Wrong cells and what should stand there."""
    both = zip(_rows(data(f"err-{name}", "dirty.csv")), _rows(data(f"err-{name}", "clean.csv")), strict=True)
    return {
        (row, column): right
        for row, (dirty, clean) in enumerate(both, start=1)
        for (column, text), right in zip(dirty.items(), clean.values(), strict=True)
        if text != right
    }


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _repair_rates(found: Found, wrong: Mapping[Cell, str]) -> tuple[float, float, float]:
    right = sum(cell in wrong and (value or "") == wrong[cell] for cell, value in found.repairs.items())
    return _rates(right, len(found.repairs), len(wrong))


def _rates(right: int, given: int, wanted: int) -> tuple[float, float, float]:
    """Precision, recall, F1."""
    precision, recall = right / max(1, given), right / max(1, wanted)
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


MEASURES = (
    *(Measure(f"errors-{name}", partial(benchmark, name)) for name in BARS),
    *(Measure(f"errors-{name}-labelled", partial(with_labels, name)) for name in BARS),
    Measure("errors-planted", planted),
    Measure("errors-keys", keys_of_two),
    Measure("errors-false-alarms", false_alarms),
    Measure("errors-right-as-it-is", right_as_it_is),
)
