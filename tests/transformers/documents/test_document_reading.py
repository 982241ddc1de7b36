import json
import subprocess
import sys
from pathlib import Path

import pytest
from document_reading import read, refusal, text_of, word_file
from pdf_writing import pdf_of

from backend.errors import FileTooLarge, UnreadableFile, UnsupportedFormat
from transformers.documents import reading
from transformers.documents.json_objects import METADATA_FIELDS
from transformers.documents.passage import Passage
from transformers.documents.passage_file import Extent, read_passages, write_passages

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.csv", "a.jsonl", "a.pdf", "a.docx", "a.xlsx", "a"])
@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_error_whatever_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    error = refusal(tmp_path, name, content)

    assert isinstance(error, UnreadableFile)
    assert str(error) == "The document is empty: there is no text in it."
    assert error.context["file"] == name


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", "\u200b\u2060\n\u00ad"), ("a.html", "<html><script>run()</script></html>"), ("a.docx", word_file())],
)
def test_a_document_without_a_visible_sign_is_empty(tmp_path: Path, name: str, content: bytes) -> None:
    assert "empty" in str(refusal(tmp_path, name, content))


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("a.pdf", b"just words", "text"), ("a.docx", pdf_of(["x"]), "PDF"), ("a.txt", pdf_of(["x"]), "PDF"),
     ("a.xlsx", word_file(), "DOCX"), ("a.csv", word_file(), "DOCX")],
)  # fmt: skip
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    error = refusal(tmp_path, name, content)

    assert isinstance(error, UnreadableFile)
    assert name[1:] in str(error)
    assert kind in str(error)


@pytest.mark.parametrize(("content", "first"), [(pdf_of(["Hello"]), "Hello"), (b"<!DOCTYPE html><p>Hi", "Hi")])
def test_a_file_without_a_suffix_is_known_by_its_content(tmp_path: Path, content: bytes, first: str) -> None:
    assert read(tmp_path, "README", content)[0].text == first


def test_many_comments_do_not_keep_the_look_at_a_file_busy(tmp_path: Path) -> None:
    assert read(tmp_path, "page", b"<!-- -->" * 500 + b"<!--x")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.csv", "a"])
def test_an_image_is_no_document(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, name, PNG)

    assert isinstance(error, UnsupportedFormat)
    assert "PNG" in str(error)


def test_json_is_refused_with_the_formats_that_are_taken(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.json", '{"a": 1}')

    assert isinstance(error, UnsupportedFormat)
    assert "jsonl" in str(error)


def test_a_locked_office_document_says_so(tmp_path: Path) -> None:
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")

    assert "password" in str(refusal(tmp_path, "a.docx", locked))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_text_is_read_in_the_encoding_it_was_saved_in(tmp_path: Path, encoding: str) -> None:
    said = "Über die Brücke gehen größere Füße.\nDort blüht für Jörg ein schöner Gärtnerhäuschenzaun."

    assert text_of(tmp_path, "a.txt", said.encode(encoding)) == said


def test_a_long_text_comes_in_passages_that_are_the_text_again(tmp_path: Path) -> None:
    said = "\n\n".join(f"Paragraph {number} says this." for number in range(20_000))
    passages = read(tmp_path, "a.txt", said)

    assert len(passages) > 3
    assert max(len(passage.text) for passage in passages) <= 2**17
    assert text_of(tmp_path, "a.txt", said) == said


def test_a_text_without_any_line_end_is_cut_too(tmp_path: Path) -> None:
    passages = read(tmp_path, "a.txt", "x" * 400_000)

    assert "".join(passage.text for passage in passages) == "x" * 400_000
    assert all(not passage.joint for passage in passages[1:])


def test_more_text_than_a_document_may_have_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_TEXT", 1_000)
    error = refusal(tmp_path, "a.txt", "word " * 300)

    assert isinstance(error, FileTooLarge)
    assert "1,000 characters" in str(error)


def test_more_rows_than_can_be_embedded_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 10)
    error = refusal(tmp_path, "a.csv", "name,age\n" + "ann,3\n" * 11)

    assert isinstance(error, FileTooLarge)
    assert "10 rows" in str(error)
    assert [path.name for path in tmp_path.iterdir()] == ["upload"], "the scratch was not cleared at once"


def test_nothing_is_left_in_the_scratch_folder(tmp_path: Path) -> None:
    for name, content in (("a.txt", "naïve".encode("utf-16")), ("a.csv", b"a,b\n1,2\n")):
        read(tmp_path, name, content)

    assert [path.name for path in tmp_path.iterdir()] == ["upload"]


def test_the_sentence_for_the_customer_names_no_path(tmp_path: Path) -> None:
    for name in ("a.docx", "a.xlsx", "a.pdf"):
        start = b"%PDF-1.7\n" if name == "a.pdf" else b"PK\x03\x04"
        assert str(tmp_path) not in str(refusal(tmp_path, name, start + b"rubbish" * 50))


