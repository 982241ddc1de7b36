"""Web pages: what a person sees of them, headings and tables written as Markdown, links as their words.

Scripts, styles and everything hidden is left out: a text that no person sees may be meant for a model. Nothing that
the page refers to is fetched.
"""

import re
from collections.abc import Generator
from typing import TYPE_CHECKING

from backend.errors import FileTooLarge
from transformers.documents.markdown_text import sections
from transformers.documents.passage import Passage
from transformers.documents.plain_text import whole_text
from transformers.intake.reading import SourceFile

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

LONGEST_PAGE = 15_000_000  # characters with markup; its tree takes thirty times as many bytes
MOST_OPEN = 2_000  # elements open at once; the parser's time grows with their square. Pages have some dozens
UNSEEN = frozenset({
    "script", "style", "template", "noscript", "head", "svg", "math", "iframe", "object", "embed", "applet",
    "canvas", "audio", "video", "map", "select", "datalist", "dialog", "textarea", "noframes", "noembed",
    "-comment", "!doctype",
})  # fmt: skip
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "details", "dd", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "main", "nav", "ol",
    "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul", "li", "caption", "option",
})  # fmt: skip
HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?![.\d]*[1-9])"
    r"|opacity\s*:\s*0(?![.\d]*[1-9])",
    re.IGNORECASE,
)
# The parser opens these again in every block after one that was not closed, so that a small page grows without end.
FORMATTING = re.compile(r"<(/?)(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])", re.IGNORECASE)
BLANKS = re.compile(r"\s+")
TAG = re.compile(r"<(/?)([a-z][a-z0-9:-]*)", re.IGNORECASE)
CLOSED_BY_OTHERS = frozenset({
    "a", "p", "li", "td", "tr", "th", "dd", "dt", "option", "tbody", "thead", "tfoot", "colgroup", "optgroup", "rp",
    "rt",
})  # fmt: skip
ATTRIBUTE = r"[\s/]*+[^\s/>=]++(?:\s*+=\s*+(?:\"[^\"]*+\"?+|'[^']*+'?+|[^\s>]*+))?+"
ATTRIBUTES = re.compile(rf"<[a-z][^\s/>]*+(?:{ATTRIBUTE}){{0,20000}}+(?P<more>{ATTRIBUTE})?", re.IGNORECASE)
VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
})  # fmt: skip


def read_web_page(file: SourceFile) -> Generator[Passage]:
    from selectolax.lexbor import LexborHTMLParser

    markup = whole_text(file, LONGEST_PAGE)
    if len(markup) > LONGEST_PAGE:
        raise FileTooLarge(f"The page has more than {LONGEST_PAGE:,} characters; split it.")
    markup = FORMATTING.sub(r"<\1span", markup)
    _check_tags(markup)
    root = LexborHTMLParser(markup).root
    if root is not None:
        yield from sections(iter(_text(root).split("\n")))


def _check_tags(markup: str) -> None:
    """What the parser's time grows with the square of: elements within each other, and attributes of one element."""
    depth = 0
    for slash, name in TAG.findall(markup):
        if name.lower() not in CLOSED_BY_OTHERS and name.lower() not in VOID:
            depth = max(0, depth - 1) if slash else depth + 1
            if depth > MOST_OPEN:
                raise FileTooLarge(f"The page has more than {MOST_OPEN:,} elements within each other.")
    if any(tag["more"] for tag in ATTRIBUTES.finditer(markup)):
        raise FileTooLarge("An element of the page has more than 20,000 attributes.")


def _text(root: "LexborNode") -> str:
    """No recursion: how deep the tree is says the page."""
    parts: list[str] = []
    waiting: list[LexborNode | str] = [root]
    while waiting:
        if parts and not parts[-1]:
            parts.pop()
        node = waiting.pop()
        if isinstance(node, str):
            parts.append(node)
        elif node.is_text_node:
            parts.append(_words(node, after=parts[-1][-1] if parts else "\n"))
        elif node.is_element_node and not _is_unseen(node):
            before, after = _borders(node.tag or "")
            parts.append(before)
            waiting.append(after)
            waiting.extend(reversed(list(node.iter(include_text=True))))
    return "".join(parts)


def _words(node: "LexborNode", after: str) -> str:
    """Line ends and runs of blanks mean one blank, but in preformatted text."""
    text = node.text_content or ""
    parent = node.parent
    if parent is not None and parent.tag == "pre":
        return text
    text = BLANKS.sub(" ", text)
    return text.lstrip() if after in " \n" else text


def _is_unseen(node: "LexborNode") -> bool:
    if node.tag in UNSEEN:
        return True
    attributes = node.attributes
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or HIDING.search(attributes.get("style") or "") is not None
    )


def _borders(tag: str) -> tuple[str, str]:
    if tag in HEADINGS:
        return f"\n\n{HEADINGS[tag]} ", "\n\n"
    if tag == "li":
        return "\n- ", ""
    if tag == "tr":
        return "\n|", ""
    if tag in ("td", "th"):
        return " ", " |"
    if tag == "br":
        return "\n", ""
    return ("\n\n", "\n\n") if tag in BLOCKS else ("", "")
