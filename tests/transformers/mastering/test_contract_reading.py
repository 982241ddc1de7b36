from pathlib import Path

import pytest

from backend.errors import BadParameters, UnreadableFile
from transformers.mastering.contract import ContractType, contract_of, read_contract


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