def test_markdown_keeps_its_structure_and_the_path_of_headings(tmp_path: Path) -> None:
    said = "Before.\n\n# Top\n\nText\n\n## Sub ##\n\n- a\n    - b\n\nUnder\n=====\n\n```\n# no heading\n```"
    passages = read(tmp_path, "a.md", said)

    assert [passage.headings for passage in passages] == [(), ("Top",), ("Top", "Sub"), ("Under",)]
    assert passages[2].text == "## Sub ##\n\n- a\n    - b"
    assert passages[3].text.endswith("```\n# no heading\n```")


@pytest.mark.parametrize("line", ["#hashtag", "    # code", "####### seven", "- item\n---", "\n---"])
def test_what_only_looks_like_a_heading_is_none(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, "a.md", f"text\n\n{line}\n\nmore")[0].headings == ()


def test_a_csv_row_is_a_passage_of_its_columns(tmp_path: Path) -> None:
    passages = read(tmp_path, "a.csv", "name;note\nAnn;likes; rain\n".replace("; ", ", ") + "Bob;\n")

    assert [(passage.text, passage.row) for passage in passages] == [
        ("name: Ann\nnote: likes, rain", 1),
        ("name: Bob", 2),
    ]
    assert all(passage.stands_alone for passage in passages)


def test_a_csv_row_that_does_not_fit_is_not_lost(tmp_path: Path) -> None:
    rows = "".join(f"name{number},{number}\n" for number in range(20))
    passages = read(tmp_path, "a.csv", f"name,age\n{rows}too,many,cells,here\n")

    assert passages[-1].text == "too,many,cells,here"


def test_a_json_object_gives_its_text_and_its_metadata(tmp_path: Path) -> None:
    values = {"text": "To be.", "author": "Will", "year": 1600, "tags": ["a"], "gone": None, "good": True}
    (passage,) = read(tmp_path, "a.jsonl", json.dumps(values))

    assert passage.text == "To be."
    assert passage.metadata == {"author": "Will", "year": 1600, "tags": '["a"]', "good": True}


def test_content_is_a_text_too_and_an_object_without_either_is_its_fields(tmp_path: Path) -> None:
    passages = read(tmp_path, "a.jsonl", '{"content": "One."}\n\n{"a": 1, "b": {"c": "ü"}}\n')

    assert [(passage.text, passage.row) for passage in passages] == [("One.", 1), ('a: 1\nb: {"c": "ü"}', 2)]


@pytest.mark.parametrize("line", ["{broken", "[1]", '"text"', "[" * 100_000])
def test_a_line_that_is_no_json_object_is_named(tmp_path: Path, line: str) -> None:
    assert "Line 2" in str(refusal(tmp_path, "a.jsonl", '{"text": "fine"}\n' + line))


def test_metadata_that_is_too_long_to_repeat_is_left_out(tmp_path: Path) -> None:
    (passage,) = read(tmp_path, "a.jsonl", json.dumps({"text": "x", "blob": "y" * 5_000, "kept": "z"}))

    assert passage.metadata == {"kept": "z"}


def test_an_object_of_endless_fields_is_not_repeated_with_each_chunk(tmp_path: Path) -> None:
    (passage,) = read(tmp_path, "a.jsonl", json.dumps({"text": "x", **{f"f{at}": at for at in range(5_000)}}))

    assert len(passage.metadata) == METADATA_FIELDS


def test_a_line_without_end_is_refused_unparsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transformers.documents.json_objects.ROW_LIMIT", 1_000)

    assert "Line 1 is longer" in str(refusal(tmp_path, "a.jsonl", '{"text": "' + "x" * 2_000))


def test_passages_come_back_from_disk_as_they_were(tmp_path: Path) -> None:
    passages = [Passage("a\u2028b\n", page=1), Passage("é", headings=("x", "y"), metadata={"k": 1.5}, joint="\n")]
    extent = write_passages(passages, tmp_path / "p.jsonl")

    assert list(read_passages(tmp_path / "p.jsonl")) == passages
    assert extent == Extent(passages=2, characters=5)


def test_importing_the_readers_and_chunkers_loads_no_library() -> None:
    heavy = "{'pypdf', 'docx', 'lxml', 'selectolax', 'python_calamine', 'pyarrow', 'ftfy', 'regex'}"
    rooms = "transformers.documents.reading, transformers.documents.passage_file, transformers.chunking.chunk_file"
    splitter = "'semantic_text_splitter'"
    code = f"import sys, transformers.chunking.chunker, {rooms}; print(({heavy} | {{{splitter}}}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())

    assert done.stdout.strip() == "set()"
