import csv
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from random_chains import run_chain
from workshop import Workshop

from transformers.agents.cleanse_writeback import AGENT
from transformers.cleaning.rules import CHANGE_LOG
from transformers.intake import read_table
from transformers.tables import Table
from transformers.tool import PRIMARY, TABULAR, Delivery

CHAIN = [(("trim", 1), ("by_condition", 2)), (("edit", 0), ("by_number", 1))]
TEXTS = {
    "plain": b'a,b,c\r\n1, x,"p,q"\r\n2,y,r\r\n3, z ,s\r\n',
    "semicolons in Latin": 'a;b;c\n1; ü;p\n2;é;"r;s"\n3;à;t\n'.encode("cp1252") + "4;ñüéàö;ß\n".encode("cp1252") * 5,
    "quoted, with a mark": b'\xef\xbb\xbf"a","b","c"\n"1"," x","p"\n"2","y","r"\n"3","z","s"\n',
    "tabs": b"a\tb\tc\n1\t x\tp\n2\ty\tr\n3\tz\ts\n",
    "UTF-16": "\ufeffa,b,c\r\n1, x,p\r\n2,y,r\r\n3,z,s\r\n".encode("utf-16-le"),
}


def sent(workshop: Workshop, name: str, content: bytes) -> tuple[Path, Table]:
    source = workshop.folder / name
    source.write_bytes(content)
    folder = workshop.folder / "intake"
    folder.mkdir()
    return source, read_table(source, role=PRIMARY, name=name, accepted=TABULAR, folder=folder)


def written_back(workshop: Workshop, source: Path | None, table: Table, chain: list[Any]) -> tuple[Table, Delivery]:
    final, earlier = run_chain(workshop.folder, table, chain)
    return final, workshop.deliver(AGENT, final, original=table, source=source, earlier=tuple(earlier))


