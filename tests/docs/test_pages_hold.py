"""What the documentation says and no shell can run: its links, its data, the commands for elsewhere, the names."""

import ast
import configparser
import json
import re
import tomllib

import pytest
import yaml

from backend.main import app
from tests.docs.commands import code, faults, unknown
from tests.docs.pages import ROOT, Block, Page, page_of, pages

PAGES = pages()
TODAY = [page for page in PAGES if page.of_today]
WRITTEN = [page for page in TODAY if not page.name.startswith("docs/reference/")]  # by people
LANGUAGES = {
    "console",
    "python",
    "sh",
    "text",
    "json",
    "yaml",
    "toml",
    "ini",
    "js",
    "promql",
    "sql",
    "html",
    "diff",
    "nginx",
}
METHOD = re.compile(r"^(GET|POST|PUT|PATCH|DELETE) (/[^\s?]*)")
NAME = re.compile(r"^([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=.*)?$")
PARSERS = {
    "json": json.loads,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "toml": tomllib.loads,
    "ini": lambda text: configparser.RawConfigParser(strict=False).read_string(text),
    "python": ast.parse,
}


def each(page: Page, *languages: str) -> list[Block]:
    return [block for block in page.blocks if block.language in languages]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Page) -> None:
    assert [link for link in page.links if not leads_somewhere(page, link)] == []


def leads_somewhere(page: Page, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True  # another's; nobody asks the network in a test
    path, _, anchor = link.partition("#")
    target = (ROOT / page.name).parent / path if path else ROOT / page.name
    if not anchor:
        return target.exists()
    name = target.resolve().relative_to(ROOT).as_posix()
    return any(anchor in other.anchors for other in PAGES if other.name == name)


@pytest.mark.parametrize("page", TODAY, ids=lambda page: page.name)
def test_every_block_says_how_it_is_checked(page: Page) -> None:
    assert page.unknown_directives == ()
    assert {block.language for block in page.blocks} <= LANGUAGES
    assert [block.line for block in each(page, "sh") if not block.directives.get("not run")] == []
    assert [block.line for block in each(page, "console") if "not run" in block.directives] == []


@pytest.mark.parametrize("page", TODAY, ids=lambda page: page.name)
def test_data_on_a_page_can_be_read(page: Page) -> None:
    for block in each(page, *PARSERS):
        PARSERS[block.language](block.text)


@pytest.mark.parametrize("page", TODAY, ids=lambda page: page.name)
def test_what_is_run_elsewhere_is_run_there(page: Page) -> None:
    for block in page.blocks:
        for named in filter(None, block.directives.get("run by", "").split(", ")):
            path, _, test = named.partition("::")
            assert re.search(rf"^def {test or 'test_'}", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), named


@pytest.mark.parametrize("page", TODAY, ids=lambda page: page.name)
def test_commands_for_elsewhere_name_only_what_there_is(page: Page) -> None:
    for block in each(page, "sh", "console"):
        if not block.is_run:
            assert list(faults(block.text)) == [], f"{page.name}:{block.line}"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_names_in_the_text_are_names_of_the_house(page: Page) -> None:
    named = {found[1] for words in page.code if (found := NAME.match(words))}
    assert named - code() == set()
    commands = [words.split()[1:] for words in page.code if words.startswith("agensium ")]
    assert [fault for words in commands for fault in unknown(words)] == []


@pytest.mark.parametrize("page", TODAY, ids=lambda page: page.name)
def test_addresses_in_the_text_are_those_of_the_api(page: Page) -> None:
    named = {(found[1].lower(), found[2]) for words in page.code if (found := METHOD.match(words))}
    assert [(method, path) for method, path in named if not is_answered(method, path)] == []


def is_answered(method: str, path: str) -> bool:
    """Whatever stands in the holes."""
    if path.startswith("/v1/"):
        return True  # a model's server
    return any(
        method in operations and re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(known)), path)
        for known, operations in app.openapi()["paths"].items()
    )


@pytest.mark.parametrize(
    "lie",
    [
        "make everything",
        "agensium sumbit profile-my-data x.csv",
        "agensium submit --wach",
        "cat docs/no-such-page.md",
        "export NO_SUCH_SETTING_AT_ALL=1",
        "if true; then",
        "kubectl exec deploy/api -- agensium verify legder",
    ],
)
def test_a_lie_in_a_command_is_seen(lie: str) -> None:
    assert list(faults(lie))


def test_a_link_into_nothing_is_seen() -> None:
    page = page_of("docs/x.md", "# A b\n[a](#a-b) [b](#b) [c](RELIABILITY.md) [d](nowhere.md) `GET /tasks/{id}`")
    assert [leads_somewhere(page, link) for link in page.links] == [False, False, True, False]
    assert is_answered("get", "/tasks/{id}")
    assert not is_answered("get", "/task/{id}")
