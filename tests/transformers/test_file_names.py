"""Names and patterns that a customer says, and the safe names that files bear."""

import pytest

from transformers.file_names import is_meant, safe_filename


@pytest.mark.parametrize(
    ("said", "filename", "meant"),
    [
        ("a.txt", "a.txt", True),
        ("*.txt", "a.txt", True),
        ("?.txt", "a.txt", True),
        ("?.txt", "ab.txt", False),
        ("A.txt", "a.txt", False),
        ("Ada's *.txt", safe_filename("Ada's notes.txt"), True),
        ("a[1].txt", safe_filename("a[1].txt"), True),
        ("a[0-9].txt", "a1.txt", False),
        ("folder/a.txt", "a.txt", True),
        ("Mu\u0308ller.txt", "M\u00fcller.txt", True),
    ],
)
def test_a_file_is_meant_by_its_own_name_or_by_a_pattern(said: str, filename: str, *, meant: bool) -> None:
    assert is_meant(said, filename) is meant


@pytest.mark.parametrize(
    ("said", "safe"),
    [
        ("CON.csv", "_CON.csv"),
        ("nul", "_nul"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("lpt³.txt", "_lpt³.txt"),
        ("console.csv", "console.csv"),
        ("com10.csv", "com10.csv"),
        ("data .csv", "data.csv"),
    ],
)
def test_no_file_bears_the_name_of_one_of_windows_devices(said: str, safe: str) -> None:
    assert safe_filename(said) == safe
    assert is_meant(said, safe)
