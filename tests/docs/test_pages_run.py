"""Every page's commands are run, from its top to its end, and what it shows is what is seen."""

import re
from pathlib import Path

import pytest

from tests.acceptance.house import House
from tests.docs.pages import Page, page_of, pages
from tests.docs.session import PATIENCE, environment_of, run

RUN = [page for page in pages() if page.is_run]
ANY_LINES = "…"


def missing(expected: str, seen: str) -> str:
    """The first line of what a page shows that was not seen, in its order; nothing where all was. `…` is anything."""
    rest = iter(seen.splitlines())
    for line in filter(None, (line.strip() for line in expected.splitlines())):
        pattern = re.compile(".*".join(re.escape(part.strip()) for part in line.split("…")))
        if line != ANY_LINES and not any(pattern.fullmatch(one.strip()) for one in rest):
            return line
    return ""


@pytest.mark.timeout(PATIENCE + 20)
@pytest.mark.parametrize("page", RUN, ids=[page.name for page in RUN])
def test_a_page_does_what_it_says(page: Page, working_house: House, newcomer: dict[str, str], tmp_path: Path) -> None:
    said = run(page, tmp_path, newcomer, working_house.api_url)
    assert said.code == 0, f"{page.name}:{said.last_line}\n{said.by_line.get(said.last_line, '')[-6000:]}"
    for block in page.blocks:
        if block.is_run and (line := missing(block.expected, said.by_line[block.line])):
            raise AssertionError(f"{page.name}:{block.line} never said {line!r}, but\n{said.by_line[block.line]}")


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ("```console\ntrue\n```\n```console\nfalse | true\n```", 1),
        ("<!-- exit: 3 -->\n```console\nexit 3\n```", 0),
        ("<!-- exit: 3 -->\n```console\nexit 4\n```", 1),
        ("<!-- until: up -->\n```console\necho down\n```", 1),
        ("<!-- until: up -->\n```console\necho up; sleep 300\n```\n```console\nls examples/data\n```", 0),
        ("<!-- file: examples/new/a.py -->\n```python\nprint('a')\n```\n```console\npython examples/new/a.py\n```", 0),
        ("```python\nimport sys; sys.exit(7)\n```", 7),
    ],
)
def test_a_page_that_lies_is_found_out(blocks: str, code: int, tmp_path: Path) -> None:
    said = run(page_of("docs/lies.md", blocks), tmp_path, environment_of({}, "", []), "http://127.0.0.1:1")
    assert said.code == code, said.by_line


def test_what_is_seen_is_told_with_the_addresses_that_the_page_shows(tmp_path: Path) -> None:
    page = page_of("docs/lies.md", "```console\necho ada@example.com http://127.0.0.1:8000/\n```")
    said = run(page, tmp_path, environment_of({}, "", []), "http://127.0.0.1:1")
    assert "http://127.0.0.1:1/" in (tmp_path / "page.log").read_text(encoding="utf-8")
    assert said.by_line[1].strip() == "ada@example.com http://127.0.0.1:8000/"


@pytest.mark.parametrize(
    ("expected", "is_missing"), [("a\nc", ""), ("c\na", "a"), ("a…d\n…\ne", ""), ("b", "b"), ("  x y", "x y")]
)
def test_what_a_page_shows_is_looked_for_in_its_order(expected: str, is_missing: str) -> None:
    assert missing(expected, "a\na b c d\nc\ne") == is_missing
