from pathlib import Path

import duckdb
import pytest

from backend.errors import BadParameters, UnreadableFile
from transformers.cells.kinds import has_form
from transformers.mastering.contract import ContractType, contract_of, read_contract
from transformers.mastering.contract_checks import check_patterns


def test_a_contract_in_yaml_names_columns_in_a_list(tmp_path: Path) -> None:
    path = tmp_path / "schema"
    path.write_text("columns:\n  - {name: id, type: integer, required: true}\n  - {name: day, type: date}\n")
    contract = read_contract(path)
    assert [column.name for column in contract.columns] == ["id", "day"]
    assert contract.columns[0].type is ContractType.INTEGER
    assert contract.columns[0].required


def test_a_frictionless_schema_and_a_json_schema_say_the_same() -> None:
    frictionless = {"fields": [{"name": "n", "type": "number", "constraints": {"required": True, "minimum": 1}}]}
    json_schema = {"type": "object", "properties": {"n": {"type": ["number", "null"], "minimum": 1}}, "required": ["n"]}
    assert contract_of(frictionless) == contract_of(json_schema)


def test_a_default_that_yaml_reads_as_a_truth_value_stays_text() -> None:
    assert contract_of({"columns": {"a": {"default": True, "enum": [True, 1, "x"]}}}).columns[0].allowed == (
        "true",
        "1",
        "x",
    )


def test_yes_and_no_are_words_in_yaml(tmp_path: Path) -> None:
    path = tmp_path / "schema"
    path.write_text(
        "columns:\n  active: {allowed: [yes, no, on, Off, y], default: no, nullable: no}\n"
        "  land: {allowed: [NO, SE], required: yes}\n  no: {allowed: [true, False], required: false, nullable: yes}\n"
    )
    active, land, no = read_contract(path).columns
    assert (active.allowed, active.default, active.required) == (("yes", "no", "on", "Off", "y"), "no", True)
    assert (land.allowed, land.required) == (("NO", "SE"), True)
    assert (no.name, no.allowed, no.required) == ("no", ("true", "false"), False)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("@", ["a@b", "@"]), ("^a", ["a@b", "ab"]), ("b$|^@", ["a@b", "ab", "@"]), ("^ab$", ["ab"]), ("^$", [])],
)
def test_a_json_schemas_pattern_is_found_anywhere_in_the_cell(pattern: str, fits: list[str]) -> None:
    schema = contract_of({"properties": {"mail": {"type": "string", "pattern": pattern}}})
    with duckdb.connect() as db:
        check_patterns(db, schema)
        test = has_form("cell", schema.columns[0].pattern or "")
        found = db.execute(f"SELECT cell FROM (VALUES ('a@b'), ('ab'), ('@'), ('xx')) v(cell) WHERE {test}").fetchall()
    assert [cell for (cell,) in found] == fits


def test_every_other_contracts_pattern_is_of_the_whole_cell() -> None:
    for key in ("columns", "fields"):
        assert contract_of({key: [{"name": "mail", "pattern": "@"}]}).columns[0].pattern == "@"


@pytest.mark.parametrize("document", [{}, [], {"columns": {}}, {"columns": [{"type": "integer"}]}, "text", 7, None])
def test_a_document_without_columns_is_refused(document: object) -> None:
    with pytest.raises(BadParameters):
        contract_of(document)


def test_an_unknown_type_is_refused_by_the_columns_name() -> None:
    with pytest.raises(BadParameters, match="'size'"):
        contract_of({"columns": [{"name": "size", "type": "blob"}]})


def test_a_column_named_twice_is_refused() -> None:
    with pytest.raises(BadParameters, match="twice"):
        contract_of([{"name": "a"}, {"name": "A"}])


@pytest.mark.parametrize("text", ["{not json", "a: [1, 2", "\t- x\n\t: ", "!!python/object:os.system {}"])
def test_a_document_that_is_no_yaml_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "schema"
    path.write_text(text)
    with pytest.raises(UnreadableFile):
        read_contract(path)
