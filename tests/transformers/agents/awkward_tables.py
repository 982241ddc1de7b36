"""Tables that customers do send: every agent meets all of them in the conformance test."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from _pytest.mark.structures import ParameterSet


def _text(**columns: list[str | None]) -> pa.Table:
    return _named(columns)


def _named(columns: Mapping[str, Sequence[str | None]]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def _native() -> pa.Table:
    moments = [
        datetime(2024, 1, 1, 12, tzinfo=UTC),
        None,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
    ]
    return pa.table(
        {
            "stamp": pa.array(moments, pa.timestamp("us")),
            "zoned": pa.array(moments, pa.timestamp("us", tz="Europe/Berlin")),
            "seconds": pa.array(moments, pa.timestamp("s")),
            "nanoseconds": pa.array([1, None, 3, 4], pa.timestamp("ns")),
            "day": pa.array([date(2024, 2, 29), None, date(1, 1, 1), date(9999, 12, 31)]),
            "clock": pa.array([time(7, 10), None, time(0), time(23, 59, 59)], pa.time64("us")),
            "price": pa.array([Decimal("1.10"), None, Decimal("-99999.99"), Decimal("0.00")], pa.decimal128(12, 2)),
            "huge": pa.array([Decimal(10) ** 37, None, Decimal(1), Decimal(2)], pa.decimal128(38, 0)),
            "yes": pa.array([True, None, False, True]),
            "tiny": pa.array([1, None, -128, 127], pa.int8()),
            "unsigned": pa.array([1, None, 2**64 - 1, 0], pa.uint64()),
            "half": pa.array([1.5, None, 2.5, 3.5], pa.float32()),
            "bytes": pa.array([b"\x00\xff", None, b"", b"abc"]),
            "list": pa.array([[1, 2], None, [], [3]]),
            "struct": pa.array([{"a": 1}, None, {"a": 2}, {"a": 3}]),
            "span": pa.array([timedelta(days=1), None, timedelta(0), timedelta(seconds=5)]),
            "kind": pa.array(["x", None, "y", "x"]).dictionary_encode(),
            "nothing": pa.nulls(4),
        }
    )


def _wide(columns: int) -> pa.Table:
    return _named({f"c{i}": [str(i), str(i * 2), None] for i in range(columns)})


AWKWARD: dict[str, Callable[[], pa.Table]] = {
    "no rows": lambda: _text(a=[], b=[]),
    "no rows, native types": lambda: _native().slice(0, 0),
    "one row": lambda: _text(id=["1"], name=["Ann"], when=["2024-01-31"]),
    "one cell": lambda: _text(a=["x"]),
    "all null": lambda: _text(a=[None, None, None], b=["", " ", None], c=["N/A", "-", "?"]),
    "duplicate rows": lambda: _text(a=["1", "1", "2", "1"], b=["x", "x", "y", "x"]),
    "mixed types": lambda: _text(
        a=["1", "two", "3.0", "2024-01-01", "true", "", "NaN", "1e400", "-inf", "0x10", "1_000"]
    ),
    "many columns": lambda: _wide(40),
    "unicode and right to left": lambda: _named(
        {"שם": ["אבג", "דהו"], "名前": ["太郎", "花子"], "naïve 🎉": ["1", "2"], "\u202eevil": ["a", "b"]}
    ),
    "quotes in names": lambda: _named(
        {
            'a"b': ["1", "2"],
            "c'd": ["x", "y"],
            "e;--": ["1", None],
            "{x}": ["a", "b"],
            "%s\\": ["a", "b"],
            " ": ["1", "2"],
        }
    ),
    "names of our own tables": lambda: _named(
        {
            "primary": ["1", "2"],
            "c": ["1", "2"],
            "v": ["x", "y"],
            "n": ["1", "1"],
            "cell_values": ["1", "2"],
            "r": ["3", "4"],
            "h": ["5", "6"],
            "x0": ["7", "8"],
            "s": ["A-1", "B-2"],
            "word": ["yes", "no"],
            "x": ["1.5", "2.5"],
            "text": ["2024-01-31", "2024-02-29"],
            "row": ["1", "2"],
            "cluster": ["1", "1"],
            "trust": ["high", "low"],
            "source_row": ["9", "8"],
        }
    ),
    "names of our own tables, many rows": lambda: _named(
        {
            name: [f"{name}-{i % 9}{'' if i else '?'}" for i in range(50)]
            for name in ("v", "n", "s", "r", "c", "word", "x", "text", "row", "cluster", "trust", "source_row", "shape")
        }
    ),
    "numbers as text": lambda: _text(
        a=["1", "2", "3"],
        b=["1,234.50", "2,000", "3"],
        c=["1.234,5", "2,5", "7"],
        d=["$1.00", "€2", "3 USD"],
        e=["10%", "20 %", "5%"],
        f=["007", "008", "1"],
    ),
    "five shapes of dates": lambda: _text(
        a=["2024-01-31", "31/01/2024", "31.01.2024", "Jan 31, 2024", "31 January 2024"],
        b=["01/02/2024", "02/01/2024", "03/04/2024", "05/06/2024", "07/08/2024"],
        c=["2024-01-31 10:00", "2024-01-31T10:00:00Z", "31/01/2024 10:00", "2024-02-30 10:00", ""],
    ),
    "infinities and not a number": lambda: pa.table(
        {
            "a": [1.0, float("inf"), float("-inf"), float("nan"), None, 1e308, -1e308, 5e-324],
            "b": [float("nan")] * 8,
            "c": [float("inf")] * 8,
        }
    ),
    "huge strings": lambda: _text(
        a=["x" * 1_000_000, "y" * 100_000, "1" * 5000, "a\nb\tc\x07"],
        b=["=1+1", "@SUM(A1)", "<script>alert(1)</script>", "+1"],
    ),
    "formulas": lambda: pa.table(
        {
            "=cmd|'/C calc'!A0": ['=HYPERLINK("http://x.example")', "@SUM(A1)", "＝1", "\t=1", None],
            "+id": ["=1", "=2", "=2", "=4", "=5"],
            "amount": ["-1.5", "2", "-7+A1", "12", "1000000"],
        }
    ),
    "native types": _native,
    "constant and unique": lambda: _text(a=["k"] * 50, id=[str(i) for i in range(50)]),
    "spaces and cases": lambda: _text(a=[" al", "AL", "al ", "Al", "al"]),
}


def _side_by_side(*names: str) -> pa.Table:
    """All their columns in one table; the shorter ones end in nulls. A name that was there before gets a number."""
    columns: dict[str, pa.Array] = {}
    tables = [AWKWARD[name]() for name in names]
    rows = max(table.num_rows for table in tables)
    for place, table in enumerate(tables):
        for name, column in zip(table.column_names, table.columns, strict=True):
            values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            padded = pa.concat_arrays([values, pa.nulls(rows - len(values), values.type)])
            columns[f"{name} {place}" if name in columns else name] = padded
    return pa.table(columns)


OF_ONE_SHAPE = (
    "duplicate rows", "mixed types", "unicode and right to left", "quotes in names", "names of our own tables",
    "numbers as text", "five shapes of dates", "infinities and not a number", "huge strings", "native types",
    "constant and unique", "spaces and cases",
)  # fmt: skip
AWKWARD["side by side"] = lambda: _side_by_side(*OF_ONE_SHAPE)
LONG: dict[str, Callable[[], pa.Table]] = {"very many columns": lambda: _wide(150)}  # `make chaos` has the time


def some_of_them(*names: str) -> list[ParameterSet]:
    """These each time and the others in `make chaos`: where the conformance test shows them to the same agent."""
    return [pytest.param(name, marks=() if name in names else pytest.mark.long) for name in AWKWARD]
