from typing import Any

import pytest
from mastering_chain import MasteringChain, rows_of
from workshop import Workshop

from backend.errors import BadParameters, UnreadableFile
from transformers.agents import golden_record_builder, lineage_tracer, master_writeback_agent, survivorship_resolver
from transformers.tool import PRIMARY

PEOPLE: dict[str, list[str | None]] = {
    "key": ["a", "b", "a", "a", "c"],
    "name": ["Ann", "Bob", "Ann", "Anm", "Cy"],
    "city": ["Ulm", "Bonn", None, "Ulm", None],
    "seen": ["2024-01-01", "2024-01-05", "2024-03-01", "2024-02-01", "2024-01-01"],
}
KEYS: dict[str, Any] = {"match_key_columns": ["key"]}


def golden_of(workshop: Workshop, parameters: dict[str, Any]) -> dict[str, list[Any]]:
    chain = MasteringChain(workshop, PEOPLE)
    chain.run(survivorship_resolver.AGENT, parameters)
    built = chain.run(golden_record_builder.AGENT)
    return {key: rest for key, *rest in rows_of(built.table, ["key", "name", "city", "seen"])}


def test_an_entity_has_one_record_and_no_row_is_lost(workshop: Workshop) -> None:
    found = golden_of(workshop, KEYS | {"default_rule": "frequency"})
    assert found["a"][:2] == ["Ann", "Ulm"]
    assert found["b"] == ["Bob", "Bonn", "2024-01-05"]
    assert set(found) == {"a", "b", "c"}


def test_a_rule_named_for_a_column_decides_it(workshop: Workshop) -> None:
    rules: dict[str, Any] = {"survivorship_rules": {"name": "freshness", "seen": "max"}, "timestamp_column": "seen"}
    assert golden_of(workshop, KEYS | rules)["a"][::2] == ["Ann", "2024-03-01"]
    last: dict[str, Any] = {"survivorship_rules": {"name": "last"}, "default_rule": "first"}
    assert golden_of(workshop, KEYS | last)["a"] == ["Anm", "Ulm", "2024-01-01"]


def test_a_rule_that_needs_a_column_asks_for_it(workshop: Workshop) -> None:
    with pytest.raises(BadParameters, match="timestamp_column"):
        workshop.deliver(survivorship_resolver.AGENT, PEOPLE, KEYS | {"default_rule": "freshness"})
    with pytest.raises(BadParameters, match="no column"):
        workshop.deliver(survivorship_resolver.AGENT, PEOPLE, {"match_key_columns": ["nothing"]})


def test_fields_that_belong_together_come_from_one_row(workshop: Workshop) -> None:
    data = {
        "key": ["a", "a", "a", "a"],
        "city": ["Ulm", "Ulm", "Bonn", "Kiel"],
        "postcode": ["89073", "53111", "53111", "24103"],
    }
    parameters = KEYS | {"default_rule": "frequency", "field_groups": [["city", "postcode"]]}
    chain = MasteringChain(workshop, {name: values[:1] + values[2:] + values[2:] for name, values in data.items()})
    chain.run(survivorship_resolver.AGENT, parameters)
    built = chain.run(golden_record_builder.AGENT)
    pair = rows_of(built.table, ["city", "postcode"])[0]
    assert pair in set(zip(data["city"], data["postcode"], strict=True))


def test_every_golden_cell_names_its_source_row_and_rule(workshop: Workshop) -> None:
    chain = MasteringChain(workshop, PEOPLE)
    chain.run(survivorship_resolver.AGENT, KEYS | {"default_rule": "frequency"})
    chain.run(golden_record_builder.AGENT)
    traced = chain.run(lineage_tracer.AGENT)
    lines = rows_of(traced.file("lineage"), ['"column"', "value", "source_row", "rule", "source_rows", "explained"])
    assert ("name", "Ann", 1, "frequency", [1, 3], True) in lines
    assert ("*", None, 2, "only_record", [2], True) in lines
    assert all(explained for *_, explained in lines)
    assert traced.result.summary_metrics["unexplained_cells"] == 0


def test_the_builder_clusters_by_itself_where_the_resolver_did_not_run(workshop: Workshop) -> None:
    built = workshop.deliver(golden_record_builder.AGENT, PEOPLE, {"match_key_weights": {"key": 1}})
    assert built.table is not None
    assert built.table.rows == 3
    assert len(rows_of(built.file("cross_reference"))) == 5


def test_an_entity_keeps_its_id_when_the_file_comes_in_another_order(workshop: Workshop) -> None:
    chain = MasteringChain(workshop, {"row_id": ["1", "2", "3", "4", "5"]} | PEOPLE)
    chain.run(survivorship_resolver.AGENT, KEYS)
    first = chain.run(golden_record_builder.AGENT)
    known = rows_of(first.file("cross_reference"), ["golden_id", "source_key"])
    reference = workshop.table({"golden_id": [i for i, _ in known], "source_key": [k for _, k in known]})
    reference = reference.model_copy(update={"role": "cross_reference"})
    later = {"row_id": ["6", "5", "4", "3", "2", "1"]} | {
        name: ["Dan", *reversed(values)] for name, values in PEOPLE.items()
    }
    again = MasteringChain(workshop, later)
    again.run(survivorship_resolver.AGENT, KEYS)
    second = again.run(golden_record_builder.AGENT, tables={"cross_reference": reference})
    before, after = dict(rows_of(first.table, ["key", "golden_id"])), dict(rows_of(second.table, ["key", "golden_id"]))
    assert {key: after[key] for key in before} == before
    assert second.result.data["identities"]["new"] == 1


def test_a_cross_reference_that_is_none_is_refused(workshop: Workshop) -> None:
    other = workshop.table({"x": ["1"]}).model_copy(update={"role": "cross_reference"})
    tables = {PRIMARY: workshop.table(PEOPLE), "cross_reference": other}
    with pytest.raises(UnreadableFile, match="cross-reference"):
        workshop.deliver(golden_record_builder.AGENT, tables[PRIMARY], {"match_key_weights": {"key": 1}}, tables=tables)


def test_the_golden_file_and_the_cross_reference_are_written_and_checked(workshop: Workshop) -> None:
    chain = MasteringChain(workshop, PEOPLE, name="people.csv")
    chain.run(survivorship_resolver.AGENT, KEYS)
    chain.run(golden_record_builder.AGENT)
    written = chain.run(master_writeback_agent.AGENT)
    assert written.result.summary_metrics["checks_failed"] == 0
    assert [file.name for file in written.files][:2] == ["people_golden.csv", "people_cross_reference.csv"]
    assert written.files[0].path.read_text(encoding="utf-8").count("\n") == 4
    assert written.files[1].path.read_text(encoding="utf-8").count("\n") == 6
