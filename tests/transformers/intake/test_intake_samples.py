"""Public files with a known truth, or known to break readers; origins and licences are in the shared data."""

import gzip
import json
from pathlib import Path

import pytest
from intake_reading import read, shared

from backend.errors import CustomerError, UnreadableFile, UnsupportedFormat

SPECTRUM = (
    "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "location_coordinates", "newlines",
    "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8",
)  # fmt: skip
# The copy on disk differs from its truth there: a phone number was redacted in one of the two, and CRLF became LF.
REDACTED = "Contact Phone Number"


@pytest.mark.parametrize("name", SPECTRUM)
def test_csv_spectrum_gives_the_cells_of_its_truth(tmp_path: Path, name: str) -> None:
    folder = shared("csv-spectrum")
    truth = json.loads((folder / f"json_{name}.json").read_text().replace("\\r\\n", "\\n"))
    truth = truth if isinstance(truth, list) else [truth]
    got = read(tmp_path, folder / f"csvs_{name}.csv", f"{name}.csv").records
    assert [{**row, REDACTED: ""} for row in got] == [{**row, REDACTED: ""} for row in truth]


SMALL = {  # files with nothing below their first row, and one locked
    "small.csv", "utf8bom.csv", "libreoffice.xlsx", "unicode_sheet_name.xls", "encrypted_no_password.xls",
    "merged-cells.xlsx", "merged-cells-boolean.xls",
}  # fmt: skip


@pytest.mark.parametrize("folder", ["csv-messytables-horror", "csv-frictionless"])
def test_files_known_to_break_readers_load_or_say_why_not(tmp_path: Path, folder: str) -> None:
    for path in sorted(shared(folder).iterdir()):
        if path.suffix == ".txt":
            continue
        scratch = tmp_path / path.name
        scratch.mkdir()
        expected: type[CustomerError] | None = UnsupportedFormat if path.suffix == ".ods" else None
        if path.name in SMALL:
            expected = UnreadableFile
        if expected:
            with pytest.raises(expected):
                read(scratch, path, path.name)
        else:
            assert read(scratch, path, path.name).table.rows > 0


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("csv-messytables-horror/characters.csv", 18, 382),
        ("csv-messytables-horror/excel_pasting.csv", 9, 17),
        ("csv-messytables-horror/mixedGLB.csv", 19, 133),
        ("csv-messytables-horror/utf-16le_encoded.csv", 19, 327),
        ("csv-messytables-horror/example.tsv", 17, 140),
        ("csv-messytables-horror/large.xlsx", 11, 8544),
        ("csv-frictionless/table-with-accents.csv", 8, 638),
        ("csv-frictionless/skip-rows.xlsx", 2, 2),
        ("err-hospital/dirty.csv", 20, 1000),
        ("err-beers/dirty.csv", 11, 2410),
        ("err-flights/dirty.csv", 7, 2376),
        ("er-dblp-acm/dblpclean.csv", 5, 2576),
        ("er-dedupe-restaurant/restaurant-1.csv", 5, 112),
        ("er-febrl/dataset4a.csv", 11, 5000),
    ],
)
def test_real_files_have_the_shape_they_are_known_to_have(tmp_path: Path, name: str, columns: int, rows: int) -> None:
    folder, file = name.split("/")
    table = read(tmp_path, shared(folder) / file, file).table
    assert (len(table.columns), table.rows + table.rejected_rows) == (columns, rows)


@pytest.mark.parametrize(
    "name",
    ["accident2016", "auto", "data_gov_10151_1", "data_gov_3397_1", "inspection_outcomes", "mass_6", "usp05", "survey"],
)
def test_tables_with_annotated_types_have_a_column_for_each_of_them(tmp_path: Path, name: str) -> None:
    folder = shared("type-ptype")
    annotated = json.loads((folder / "annotations.json").read_text())
    content = gzip.decompress((folder / f"{name}.csv.gz").read_bytes())
    table = read(tmp_path, content, f"{name}.csv").table
    assert table.rejected_rows == 0
    assert len(table.columns) == len(annotated.get(name, table.columns))
    assert ("no_header" in {repair.kind for repair in table.repairs}) is (name == "auto")
