"""Not-a-number in a table that came as Parquet, whose statistics know nothing of it."""

import math
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transformers.cells.casts import is_missing, native_value, not_a_number

COLUMNS = ([1.0, math.nan, 2.0], [1.0, math.nan, math.inf, -math.inf, None], [math.nan], [1.0, None])


@pytest.mark.parametrize("cells", COLUMNS)
@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_it_is_missing_and_no_value(tmp_path: Path, cells: list[float | None], kind: pa.DataType) -> None:
    file = tmp_path / "numbers.parquet"
    pq.write_table(pa.table({"f": pa.array(cells, kind)}), file)
    with duckdb.connect() as db:
        rows = db.execute(f"SELECT {is_missing('f', 'DOUBLE')}, {native_value('f', 'DOUBLE')} FROM '{file}'").fetchall()
        asked = db.execute(f"SELECT count(*) FROM '{file}' WHERE {not_a_number('f')}").fetchone()
    gone = [cell is None or math.isnan(cell) for cell in cells]
    assert rows == [(missing, None if missing else cell) for missing, cell in zip(gone, cells, strict=True)]
    assert asked == (sum(cell is not None and math.isnan(cell) for cell in cells),)
