"""The unified profiler on files of a million rows and more, and on two thousand columns; keys of a known database.

Seconds are the profiler's own, beyond reading the file. They depend on what else the machine does, so the same table
is put to DuckDB's SUMMARIZE right before, in CPU seconds, as a yardstick.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from scores.alone import Request, alone
from scores.keys import chinook
from scores.measure import Measure, Score
from scores.orders import SEED, write_orders
from scores.workshop import read, scratch
from transformers.tables import SOURCE_ROW, Table
from transformers.tool import PRIMARY

PROFILER = "unified-profiler"
MILLION = 1_000_000


def a_million_rows() -> Iterator[Score]:
    yield from _measured("orders 1M × 18 (188 MB)", MILLION, bar_seconds=3.0, bar_mb=250.0, anchor=1.6, anchor_mb=172.0)


def three_million_rows() -> Iterator[Score]:
    yield from _measured(
        "orders 3M × 18 (568 MB)", 3 * MILLION, bar_seconds=20.0, bar_mb=300.0, anchor=7.9, anchor_mb=172.0
    )


def _measured(
    dataset: str, rows: int, *, bar_seconds: float, bar_mb: float, anchor: float, anchor_mb: float
) -> Iterator[Score]:
    with scratch() as folder:
        table = read(write_orders(folder / "orders.csv", rows), folder)
        yardstick = _summarize(table)
        load = psutil.getloadavg()[0]
        ran = alone(Request(folder=folder, agent=PROFILER, tables={PRIMARY: table}))
    name = "one wide DuckDB query, quiet machine"
    note = (
        f"{ran.cpu_seconds:.1f} s of CPU on two threads; SUMMARIZE took {yardstick:.2f} s of CPU in the same run"
        f" (ratio {ran.cpu_seconds / yardstick:.1f}); load {load:.1f} on {os.cpu_count()} cores"
    )
    common = {"dataset": dataset, "less_is_better": True, "seed": SEED, "anchor_name": name}
    yield Score(metric="s above reading", ours=ran.seconds, bar=bar_seconds, anchor=anchor, note=note, **common)
    yield Score(metric="CPU s of two cores / 2", ours=ran.cpu_seconds / 2, bar=bar_seconds, anchor=anchor, **common)
    yield Score(metric="peak MB", ours=ran.peak_mb, bar=bar_mb, anchor=anchor_mb, **common)


def _summarize(table: Table) -> float:
    import duckdb

    before = os.times()
    with duckdb.connect(config={"memory_limit": "300MiB", "threads": 2}) as db:
        db.execute(f"SUMMARIZE SELECT * FROM read_parquet('{table.path}')").fetchall()
    after = os.times()
    return after.user + after.system - before.user - before.system


def many_columns() -> Iterator[Score]:
    with scratch() as folder:
        ran = alone(Request(folder=folder, agent=PROFILER, tables={PRIMARY: _wide(folder, 2000)}))
    common = {"dataset": "2,000 columns × 3 rows", "less_is_better": True}
    note = f"{ran.cpu_seconds:.1f} s of CPU; load {psutil.getloadavg()[0]:.1f}"
    yield Score(metric="s above reading", ours=ran.seconds, bar=10.0, note=note, **common)
    yield Score(metric="peak MB", ours=ran.peak_mb, bar=300.0, **common)


def _wide(folder: Path, columns: int) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = {f"c{i}": pa.array([str(i), str(2 * i), None]) for i in range(columns)}
    path = folder / "wide.parquet"
    pq.write_table(pa.table({**cells, SOURCE_ROW: pa.array([1, 2, 3], pa.int64())}), path)
    return Table(
        role=PRIMARY, name="wide.csv", path=path, format="csv", rows=3, columns=tuple(cells), size_bytes=10_000
    )


MEASURES = (
    Measure("profile-1m", a_million_rows),
    Measure("profile-3m", three_million_rows),
    Measure("profile-wide", many_columns),
    Measure("keys-chinook", chinook),
)
