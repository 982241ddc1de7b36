"""A page of the documentation as the tests see it: its fenced blocks with what the comment before each says of it, its
headings, its links and what it names in passing.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
RECORDED = ("docs/decisions/",)  # what was decided then: its links must lead somewhere, its words may be old
COMMENT = re.compile(r"<!--\s*([a-z ]+):\s*(.*?)\s*-->", re.DOTALL)
ANCHOR = re.compile(r"""<a (?:id|name)="([^"]+)">""")
DIRECTIVES = ("until", "exit", "run by", "file", "not run")
RUN = ("console", "python")


@dataclass(frozen=True)
class Block:
    """A fenced block; `directives` are those of the comments on the lines before it."""

    language: str
    text: str
    line: int
    directives: dict[str, str]
    expected: str = ""  # the ```text block that follows at once

    @property
    def is_run(self) -> bool:
        """In the page's session: not what a test elsewhere runs, nor a file that is only written."""
        return self.language in RUN and not self.directives.keys() & {"run by", "file"}


@dataclass(frozen=True)
class Page:
    """One file of the documentation, by its path in the repository."""

    name: str
    blocks: tuple[Block, ...]
    anchors: frozenset[str]
    links: tuple[str, ...]
    code: tuple[str, ...]  # each `so written` in its prose
    unknown_directives: tuple[str, ...]

    @property
    def is_run(self) -> bool:
        return not self.name.startswith(RECORDED) and any(block.is_run for block in self.blocks)

    @property
    def of_today(self) -> bool:
        return not self.name.startswith(RECORDED)


@cache
def pages() -> tuple[Page, ...]:
    """README.md, CONTRIBUTING.md where it is, and everything below docs/."""
    paths = [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    return tuple(page(path) for path in paths if path.exists())


def page(path: Path) -> Page:
    return page_of(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def page_of(name: str, text: str) -> Page:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    attributes = [str(child.attrs.get("href") or child.attrs.get("src") or "") for child in inline]
    comments = [found for token in tokens if token.type == "html_block" for found in COMMENT.findall(token.content)]
    return Page(
        name,
        tuple(_blocks(tokens)),
        frozenset(_anchors(tokens, text)),
        tuple(link for link in attributes if link),
        tuple(child.content for child in inline if child.type == "code_inline"),
        tuple(key for key, _ in comments if key not in DIRECTIVES and key != "settings"),
    )


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    for place, token in enumerate(tokens):
        if token.type != "fence":
            continue
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        expected = after.content if after and after.type == "fence" and after.info == "text" else ""
        line = (token.map or [0])[0] + 1
        yield Block(token.info.strip(), token.content, line, _directives(tokens[:place]), expected)


def _directives(before: list[Token]) -> dict[str, str]:
    found: dict[str, str] = {}
    for token in reversed(before):
        if token.type != "html_block":
            break
        found = {key: value for key, value in COMMENT.findall(token.content) if key in DIRECTIVES} | found
    return found


def _anchors(tokens: list[Token], text: str) -> Iterator[str]:
    """As the sites that show Markdown make them: small letters, no punctuation, hyphens; a second one is numbered."""
    yield from ANCHOR.findall(text)
    seen: Counter[str] = Counter()
    for token, content in itertools.pairwise(tokens):
        if token.type == "heading_open":
            words = "".join(child.content for child in content.children or () if child.type in {"text", "code_inline"})
            slug = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
            yield f"{slug}-{seen[slug]}" if seen[slug] else slug
            seen[slug] += 1
