"""What is served, how, and what it may not hold. Without a browser."""

import asyncio
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from api.web_routes import EXAMPLE, PACKAGED, TYPES
from backend.main import create_app

ROOT = Path(__file__).parents[2]
SERVED = sorted(path for path in PACKAGED.rglob("*") if path.suffix in TYPES)
OURS = [path for path in SERVED if "vendor" not in path.parts]
PAGES = [path for path in OURS if path.suffix == ".html"]


Get = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def get() -> Iterator[Get]:
    """The page needs neither a database nor a file store."""
    client = httpx.AsyncClient(transport=httpx.ASGITransport(create_app()), base_url="http://hall")
    with asyncio.Runner() as runner:
        yield lambda path, **headers: runner.run(client.get(path, headers=headers))
        runner.run(client.aclose())


def test_the_page_runs_nothing_but_its_own_scripts(get: Get) -> None:
    policy = dict(part.split(" ", 1) for part in get("/").headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in str(policy)


@pytest.mark.parametrize("path", SERVED, ids=lambda path: path.name)
def test_every_file_has_its_type_and_is_asked_for_again(get: Get, path: Path) -> None:
    address = f"/web/{path.relative_to(PACKAGED).as_posix()}"
    answer = get(address)
    assert answer.content == path.read_bytes()
    assert answer.headers["content-type"] == TYPES[path.suffix]
    assert answer.headers["cache-control"] == "no-cache"
    again = get(address, **{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["vendor/README.md", "../web_routes.py", "%2e%2e/web_routes.py", "scripts", "", "vendor/chart"]
)
def test_nothing_else_is_served(get: Get, name: str) -> None:
    assert get(f"/web/{name}").status_code == 404


def test_the_example_is_offered_where_there_is_one(get: Get) -> None:
    about = get("/web/about").json()
    assert get(about["example"]).content == EXAMPLE.read_bytes()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_holds_a_script_a_style_or_a_stranger(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:|x-html|https?://", text)


@pytest.mark.parametrize("script", [path for path in OURS if path.suffix == ".js"], ids=lambda path: path.name)
def test_no_script_makes_markup_or_code_of_data(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert not re.search(r"\beval\(|new Function|outerHTML|insertAdjacentHTML|document\.write|https?://", text)
    assert "innerHTML" not in text or script.name == "view.js"  # there it is a page of ours
    assert len(text.splitlines()) <= 200


def test_every_name_leads_to_a_file() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in OURS if path.suffix in {".html", ".js", ".css"})
    named = set(re.findall(r"[\"'(]/web/([\w./-]+\.\w+)[\"')]", text))
    views = {f"views/{name}.html" for name in re.findall(r"x-view=\"'(\w+)'\"", text)}
    served = {path.relative_to(PACKAGED).as_posix() for path in SERVED}
    assert named | views <= served
    assert named


def test_what_is_of_others_is_as_the_readme_says() -> None:
    readme = (PACKAGED / "vendor" / "README.md").read_text(encoding="utf-8")
    sums = dict(reversed(line.split("  ")) for line in re.findall(r"^[0-9a-f]{64}  \S+$", readme, re.MULTILINE))
    of_others = [path for path in SERVED if "vendor" in path.parts]
    assert {path.relative_to(PACKAGED / "vendor").as_posix() for path in of_others} == set(sums)
    for path in of_others:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sums[f"{path.parent.name}/{path.name}"]
        assert list(path.parent.glob("LICENSE*")), path
        assert b"sourceMappingURL" not in path.read_bytes()


def test_a_wheel_has_the_pages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "web/**/*" in project["tool"]["setuptools"]["package-data"]["api"]
