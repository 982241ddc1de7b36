from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import UnsupportedFormat
from transformers.file_names import LONGEST_NAME, safe_filename
from transformers.input_plan import check_format
from transformers.tool import InputRole

TABLES = InputRole("primary", ("csv", "parquet"), max_bytes=1000)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("data.csv", "data.csv"),
        ("Data 2024 (final).CSV", "Data 2024 (final).CSV"),
        ("daten für alle.csv", "daten für alle.csv"),
        ("données.csv", "données.csv"),
        ("数据.csv", "数据.csv"),
        ("archive.tar.csv", "archive.tar.csv"),
        ("../../../etc/passwd.csv", "passwd.csv"),
        ("..\\..\\data.csv", "data.csv"),
        ("C:\\Users\\ada\\data.csv", "data.csv"),
        ("/data.csv", "data.csv"),
        ("a/b/../data.csv", "data.csv"),
        ("data%2F..%2Fx.csv", "data_2F.._2Fx.csv"),
        ("da\tta\n.csv", "da_ta_.csv"),
        ("\u202egnp.csv", "_gnp.csv"),
        ('a"b<c>|?*:.csv', "a_b_c_____.csv"),
        (" data.csv ", "data.csv"),
        (".csv", "file.csv"),
        ("..csv", "file.csv"),
        ("...", "file"),
        ("", "file"),
        ("..", "file"),
        ("data", "data"),
    ],
)
def test_a_file_name_becomes_one_safe_segment(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


def test_a_long_name_is_cut_before_its_extension() -> None:
    safe = safe_filename("x" * 500 + ".parquet")

    assert len(safe) == LONGEST_NAME
    assert safe.endswith("x.parquet")


@given(st.text(max_size=300))
def test_whatever_a_file_is_called_its_name_stays_in_its_folder(name: str) -> None:
    safe = safe_filename(name)

    assert 0 < len(safe) <= LONGEST_NAME
    assert PurePosixPath(safe).name == safe == PureWindowsPath(safe).name
    assert not safe.startswith(".")
    assert safe.isprintable()
    assert safe_filename(safe) == safe


@pytest.mark.parametrize("name", ["a.csv", "A.CSV", "a.Parquet", "a.b.csv"])
def test_an_extension_counts_in_either_case(name: str) -> None:
    check_format(TABLES, name)


@pytest.mark.parametrize("name", ["a.txt", "csv", "a.csv.exe", "a.", "a.csv "])
def test_another_extension_or_none_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedFormat):
        check_format(TABLES, name)
