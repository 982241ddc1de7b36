import csv
import re
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spreadsheets import computed_in, is_computed

from transformers.cells.spreadsheet_text import shielded, unshielded, write_csv

SOURCES = Path(__file__).parents[3] / "transformers"
COMPUTED = [
    "=1+1", "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(A1:A9)", '=HYPERLINK("http://x.example","y")',
    "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "＝1+1", "＋A1", "－A1", "＠SUM(A1)", "=", "-A1", "+A1", "-1e5x", "@",
    "-\r0", "+\n1",
]  # fmt: skip
LEFT = [
    "-12.5", "+49 30 1234-56", "-1,000.00", "-3.5e-10", "-", "--", "+", "- 5", "-5 %", "-12:30", "'", "", " ", "a=b",
    "2024-01-31", "ada@example.com", "'=1+1", "(5)", "1+1",
]  # fmt: skip


def said(function: str, *texts: str) -> list[str]:
    with duckdb.connect() as db:
        return [found for (found,) in db.execute(f"SELECT {function} FROM unnest(?) AS t(t)", [list(texts)]).fetchall()]


@pytest.mark.parametrize("text", COMPUTED, ids=ascii)
def test_text_that_would_be_computed_gets_an_apostrophe(text: str) -> None:
    assert said(shielded("t"), text) == [f"'{text}"]


@pytest.mark.parametrize("text", LEFT, ids=ascii)
def test_figures_and_other_text_stay_as_they_are(text: str) -> None:
    assert said(shielded("t"), text) == [text]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text("=+-@'\t\r\n 0159.,eAZ|!＝＠ä", max_size=8), min_size=20, max_size=60))
def test_nothing_is_left_to_compute_and_nothing_is_lost(texts: list[str]) -> None:
    shown = said(shielded("t"), *texts)
    assert not any(map(is_computed, shown))
    known = [text for text in texts if not (text.startswith("'") and said(shielded("t"), text[1:]) == [text])]
    assert said(unshielded("t"), *said(shielded("t"), *known)) == known


def test_headings_are_shielded_too_and_numbers_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "it's.csv"
    with duckdb.connect() as db:
        write_csv(db, 'SELECT -1.5 AS a, \'=1+1\' AS "=cmd", -3 AS "-1" WHERE ? = 1', path, values=[1])
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["a", "'=cmd", "-1"], ["-1.5", "'=1+1", "-3"]]
    assert computed_in(path) == []


def test_no_other_room_writes_csv_but_that_of_the_customers_own_golden_records() -> None:
    writes = re.compile(r"FORMAT csv|csv\.(Dict)?[wW]riter|to_csv")
    rooms = {path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.py") if writes.search(path.read_text())}
    assert rooms == {"cells/spreadsheet_text.py", "mastering/golden_file.py"}
