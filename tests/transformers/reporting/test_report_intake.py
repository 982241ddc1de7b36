"""What intake repaired and set aside reaches the customer."""

from pathlib import Path

from transformers.intake import read_table
from transformers.reporting.intake import REJECTED_ROWS, intake_result, write_rejected_rows
from transformers.tables import Table
from transformers.tool import TABULAR


def table(tmp_path: Path, body: str) -> Table:
    source = tmp_path / "people.csv"
    source.write_text(body, encoding="utf-8")
    return read_table(source, role="primary", name="people.csv", accepted=TABULAR, folder=tmp_path)


def test_a_file_that_was_read_as_it_is_needs_no_word(tmp_path: Path) -> None:
    clean = table(tmp_path, "name,age\nAda,36\nGrace,85\n")
    assert intake_result([clean]) is None
    assert not write_rejected_rows([clean], tmp_path)


def test_every_repair_is_an_issue_that_names_its_rows(tmp_path: Path) -> None:
    result = intake_result([table(tmp_path, "name,age\nAda,36\nGrace\nMary,53\nAlan,41\n")])
    assert result is not None
    (issue,) = result.issues
    assert issue.issue_type == "ragged_short"
    assert issue.message.startswith("people.csv: ")
    assert issue.message.endswith("Rows: 2.")
    assert result.issue_summary.total_issues == 1


def test_rows_that_were_set_aside_are_an_alert_and_a_file_no_spreadsheet_computes(tmp_path: Path) -> None:
    ragged = table(tmp_path, "name,age\nAda,36\n=1+1,2,3,4\nMary,53\nAlan,41\nGrace,85\n")
    result = intake_result([ragged])
    assert result is not None
    (alert,) = result.alerts
    assert "1 row was set aside" in alert.message
    assert write_rejected_rows([ragged], tmp_path)
    header, row = (tmp_path / REJECTED_ROWS).read_text(encoding="utf-8").splitlines()
    assert header == "role,source_row,reason,raw"
    assert row.startswith("primary,2,")
    assert "'=1+1" in row
