"""Customers call their columns as they like."""

import pytest
from test_proposals import repaired
from workshop import Workshop

OURS = (
    "word", "w", "v", "n", "g", "c0", "c1", "cell", "said", "text0", "form0", "own", "top", "truth", "entity",
    "m", "__text__", "__text0__", "__form0__", "__suggestion__", "__certainty__", "confidence", "count",
    "suggestion", "certainty", "message", "value", "column", "new", "old", "e", "t", "s", "r", "texts",
    "cells", "of_row", "from_row", "sure", "offer", "beside", "__rare__", "__end__", "wrong", "other", "width",
)  # fmt: skip
KINDS = (["0.05", "0.061", "0.07", "0.05"] * 30, ["1", "2", None, "4"] * 30, ["2024-01-31", "2024-02-14"] * 60,
         ["7:10 a.m.", "10:45 p.m."] * 60, [f"shop {i % 12}" for i in range(120)])  # fmt: skip
WRONG = ("0.05%", "n/a", "31/01/2024", "17:55", " shop 1")


@pytest.mark.parametrize("first", range(4))
def test_a_table_whose_headers_are_all_names_of_ours_is_read_like_any_other(workshop: Workshop, first: int) -> None:
    ours = OURS[first::4]
    table = [list(KINDS[at % len(KINDS)]) for at in range(len(ours))]
    for at, cells in enumerate(table):
        cells[at] = WRONG[at % len(KINDS)]
    found = repaired(workshop, dict(zip(ours, table, strict=True)))
    others = repaired(workshop, {f"column {name}": cells for name, cells in zip(ours, table, strict=True)})
    assert {(row, f"column {name}"): new for (row, name), new in found.items()} == others
    assert len(found) >= len(ours) / 2
