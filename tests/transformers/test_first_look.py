import io
import zipfile
from pathlib import Path

import pytest

from backend.errors import CustomerError, UnreadableFile, UnsupportedFormat
from transformers.first_look import format_of, look_into
from transformers.tool import PRIMARY, TABULAR, InputRole

ROLE = InputRole(PRIMARY, TABULAR, max_bytes=1000)
SCHEMA = InputRole("schema", ("json", "yaml", "yml"), max_bytes=1000, is_table=False)
TABLES_ONLY = InputRole("cross_reference", ("csv", "tsv", "parquet"), max_bytes=1000)


def archive(*names: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as written:
        for name in names:
            written.writestr(name, "x")
    return body.getvalue()


def look(body: bytes, filename: str = "data.csv", role: InputRole = ROLE) -> str:
    return look_into(role, filename, io.BytesIO(body))


def refusal(body: bytes, filename: str = "data.csv", role: InputRole = ROLE) -> CustomerError:
    with pytest.raises(CustomerError) as caught:
        look(body, filename, role)
    assert caught.value.context["role"] == role.name
    assert caught.value.context["filename"] == filename
    return caught.value


@pytest.mark.parametrize(
    ("body", "filename", "found"),
    [
        (b"a,b\n1,2\n", "data.csv", "csv"),
        ("a;b\n1;ü\n".encode("utf-16"), "data.csv", "csv"),
        ("a;b\n1;ü\n".encode("utf-16-le"), "data.csv", "csv"),
        ("größe\n1\n".encode("latin-1"), "data.csv", "csv"),
        (b"a\tb\n", "data.tsv", "tsv"),
        (b'{"a": 1}\n{"a": 2}\n', "data.json", "jsonl"),
        (b'[{"a": 1}]', "data.csv", "json"),
        (b"a,b\n", "data.json", "json"),
        (archive("xl/workbook.xml"), "data.xlsx", "xlsx"),
        (archive("xl/workbook.xml"), "data.csv", "xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "data.xls", "xls"),
        (b"PAR1" + bytes(20) + b"PAR1", "data.parquet", "parquet"),
    ],
)
def test_what_intake_can_read_passes_whatever_its_name_says(body: bytes, filename: str, found: str) -> None:
    assert look(body, filename) == found


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"%PDF-1.4", "'data.csv' looks like a PDF document, not like a table."),
        (b"\x89PNG\r\n\x1a\n", "'data.csv' looks like a PNG image, not like a table."),
        (b"MZ\x90\0" + bytes(99), "'data.csv' looks like a Windows program, not like a table."),
        (b"\x1f\x8b\x08", "'data.csv' looks like a gzip archive; unpack it first, not like a table."),
        (b"<!DOCTYPE html><p>", "'data.csv' looks like a web page or XML, not like a table."),
        (archive("word/document.xml"), "'data.csv' looks like a Word document, which this tool does not read."),
        (bytes(range(256)) * 9, "'data.csv' looks like binary data, not like a table."),
    ],
)
def test_what_is_no_table_is_refused_by_what_it_is(body: bytes, sentence: str) -> None:
    error = refusal(body)
    assert isinstance(error, UnsupportedFormat)
    assert str(error) == sentence


@pytest.mark.parametrize("body", [b"", b"\n\n  \r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_file_is_said_to_be_empty(body: bytes) -> None:
    error = refusal(body)
    assert isinstance(error, UnreadableFile)
    assert "'data.csv' is empty" in str(error)


def test_a_parquet_file_that_was_cut_is_refused() -> None:
    for body in (b"PAR1" + bytes(20), b"PAR1", b"PAR1PAR1"):
        assert "damaged or incomplete" in str(refusal(body, "data.parquet"))


def test_a_workbook_that_was_cut_is_refused() -> None:
    error = refusal(archive("xl/workbook.xml", *map(str, range(50)))[:-200], "data.xlsx")
    assert isinstance(error, UnreadableFile)


def test_a_format_that_the_role_does_not_take_is_refused_with_those_it_takes() -> None:
    assert str(refusal(archive("xl/workbook.xml"), role=TABLES_ONLY)) == (
        "'data.csv' is XLSX; here one of these is needed: csv, tsv, parquet."
    )


def test_a_document_is_any_text() -> None:
    assert look(b"columns:\n  a: int\n", "schema.yaml", SCHEMA) == "yaml"
    assert look(b"{", "schema.JSON", SCHEMA) == "json"
    assert "looks like a PNG image, not like a text" in str(refusal(b"\x89PNG\r\n", "schema.yaml", SCHEMA))
    assert "an archive or workbook" in str(refusal(archive("a"), "schema.yaml", SCHEMA))
    assert "is empty" in str(refusal(b" \n", "schema.yaml", SCHEMA))


def test_the_first_bytes_alone_refuse_what_they_can() -> None:
    assert format_of(ROLE, "data.xlsx", archive("xl/workbook.xml")[:40]) == "xlsx"
    with pytest.raises(UnsupportedFormat):
        format_of(ROLE, "data.csv", b"%PDF")


def test_the_intakes_own_samples_pass(tmp_path: Path) -> None:
    """A real workbook and a real Parquet file."""
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_excel(tmp_path / "t.xlsx", engine="xlsxwriter")
    for name in ("t.parquet", "t.xlsx"):
        assert look((tmp_path / name).read_bytes(), name) == name.partition(".")[2]