def rows(table: Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(table.path, columns=list(table.columns)).to_pylist()
    return [{name: cell or None for name, cell in row.items()} for row in found]


def read_again(workshop: Workshop, delivery: Delivery) -> Table:
    path = delivery.file("data")
    assert path is not None
    folder = workshop.folder / "again"
    folder.mkdir()
    return read_table(path, role=PRIMARY, name=path.name, accepted=TABULAR, folder=folder)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_comes_back_as_it_was_written_and_reads_as_the_cleaned_table(workshop: Workshop, name: str) -> None:
    source, table = sent(workshop, "orders.csv", TEXTS[name])
    final, delivery = written_back(workshop, source, table, CHAIN)
    again = read_again(workshop, delivery)
    assert rows(again) == rows(final)
    assert (again.encoding, again.delimiter) == (table.encoding, table.delimiter)
    assert delivery.result.summary_metrics["checks_passed"] == 6
    path = delivery.file("data")
    assert path is not None
    assert path.name == "orders_cleaned.csv"


@pytest.mark.parametrize("name", ["plain", "quoted, with a mark", "tabs", "UTF-16"])
def test_what_nobody_changed_is_the_same_bytes(workshop: Workshop, name: str) -> None:
    source, table = sent(workshop, "orders.csv", TEXTS[name])
    _, delivery = written_back(workshop, source, table, [])
    path = delivery.file("data")
    assert path is not None
    assert path.read_bytes() == source.read_bytes()


def test_a_sign_that_the_encoding_lacks_makes_the_file_utf8_and_says_so(workshop: Workshop) -> None:
    source, table = sent(workshop, "orders.csv", TEXTS["semicolons in Latin"])
    changed = table.model_copy(update={"path": workshop.folder / "changed.parquet"})
    cells = pq.read_table(table.path)
    pq.write_table(cells.set_column(1, "b", pa.array(["Ω"] * cells.num_rows)), changed.path)
    delivery = workshop.deliver(AGENT, changed, original=changed, source=source)
    path = delivery.file("data")
    assert path is not None
    assert "Ω" in path.read_text(encoding="utf-8")
    assert any("UTF-8" in note for note in delivery.result.data["notes"])


def test_json_keeps_numbers_strings_and_objects_apart(workshop: Workshop) -> None:
    items = [{"n": 1.5, "s": "007", "o": {"t": True, "l": [1, 2]}}, {"n": 2, "s": "8", "o": {"t": None, "l": []}}]
    source, table = sent(workshop, "items.json", json.dumps(items).encode())
    _, delivery = written_back(workshop, source, table, [])
    path = delivery.file("data")
    assert path is not None
    assert json.loads(path.read_bytes()) == items


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_a_json_value_that_nobody_changed_is_written_as_it_was(workshop: Workshop, kind: str) -> None:
    rows = [
        '{"n": 1.10, "e": 1E5, "long": 0.12345678901234567890, "mixed": "10000", "o": {"t": 1, "l": [1, 2.50]}}',
        '{"n": 2, "e": -0, "long": 1, "mixed": 10000, "o": {"t": null}}',
        '{"n": null, "mixed": true, "o": {"t": "x \\" \\u2028"}, "late": {"n": "1.0"}}',
    ]
    wide = [f'{{"n": 1, "mixed": {number}}}' for number in range(8000)] + ['{"mixed": "10000"}']
    text = "\n".join([*rows, *wide]) if kind == "jsonl" else "[" + ",\n".join([*rows, *wide]) + "]"
    source, table = sent(workshop, f"items.{kind}", text.encode())
    _, delivery = written_back(workshop, source, table, [])
    path = delivery.file("data")
    assert path is not None
    told, wanted = path.read_text(encoding="utf-8"), [*rows, *wide]
    lines = told.split("\n")[:-1] if kind == "jsonl" else told.removeprefix("[\n").removesuffix("\n]\n").split(",\n")
    read: dict[str, Any] = {"parse_float": str, "parse_int": lambda text: f"int {text}"}
    assert [json.loads(line, **read) for line in lines] == [json.loads(line, **read) for line in wanted]


def test_a_changed_json_value_is_bare_only_where_its_column_is(workshop: Workshop) -> None:
    lines = b'{"a": 1, "b": " x", "c": " 1"}\n{"a": 22, "b": 2, "c": "2"}\n'
    source, table = sent(workshop, "items.jsonl", lines)
    _, delivery = written_back(workshop, source, table, [(("edit", 0), ("edit", 1), ("trim", 2))])
    path = delivery.file("data")
    assert path is not None
    assert path.read_text(encoding="utf-8").split("\n")[:2] == [
        '{"a":1,"b":" x","c":"1"}',
        '{"a":0,"b":"1","c":"2"}',
    ]


def test_json_lines_come_back_as_json_lines(workshop: Workshop) -> None:
    source, table = sent(workshop, "items.jsonl", b'{"a": 1, "b": " x"}\n{"a": 2, "b": "\\u2028"}\n')
    final, delivery = written_back(workshop, source, table, [(("trim", 1),)])
    path = delivery.file("data")
    assert path is not None
    assert path.name == "items_cleaned.jsonl"
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]] == [
        {"a": 1, "b": "x"},
        {"a": 2, "b": "\u2028"},
    ]
    assert final.rows == 2


