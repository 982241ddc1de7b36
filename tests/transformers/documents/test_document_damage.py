import random
from collections.abc import Callable
from pathlib import Path

import pytest
from document_reading import changed, read, word_file
from pdf_writing import pdf_of
from test_document_archives import workbook

from backend.errors import CustomerError

TRIALS = 40  # more were run by hand: 27,000 without a surprise


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, lost, added or repeated."""
    broken = bytearray(content)
    for _ in range(chance.choice([1, 2, 8])):
        at, other = chance.randrange(len(broken) + 1), chance.randrange(len(broken) + 1)
        match chance.randrange(4):
            case 0:
                broken[at : at + 1] = chance.randbytes(1)
            case 1:
                del broken[at : at + chance.randrange(1, 40)]
            case 2:
                broken[at:at] = chance.choice([b"99999999999", b"<<", b"[", b"(", b"<", b'"', b"\0", b"\xff\xfe"])
            case _:
                broken[at:at] = broken[other : other + 60]
    return bytes(broken)


def in_a_part(archive: bytes, chance: random.Random) -> bytes:
    part = chance.choice(["word/document.xml", "word/_rels/document.xml.rels", "word/styles.xml", "[Content_Types].xml",
                          "xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])  # fmt: skip
    return changed(archive, {part: lambda content: damaged(content, chance)})


@pytest.mark.parametrize(
    ("name", "content", "damage"),
    [
        ("a.pdf", pdf_of(["one page", "two pages"]), damaged),
        ("a.docx", word_file(lambda document: document.add_heading("Top", 1)), in_a_part),
        ("a.xlsx", workbook(one=[["name", "age"], ["Ann", 3]]), in_a_part),
        ("a.html", b"<html><body><h1>T</h1><p style='a:b'>x <a href=q>y</a><table><tr><td>1</table>", damaged),
        ("a.md", b"# a\n\ntext\n```\nx\n```\n- b\n\nS\n===\n", damaged),
        ("a.csv", b'a,b\n1,"x, y"\n2,z\n', damaged),
        ("a.jsonl", b'{"text":"x","m":{"a":[1,2]}}\n{"content":"y"}\n', damaged),
        ("a.txt", "Hä llo\nWörld. “q”".encode(), damaged),
    ],
)
def test_whatever_is_wrong_with_a_file_is_told_to_its_customer(
    tmp_path: Path, name: str, content: bytes, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    chance = random.Random(name)
    for _ in range(TRIALS):
        broken = damage(content, chance)
        try:
            passages = read(tmp_path, name, broken)
        except CustomerError as error:
            assert error.context["file"] == name  # noqa: PT017 (either is well)
        else:
            assert all(passage.text.strip() for passage in passages)
