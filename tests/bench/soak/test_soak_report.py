from dataclasses import replace
from pathlib import Path

from bench.soak.census import Found, Identity, Kind, Reading
from bench.soak.course import Soak
from bench.soak.figures import Recorded
from bench.soak.judging import Verdict
from bench.soak.report import BEGIN, DOCS, END, last_line, markdown, write

SLOT = Identity(Kind.SLOT, 7, 1.0)
MISSED = Verdict("memory of slot 7", 3.0, 1.0, "MB/min")


def soak(*verdicts: Verdict) -> Soak:
    looks = [(at, Found({SLOT: Reading(at, 80e6, 20, 5)}, ())) for at in (0.0, 10.0, 20.0, 30.0, 40.0)]
    return Soak(60.0, recorded=Recorded(looks, [], (10.0, 40.0)), verdicts=list(verdicts))


def test_the_last_line_names_each_bar_that_was_missed() -> None:
    held = replace(MISSED, what="memory of api 8", seen=0.1)
    assert last_line(soak(held)).endswith("0 wrong, 0 of 1 bars missed")
    assert last_line(soak(held, MISSED)).endswith("1 of 2 bars missed: memory of slot 7 (3 MB/min, at most 1)")


def test_each_kind_of_process_has_a_row_with_its_figures() -> None:
    rows = markdown(soak()).splitlines()
    assert "| slot | 1 | 1 | 80 → 80 | +0.00 | +0.00 | 20 → 20 | 5 → 5 |" in rows


def test_figures_take_the_place_of_older_ones_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}old figures\n{END}after\n")
    write(soak(), page)
    once = page.read_text()
    write(soak(), page)
    assert page.read_text() == once
    assert once.startswith(f"before\n{BEGIN}| process |")
    assert once.endswith(f"{END}after\n")
    assert "old figures" not in once


def test_the_page_has_a_place_for_them() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)
