"""Entity resolution: public sets with ground truth, and generated people where the public set is not at hand.

Everything goes through transformers.matching.resolve_entities, as the agents call it; the column that holds the truth
is dropped before. F1 is over pairs of rows in one cluster (pairwise), B³ over rows.
"""

import csv
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from backend.clock import monotonic
from scores.measure import Measure, Score
from scores.one import peak_kilobytes
from scores.people import COLUMNS, people
from scores.public_data import data
from scores.workshop import CHILD_MEMORY, scratch
from transformers.cells.columns import read_columns
from transformers.matching import ModelSummary, resolve_entities
from transformers.operations import DUCKDB_SHARE
from transformers.tables import SOURCE_ROW, Table, database_over
from transformers.tool import PRIMARY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEED = 1
BINS = 10
PART = 10_000  # records in memory at a time
Records = Sequence[Mapping[str, str | None]]
Made = TypeVar("Made")


@dataclass(frozen=True)
class Resolved:
    """Cluster of each row in file order, and the judged pairs with their probabilities."""

    clusters: "NDArray[np.int64]"
    pairs: "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]"
    summary: ModelSummary
    seconds: float


@contextmanager
def _table(rows: Records) -> Iterator[tuple[Table, Path]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(rows[0])
    columns = {name: pa.array([row[name] or None for row in rows], pa.string()) for name in names}
    numbered = pa.table(columns | {SOURCE_ROW: pa.array(range(1, len(rows) + 1), pa.int64())})
    with scratch() as folder:
        path = folder / "records.parquet"
        pq.write_table(numbered, path)
        yield (
            Table(
                role=PRIMARY,
                name=path.name,
                path=path,
                format="csv",
                rows=len(rows),
                columns=tuple(names),
                size_bytes=path.stat().st_size,
            ),
            folder,
        )


def _resolve(table: Table, folder: Path, **options: Any) -> Resolved:
    import numpy as np

    with database_over({PRIMARY: table}, folder, int(CHILD_MEMORY * DUCKDB_SHARE)) as db:
        began = monotonic()
        found = resolve_entities(db, table, read_columns(db, table), **options)
        seconds = monotonic() - began
        clusters = db.execute(f"SELECT cluster FROM {found.clusters} ORDER BY source_row").fetchnumpy()["cluster"]
        pairs = db.execute(f"SELECT a, b, probability FROM {found.pairs} ORDER BY a, b").fetchnumpy()
        judged = (
            np.asarray(pairs["a"], np.int64) - 1,
            np.asarray(pairs["b"], np.int64) - 1,
            np.asarray(pairs["probability"], np.float64),
        )
        return Resolved(np.asarray(clusters, np.int64), judged, found.summary, seconds)


def pairwise_f1(clusters: Sequence[int], truth: Sequence[object]) -> float:
    """Of the pairs of rows put together, and of those that belong together."""

    def pairs(groups: Counter[Any]) -> int:
        return sum(comb(n, 2) for n in groups.values())

    right = pairs(Counter(zip(clusters, truth, strict=True)))
    return 2 * right / (pairs(Counter(clusters)) + pairs(Counter(truth)))


def b_cubed(clusters: Sequence[int], truth: Sequence[object]) -> float:
    """The harmonic mean of the average row's precision and recall."""
    found, real, both = Counter(clusters), Counter(truth), Counter(zip(clusters, truth, strict=True))
    precision = sum(n * n / found[cluster] for (cluster, _), n in both.items()) / len(truth)
    recall = sum(n * n / real[entity] for (_, entity), n in both.items()) / len(truth)
    return 2 * precision * recall / (precision + recall)


def _calibration(dataset: str, resolved: Resolved, same: "NDArray[np.float64]") -> Iterator[Score]:
    """Over the judged pairs handed on (probability from .01): the squared error, and how far shares are off."""
    import numpy as np

    probability = resolved.pairs[2]
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    gaps = [abs(float(probability[place == i].sum() - same[place == i].sum())) for i in range(BINS)]
    yield Score(
        dataset=dataset,
        metric="Brier score of judged pairs",
        ours=float(((probability - same) ** 2).mean()),
        less_is_better=True,
    )
    yield Score(
        dataset=dataset,
        metric="expected calibration error",
        ours=sum(gaps) / max(len(probability), 1),
        less_is_better=True,
    )


def _calibration_by_entity(dataset: str, resolved: Resolved, truth: Sequence[object]) -> Iterator[Score]:
    import numpy as np

    entity = np.unique(np.asarray(truth, dtype=str), return_inverse=True)[1]
    a, b, _ = resolved.pairs
    yield from _calibration(dataset, resolved, (entity[a] == entity[b]).astype(np.float64))


def _read(*parts: str, delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> list[dict[str, str]]:
    with data(*parts).open(newline="", encoding="utf-8") as lines:
        rows = csv.reader(lines, delimiter=delimiter, quoting=quoting, skipinitialspace=True)  # type: ignore[arg-type]
        names = [name.strip() for name in next(rows)]
        return [dict(zip(names, (cell.strip() for cell in row), strict=False)) for row in rows if row]


def _without(rows: Sequence[Mapping[str, str]], column: str) -> tuple[Records, list[str]]:
    """The records without their truth, and the truth."""
    return [{k: v for k, v in row.items() if k != column} for row in rows], [row[column] for row in rows]


def fake_1000() -> Iterator[Score]:
    records, truth = _without(_read("er-splink-fake1000", "fake_1000.csv"), "cluster")
    with _table(records) as (table, folder):
        resolved = _resolve(table, folder)
    yield Score(
        dataset="fake_1000",
        metric="pairwise F1",
        ours=pairwise_f1(resolved.clusters.tolist(), truth),
        anchor=0.94,
        anchor_name="Splink, best threshold; .87 at .95",
        bar=0.95,
    )
    yield from _calibration_by_entity("fake_1000", resolved, truth)


def restaurant() -> Iterator[Score]:
    records, truth = _without(_read("er-dedupe-restaurant", "restaurant-nophone-training.csv"), "unique_id")
    with _table(records) as (table, folder):
        resolved = _resolve(table, folder)
    yield Score(
        dataset="restaurant", metric="pairwise F1", ours=pairwise_f1(resolved.clusters.tolist(), truth), bar=0.93
    )
    yield from _calibration_by_entity("restaurant", resolved, truth)


def dblp_acm() -> Iterator[Score]:
    import numpy as np

    sources = {
        name: _read("er-dblp-acm", f"{name}clean.csv", delimiter="%", quoting=csv.QUOTE_NONE)
        for name in ("dblp", "acm")
    }
    records = [
        {k: v for k, v in row.items() if k != "id"} | {"source": s} for s, rows in sources.items() for row in rows
    ]
    dblp = {row["id"]: i for i, row in enumerate(sources["dblp"])}
    acm = {row["id"]: i + len(dblp) for i, row in enumerate(sources["acm"])}
    truth = {(dblp[row["D1"]], acm[row["D2"]]) for row in _read("er-dblp-acm", "gtclean.csv", delimiter="%")}
    with _table(records) as (table, folder):
        resolved = _resolve(table, folder, link_only_across="source")
    members: dict[int, list[int]] = {}
    for row, cluster in enumerate(resolved.clusters.tolist()):
        members.setdefault(cluster, []).append(row)
    linked = {(rows[0], rows[1]) for rows in members.values() if len(rows) == 2}
    yield Score(
        dataset="DBLP-ACM",
        metric="F1 of links",
        ours=2 * len(linked & truth) / (len(linked) + len(truth)),
        anchor=0.989,
        anchor_name="TF-IDF, one to one",
        bar=0.985,
    )
    a, b, _ = resolved.pairs
    same = np.array([pair in truth for pair in zip(a.tolist(), b.tolist(), strict=True)], dtype=np.float64)
    yield from _calibration("DBLP-ACM", resolved, same)


def febrl() -> Iterator[Score]:
    sets = {"1": ("1",), "2": ("2",), "3": ("3",), "4": ("4a", "4b")}
    for name, files in sets.items():
        rows = [row for file in files for row in _read("er-febrl", f"dataset{file}.csv")]
        records, ids = _without(rows, "rec_id")
        with _table(records) as (table, folder):
            resolved = _resolve(table, folder)
        yield Score(
            dataset=f"febrl {name}",
            metric="pairwise F1",
            ours=pairwise_f1(resolved.clusters.tolist(), [text.split("-")[1] for text in ids]),
            bar=0.99,
            note="saturated: a smoke test",
        )


def people_50k() -> Iterator[Score]:
    with scratch() as folder:
        table, truth = _made_elsewhere(_people, folder, 50_000, 6_000)
        resolved = _resolve(table, folder)
    peak = peak_kilobytes() / 1024
    generated = "generated in the manner of the historical figures, which are not at hand: no comparison with theirs"
    yield Score(
        dataset="50k generated people",
        metric="B³ F1",
        ours=b_cubed(resolved.clusters.tolist(), truth),
        anchor=0.895,
        anchor_name="Splink on the real set",
        bar=0.92,
        seed=SEED,
        note=generated,
    )
    yield Score(
        dataset="50k generated people",
        metric="seconds",
        ours=resolved.seconds,
        bar=60,
        less_is_better=True,
        seed=SEED,
    )
    yield Score(dataset="50k generated people", metric="peak MB", ours=peak, bar=400, less_is_better=True, seed=SEED)
    yield from _calibration_by_entity("50k generated people", resolved, truth)


def million_people() -> Iterator[Score]:
    """1,000,000 × 18, most of them people recorded twice: whether it ends, in what room, and what it had to limit."""
    with scratch() as folder:
        table = _made_elsewhere(_million, folder)
        resolved = _resolve(table, folder)
    note = "; ".join(resolved.summary.limited)
    yield Score(
        dataset="1M × 18 generated",
        metric="peak MB",
        ours=peak_kilobytes() / 1024,
        bar=400,
        less_is_better=True,
        seed=SEED,
        note=note,
    )
    yield Score(dataset="1M × 18 generated", metric="seconds", ours=resolved.seconds, less_is_better=True, seed=SEED)


def _made_elsewhere(make: Callable[..., Made], *asked: Any) -> Made:
    """In a process of its own, so that the peak is that of the resolution and not of the generator beside it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(make, *asked).result()


def _people(folder: Path, rows: int, entities: int) -> tuple[Table, list[int]]:
    """The table, and the person of each row."""
    truth: list[int] = []

    def parts() -> Iterator[list[dict[str, str | None]]]:
        for some in batched(people(rows, entities, SEED), PART):
            truth.extend(person for person, _ in some)
            yield [record for _, record in some]

    return _written(folder, parts(), ()), truth


def _million(folder: Path, rows: int = 1_000_000) -> Table:
    extra = tuple(f"measure_{i}" for i in range(18 - len(COLUMNS)))

    def parts() -> Iterator[list[dict[str, str | None]]]:
        for first in range(0, rows, PART):
            made = people(PART, PART // 2, SEED + first)
            yield [
                record | {name: str((row * 7919 + i * 104729) % 997) for i, name in enumerate(extra)}
                for row, (_, record) in enumerate(made)
            ]

    return _written(folder, parts(), extra)


def _written(folder: Path, parts: Iterator[list[dict[str, str | None]]], extra: tuple[str, ...]) -> Table:
    """Written in parts: the generator's records never stand in memory together."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = (*COLUMNS, *extra)
    schema = pa.schema([(name, pa.string()) for name in names] + [(SOURCE_ROW, pa.int64())])
    path, rows = folder / "people.parquet", 0
    with pq.ParquetWriter(path, schema) as writer:
        for records in parts:
            columns = [pa.array([record[name] for record in records], pa.string()) for name in names]
            numbers = pa.array(range(rows + 1, rows + len(records) + 1), pa.int64())
            writer.write_table(pa.Table.from_arrays([*columns, numbers], schema=schema))
            rows += len(records)
    return Table(
        role=PRIMARY,
        name=path.name,
        path=path,
        format="csv",
        rows=rows,
        columns=names,
        size_bytes=path.stat().st_size,
    )


def batched(
    made: Iterator[tuple[int, dict[str, str | None]]], size: int
) -> Iterator[list[tuple[int, dict[str, str | None]]]]:
    while part := list(islice(made, size)):
        yield part


MEASURES = (
    Measure("fake_1000", fake_1000),
    Measure("restaurant", restaurant),
    Measure("dblp_acm", dblp_acm),
    Measure("febrl", febrl),
    Measure("people_50k", people_50k),
    Measure("million_people", million_people),
)
