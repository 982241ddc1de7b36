import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from intake_reading import read

from backend.errors import UnsupportedFormat
from transformers.intake import sniff_format
from transformers.intake.formats import archive_format


@pytest.mark.parametrize(
    ("content", "likeness"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "PNG image"),
        (b"\x7fELF\x02\x01\x01" + bytes(500), "Linux program"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "PDF document"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100), "JPEG image"),
        (b"\x1f\x8b\x08\x00" + bytes(range(200)), "gzip archive"),
        (b"SQLite format 3\0" + bytes(100), "SQLite database"),
        (bytes(range(256)) * 40, "binary data"),
        (b"<!DOCTYPE html><html><body>Please sign in</body></html>", "web page"),
        (b"PK\x05\x06" + bytes(18), "binary data"),
        (b"GIF89a\x01\0\x01\0\x80\0\0", "GIF image"),
        (b"BZh9\x17rE8P\x90\0\0\0\0", "bzip2 archive"),
        (b"Rar!\x1a\x07\x01\0", "RAR archive"),
        (b"ARROW1\0\0\xff\xff\xff\xff", "Arrow file"),
        (b"ORC\n\x0b\n\x03\0\0\0", "ORC file"),
    ],
)
def test_a_renamed_binary_is_refused_by_what_it_looks_like(tmp_path: Path, content: bytes, likeness: str) -> None:
    with pytest.raises(UnsupportedFormat, match=likeness):
        read(tmp_path, content, "data.csv")


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        ("a,b\n1,2\n", "DATA.CSV", "csv"),
        ("a,b\n1,2\n", "no_ending", "csv"),
        ("a\tb\n1\t2\n", "data.TSV", "tsv"),
        ('[{"a": 1}]', "data.json", "json"),
        ('[{"a": 1}]', "data.csv", "json"),
        ('{"a": 1}\n{"a": 2}\n', "data.json", "jsonl"),
        ('{"a": 1}\n', "data.jsonl", "jsonl"),
        ('{\n "a": 1\n}', "data.txt", "json"),
        ("[id],name\n1,2\n", "data.csv", "csv"),
        ("{id},name\n1,2\n", "data.csv", "csv"),
        ("oops", "data.json", "json"),
        ("ORCID,name\n0000-0001,Ann\n", "data.csv", "csv"),
        ("FEA1,FEA2\n1,2\n", "data.csv", "csv"),
        ("BZhang,GIF8\n1,2\n", "data.csv", "csv"),
        ("PAR1,PAR2\n1,2\n", "data.csv", "csv"),
    ],
)
def test_content_decides_and_the_name_helps_between_look_alikes(
    tmp_path: Path, content: str, name: str, found: str
) -> None:
    path = tmp_path / "upload"
    path.write_text(content)
    assert sniff_format(path, name) == found


def test_a_format_that_the_role_does_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormat, match="one of these is needed: json, jsonl"):
        read(tmp_path, "a,b\n1,2\n", "data.csv", accepted=("json", "jsonl"))


def test_a_table_with_tabs_is_taken_where_csv_is(tmp_path: Path) -> None:
    got = read(tmp_path, "a\tb\n1\t2\n", "data.tsv", accepted=("csv",))
    assert (got.table.format, got.table.delimiter) == ("csv", "\t")


def test_an_archive_of_countless_files_is_refused_by_its_directory(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(9_000):
            archive.writestr(zipfile.ZipInfo(f"xl/{number:080}"), b"")
    with pytest.raises(UnsupportedFormat, match="more files than a workbook has"):
        archive_format(content)
    with pytest.raises(UnsupportedFormat, match="more files than a workbook has"):
        read(tmp_path, content.getvalue(), "data.xlsx")


def test_the_door_imports_no_heavy_library() -> None:
    heavy = "pandas pyarrow duckdb numpy clevercsv python_calamine charset_normalizer"
    program = f"import sys, transformers.intake; print([m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
