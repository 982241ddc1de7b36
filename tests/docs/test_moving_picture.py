from lxml import etree

from tests.docs.moving_picture import LAST, LONGEST_WAIT, ROWS, Line, moving_picture
from tests.docs.pages import ROOT

SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str]:
    return ["".join(text.itertext()) for text in etree.fromstring(picture.encode()).iter(f"{SVG}text")]


def test_every_line_is_drawn_as_it_was_with_a_prompt_before_what_was_typed() -> None:
    picture = moving_picture("a run", [Line(0, "ls <x>", typed=True), Line(0.1, "a & b")])
    assert texts(picture) == ["a run", "$ ls <x>", "a & b"]


def test_a_long_wait_is_cut_and_the_last_lines_are_what_stays() -> None:
    lines = [Line(100.0 * number, str(number)) for number in range(ROWS + 2)]
    root = etree.fromstring(moving_picture("", lines).encode())
    clock = next(root.iter(f"{SVG}animate"))
    assert abs(float(clock.attrib["dur"][:-1]) - (len(lines) - 1) * LONGEST_WAIT - LAST) < 1
    moved = next(root.iter(f"{SVG}animateTransform")).attrib["values"].split(";")
    assert (moved[0], moved[-1], len(moved)) == ("0 0", "0 -38", len(lines) + 1)


def test_the_run_in_the_readme_lasts_no_longer_than_a_minute_and_ends_well() -> None:
    picture = (ROOT / "docs" / "run.svg").read_text(encoding="utf-8")
    assert float(next(etree.fromstring(picture.encode()).iter(f"{SVG}animate")).attrib["dur"][:-1]) <= 60
    assert texts(picture)[-1] == "verify ledger: 0 breaches"
    assert any(line.startswith("  claims 2,") for line in texts(picture))