def test_a_workbook_keeps_its_sheet_its_numbers_and_its_dates(workshop: Workshop) -> None:
    source = workshop.folder / "book.xlsx"
    with xlsxwriter.Workbook(str(source)) as book:
        sheet, day = book.add_worksheet("Orders"), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, ["id", "amount", "day", "code"])
        for row in range(1, 5):
            sheet.write_row(row, 0, [row, row + 0.5])
            sheet.write_datetime(row, 2, datetime(2024, 1, row, tzinfo=UTC).replace(tzinfo=None), day)
            sheet.write_string(row, 3, f"00{row}")
    source, table = sent(workshop, "book.xlsx", source.read_bytes())
    final, delivery = written_back(workshop, source, table, [])
    again = read_again(workshop, delivery)
    assert again.sheet == "Orders"
    assert rows(again) == rows(final)
    path = delivery.file("data")
    assert path is not None
    sheet_xml = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()
    assert "<v>1.5</v>" in sheet_xml


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("Orders of the northern region, 2024", "Orders of the northern region, "),
        ("Sales [north]: 1/2?*\\", "Sales _north__ 1_2___"),
        ("'Orders'", "Orders"),
        ("''", "Sheet1"),
        ("😀" * 20, "😀" * 15),
        ("Orders", "Orders"),
    ],
)
def test_a_sheets_name_that_excel_does_not_allow_is_changed_and_told(
    workshop: Workshop, name: str, allowed: str
) -> None:
    source = workshop.folder / "book.xlsx"
    with xlsxwriter.Workbook(str(source)) as book:
        sheet = book.add_worksheet("Orders")
        sheet.write_row(0, 0, ["id", "amount"])
        for row in range(1, 5):
            sheet.write_row(row, 0, [row, row + 0.5])
    source, table = sent(workshop, "book.xlsx", source.read_bytes())
    _, delivery = written_back(workshop, source, table.model_copy(update={"sheet": name}), [])
    assert read_again(workshop, delivery).sheet == allowed
    told = [note for note in delivery.result.data["notes"] if "does not allow the sheet's name" in note]
    assert bool(told) == (name != allowed)


def test_parquet_keeps_its_types_and_loses_our_row_numbers(workshop: Workshop) -> None:
    data = pa.table({"n": pa.array([1, None, 3], pa.int32()), "f": [0.5, None, 1.5]})
    table = workshop.table(data, format="parquet", name="data.parquet")
    _, delivery = written_back(workshop, None, table, [])
    path = delivery.file("data")
    assert path is not None
    assert pq.read_table(path).cast(data.schema).equals(data)


def test_every_change_is_in_the_log_and_every_stage_in_the_archive(workshop: Workshop) -> None:
    source, table = sent(workshop, "orders.csv", TEXTS["plain"])
    _, delivery = written_back(workshop, source, table, CHAIN)
    log = delivery.file(CHANGE_LOG)
    assert log is not None
    with log.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [(line["agent"], line["source_row"], line["column"], line["old"], line["new"]) for line in lines] == [
        ("agent-0", "1", "b", " x", "x"),
        ("agent-0", "3", "b", " z ", "z"),
        ("agent-1", "2", "a", "2", "0"),
    ]
    archive = delivery.file("recipe")
    assert archive is not None
    names = zipfile.ZipFile(archive).namelist()
    assert "01-agent-0/changes.parquet" in names
    assert "source/primary.recipe.parquet" in names


def test_a_chain_that_lost_a_row_does_not_pass(workshop: Workshop) -> None:
    source, table = sent(workshop, "orders.csv", TEXTS["plain"])
    final, earlier = run_chain(workshop.folder, table, CHAIN)
    rows_left = pq.read_table(final.path)
    pq.write_table(rows_left.slice(1), final.path)
    delivery = workshop.deliver(AGENT, final, original=table, source=source, earlier=tuple(earlier))
    failed = {check["name"] for check in delivery.result.data["checks"] if not check["passed"]}
    assert {"rows_add_up", "input_comes_back"} <= failed
    assert {alert.severity.value for alert in delivery.result.alerts} == {"critical"}


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "xlsx", "parquet"])
def test_a_table_without_columns_is_written_too(workshop: Workshop, kind: str) -> None:
    table = workshop.table({"a": ["1", "2"]}, format=kind, name=f"data.{kind}")
    bare = table.model_copy(update={"columns": (), "path": workshop.folder / "bare.parquet"})
    pq.write_table(pq.read_table(table.path).drop_columns(["a"]), bare.path)
    assert workshop.deliver(AGENT, bare, original=bare).file("data") is not None
