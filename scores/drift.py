"""Drift: false alarms between random halves of a table, power on five planted faults, real months side by side."""

import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scores import workshop
from scores.drift_faults import NUMBER_FAULTS, WORD_FAULTS, Fault
from scores.measure import Measure, Score
from scores.public_data import data
from transformers.agents.drift_detector import AGENT, BASELINE
from transformers.tables import Table
from transformers.tool import PRIMARY

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SEED = 20180101
SIZES = (200, 500, 1000, 2000, 5000)  # rows on each side; the taxi month has 10,000
LARGE = 20_000  # the adult table has 48,842
HALVES = 6  # random splits for each size and table
FAULTY_SPLITS = 5
ROWS_OF_POWER = (1000, 5000)
NUMBERS = {
    "nyc taxi 2018-01": ("trip_distance", "fare_amount", "tip_amount", "total_amount"),
    "adult": ("age", "fnlwgt", "education-num", "hours-per-week"),
}
WORDS = {
    "nyc taxi 2018-01": ("vendor_id", "payment_type", "store_and_fwd_flag"),
    "adult": ("workclass", "education", "marital-status", "occupation", "relationship", "sex", "class"),
}
MONTHS = ("2018-06", "2019-01", "2020-01", "2020-04", "2020-06")
SMALL = "Many cells that move had that value already: 5 to 8 % change, in a thousand rows hardly told from chance."
ANCHOR = "KS distance with an effect floor"


def false_alarms() -> Iterator[Score]:
    import numpy as np

    for name, table in _tables():
        chance = np.random.default_rng(SEED)
        sizes = [size for size in (*SIZES, LARGE) if 2 * size <= table.num_rows]
        alarms = columns = 0
        for size in sizes:
            for _ in range(HALVES if size < LARGE else 2):
                old, new = _halves(table, size, chance)
                found = _drifted(old, new)
                alarms, columns = alarms + len(found), columns + table.num_columns
        yield Score(
            dataset=name,
            metric="false alarms per column, % (random halves)",
            ours=100 * alarms / columns,
            anchor=0.9,
            anchor_name=ANCHOR,
            bar=1.0,
            less_is_better=True,
            seed=SEED,
            note=f"{alarms} alarms in {columns} columns; {sizes[0]} to {sizes[-1]} rows a side.",
        )


def power() -> Iterator[Score]:
    import numpy as np

    found: dict[tuple[str, int], list[bool]] = {}
    for name, table in _tables():
        for faults, columns in ((NUMBER_FAULTS, NUMBERS[name]), (WORD_FAULTS, WORDS[name])):
            for place, (fault, plant) in enumerate(faults.items()):
                for rows in ROWS_OF_POWER:
                    chance = np.random.default_rng([SEED, place, rows])
                    for _ in range(FAULTY_SPLITS):
                        old, new = _halves(table, rows, chance)
                        drifted = _drifted(old, _planted(new, columns, plant, chance))
                        found.setdefault((fault, rows), []).extend(column in drifted for column in columns)
    for (fault, rows), detected in found.items():
        yield Score(
            dataset="nyc taxi + adult",
            metric=f"power, {fault}, {rows} rows a side",
            ours=sum(detected) / len(detected),
            anchor=0.8,
            anchor_name=f"{ANCHOR}: .80 to 1.0",
            bar=0.95,
            seed=SEED,
            note=SMALL if sum(detected) < 0.95 * len(detected) else "",
        )


def months() -> Iterator[Score]:
    first = _month("2018-01")
    for month in MONTHS:
        found = _drifted(first, _month(month), least="medium")
        yield Score(
            dataset=f"nyc taxi 2018-01 to {month}",
            metric="columns that drifted, medium or more (of 18)",
            ours=len(found),
            note=", ".join(sorted(found)),
        )


def _tables() -> Iterator[tuple[str, "pa.Table"]]:
    import pyarrow.parquet as pq

    yield "nyc taxi 2018-01", _month("2018-01")
    yield "adult", _as_text(pq.read_table(data("drift-adult", "adults.parquet")))


def _month(month: str) -> "pa.Table":
    import pyarrow.csv as pc

    raw = gzip.decompress(data("drift-nyc-taxi", f"yellow_tripdata_sample_{month}.csv.gz").read_bytes())
    header = raw.split(b"\n", 1)[0].decode().strip().split(",")
    as_written = pc.ConvertOptions(column_types=dict.fromkeys(header, "string"), strings_can_be_null=False)
    return pc.read_csv(io.BytesIO(raw), convert_options=as_written)


def _as_text(table: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    return pa.table({name: table.column(name).cast(pa.string()).fill_null("") for name in table.column_names})


def _halves(table: "pa.Table", rows: int, chance: "np.random.Generator") -> tuple["pa.Table", "pa.Table"]:
    order = chance.permutation(table.num_rows)
    return table.take(order[:rows]), table.take(order[rows : 2 * rows])


def _planted(table: "pa.Table", columns: Sequence[str], plant: Fault, chance: "np.random.Generator") -> "pa.Table":
    import pyarrow as pa

    for column in columns:
        cells = pa.array(plant(table.column(column).to_pylist(), chance), pa.string())
        table = table.set_column(table.column_names.index(column), column, cells)
    return table


def _drifted(old: "pa.Table", new: "pa.Table", least: str = "low") -> set[str]:
    """The columns in which the agent sees drift, files and intake included."""
    ladder = ("low", "medium", "high", "critical")
    with workshop.scratch() as folder:
        tables = {role: _read(table, folder, role) for role, table in ((PRIMARY, new), (BASELINE, old))}
        result = workshop.run(AGENT, tables, folder).result
    columns = result.data["columns"]
    return {c["name"] for c in columns if c["drifted"] and ladder.index(c["severity"]) >= ladder.index(least)}


def _read(table: "pa.Table", folder: Path, role: str) -> Table:
    import pyarrow.csv as pc

    path, read = folder / f"{role}.csv", folder / role
    pc.write_csv(table, path)
    read.mkdir()
    return workshop.read(path, read, role)


MEASURES = (
    Measure("drift-false-alarms", false_alarms),
    Measure("drift-power", power),
    Measure("drift-months", months),
)
