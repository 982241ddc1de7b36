"""Word documents: headings, paragraphs, lists and tables in their order, written as Markdown.

Nothing that the document refers to is opened. Deleted and hidden text is not read; notes and page headers are not
either.
"""

import zipfile
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from backend.errors import UnreadableFile
from transformers.documents.markdown_text import sections
from transformers.documents.office_archive import UNPACKED_LIMIT, XML_LIMIT, check_office_archive
from transformers.documents.passage import Passage
from transformers.intake.reading import SourceFile, blames_the_machine

if TYPE_CHECKING:
    from docx.document import Document

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
SIGNS = {f"{W}tab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}
UNSEEN = {FALLBACK, f"{W}del", f"{W}moveFrom", f"{W}instrText"}  # a text box stands in its choice and in its fallback
DEEPEST_HEADING = 6
# What python-docx lets through from a file that is not as it should be, besides its own errors.
DAMAGE = (zipfile.BadZipFile, AttributeError, LookupError, OSError, TypeError, ValueError)


def read_word(file: SourceFile) -> Generator[Passage]:
    check_office_archive(file.path, unpacked_limit=UNPACKED_LIMIT, xml_limit=XML_LIMIT)
    body, levels = _opened(file)
    yield from sections(line for block in _blocks(body, levels) for line in (*block.split("\n"), ""))


def _opened(file: SourceFile) -> tuple[Any, dict[str, int]]:
    """The document's body, and the level of each style that is a heading's."""
    import docx
    from docx.opc.exceptions import OpcError
    from lxml.etree import LxmlError

    try:
        document = docx.Document(str(file.path))
        return document.element.body, _heading_levels(document)
    except (OpcError, LxmlError, *DAMAGE) as error:
        if blames_the_machine(error):
            raise
        raise UnreadableFile("The document is damaged or incomplete.", detail=repr(error)) from error


def _heading_levels(document: "Document") -> dict[str, int]:
    """By the style's id, which Word translates into the language of its user, as it does not the name."""
    levels = {}
    for style in document.styles.element.iterchildren(f"{W}style"):
        name = style.find(f"{W}name")
        words = (name.get(f"{W}val") or "").lower().split() if name is not None else []
        if words[:1] == ["title"]:
            levels[style.get(f"{W}styleId")] = 1
        elif words[:1] == ["heading"] and len(words) > 1 and words[1].isdecimal():
            levels[style.get(f"{W}styleId")] = min(int(words[1]), DEEPEST_HEADING)
    return levels


def _blocks(parent: Any, levels: dict[str, int]) -> Iterator[str]:
    for element in parent.iterchildren():
        if element.tag == f"{W}p":
            yield _paragraph(element, levels)
        elif element.tag == f"{W}tbl":
            yield "\n".join(_table_rows(element))
        elif element.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}moveTo", f"{W}customXml"):
            yield from _blocks(element, levels)


def _paragraph(element: Any, levels: dict[str, int]) -> str:
    text = _text(element).strip()
    style = element.find(f"{W}pPr/{W}pStyle")
    level = levels.get(style.get(f"{W}val"), 0) if style is not None else 0
    if text and level:
        return f"{'#' * level} {' '.join(text.split())}"
    is_item = element.find(f"{W}pPr/{W}numPr") is not None or (style is not None and "List" in style.get(f"{W}val", ""))
    return f"- {text}" if text and is_item else text


def _table_rows(table: Any) -> Iterator[str]:
    """Cells between bars, as in Markdown; a table within a cell is that cell's text."""
    for row in table.iterchildren(f"{W}tr"):
        cells = (" ".join(_text(cell).split()) for cell in row.iterchildren(f"{W}tc"))
        yield f"| {' | '.join(cells)} |"


def _text(element: Any) -> str:
    """Everything seen in it, in the order in which it stands there. No recursion: how deep it is says the file."""
    parts: list[str] = []
    waiting = [element]
    while waiting:
        node = waiting.pop()
        if node is None:
            parts.append("\n")
        elif node.tag == f"{W}t":
            parts.append(node.text or "")
        elif node.tag in SIGNS:
            parts.append(SIGNS[node.tag])
        elif node.tag not in UNSEEN and not _is_hidden(node):
            if node.tag == f"{W}p":
                waiting.append(None)
            waiting.extend(reversed(list(node)))
    return "".join(parts)


def _is_hidden(node: Any) -> bool:
    if node.tag != f"{W}r":
        return False
    vanish = node.find(f"{W}rPr/{W}vanish")
    return vanish is not None and vanish.get(f"{W}val") not in ("0", "false", "off")
