from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from workshop import Workshop

from backend.errors import BadParameters, MemoryLimit
from transformers.agents.cleanse_previewer import AGENT as PREVIEWER
from transformers.agents.duplicate_resolver import AGENT
from transformers.cleaning import fuzzy_duplicates
from transformers.cleaning.rules import SET_ASIDE
from transformers.matching import ModelSummary, Resolution
from transformers.tables import SOURCE_ROW
from transformers.tool import Delivery

Data = Mapping[str, Sequence[str | None]]
PEOPLE: Data = {
    "id": ["1", "2", "3", "4", "5", "6"],
    "name": ["Ann Lee", "Bob Ray", "Cid Fox", "Dee Orr", "Eve Poe", "Fay Kim"],
    "mail": ["ann@x.com", "bob@x.com", "cid@x.com", "dee@x.com", "eve@x.com", "fay@x.com"],
    "city": ["Rome", "Oslo", "Bern", "Kyiv", "Lima", "Bonn"],
}


def and_also(*rows: Sequence[str | None]) -> Data:
    return {name: [*cells, *(row[at] for row in rows)] for at, (name, cells) in enumerate(PEOPLE.items())}


def aside(delivery: Delivery) -> list[tuple[int, str, int]]:
    """(row, rule, row that stays)."""
    path = delivery.file(SET_ASIDE)
    if path is None:
        return []
    rows = pq.read_table(path).to_pylist()
    return [(row[SOURCE_ROW], row["__rule__"], row["__kept_row__"]) for row in rows]


def left(delivery: Delivery, row: int) -> dict[str, Any]:
    assert delivery.table is not None
    [found] = [one for one in pq.read_table(delivery.table.path).to_pylist() if one[SOURCE_ROW] == row]
    return found


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (["1", "Ann Lee", "ann@x.com", "Rome"], "exact"),
        (["1", "ANN LEE ", "ann@x.com", "Rome"], "case_variation"),
        (["1", "Ann Lee", "Ann@X.com", "Rome"], "email_case"),
        (["1", "Ann Lee", "ann@x.com", None], "missing_values"),
    ],
)
def test_a_row_that_says_nothing_new_goes_and_names_the_row_that_stays(
    workshop: Workshop, row: list[str | None], kind: str
) -> None:
    assert aside(workshop.deliver(AGENT, and_also(row))) == [(7, kind, 1)]


def test_rows_that_contradict_each_other_stay_where_no_key_was_given(workshop: Workshop) -> None:
    data = and_also(["1", "Ann Lee", "ann@x.com", "Paris"])
    assert aside(workshop.deliver(AGENT, data, {"fuzzy": "off"})) == []


def test_with_a_key_the_first_of_the_contradicting_rows_stays(workshop: Workshop) -> None:
    data = and_also(["1", "Ann Lee", "ann@x.com", "Paris"])
    assert aside(workshop.deliver(AGENT, data, {"key_columns": ["id"]})) == [(7, "conflicting", 1)]


def test_or_the_last_one_where_that_was_asked_for(workshop: Workshop) -> None:
    data = and_also(["1", "Ann Lee", "ann@x.com", "Paris"])
    parameters = {"key_columns": ["id"], "conflict_resolution": "keep_last"}
    assert aside(workshop.deliver(AGENT, data, parameters)) == [(1, "conflicting", 7)]


def test_a_row_that_would_take_something_with_it_is_flagged(workshop: Workshop) -> None:
    data = and_also(["7", None, "gil@x.com", "Graz"], ["7", "Gil Tan", "gil@x.com", None])
    delivery = workshop.deliver(AGENT, data, {"key_columns": ["id"], "fuzzy": "off"})
    assert aside(delivery) == []
    assert delivery.result.issue_summary.by_type == {"possible_duplicate": 1}


def test_merged_smartly_the_row_that_stays_takes_over_what_it_misses(workshop: Workshop) -> None:
    data = and_also(["7", None, "gil@x.com", "Graz"], ["7", "Gil Tan", "gil@x.com", None])
    delivery = workshop.deliver(AGENT, data, {"key_columns": ["id"], "merge_strategy": "merge_smart"})
    assert aside(delivery) == [(8, "missing_values", 7)]
    assert left(delivery, 7)["name"] == "Gil Tan"


def test_merged_by_vote_the_most_frequent_value_wins(workshop: Workshop) -> None:
    data = and_also(["1", "Ann Lee", "ann@x.com", "Paris"], ["1", "Ann Lee", "ann@x.com", "Paris"])
    delivery = workshop.deliver(AGENT, data, {"key_columns": ["id"], "conflict_resolution": "merge_smart"})
    assert [row for row, *_ in aside(delivery)] == [7, 8]
    assert left(delivery, 1)["city"] == "Paris"


def test_a_missing_key_matches_only_a_missing_key_and_only_where_asked(workshop: Workshop) -> None:
    data = and_also([None, "Gil Tan", "gil@x.com", "Graz"], [None, "Gil Tan", "gil@x.com", "Graz"])
    ignoring = workshop.deliver(AGENT, data, {"key_columns": ["id"], "fuzzy": "off"})
    matching = workshop.deliver(AGENT, data, {"key_columns": ["id"], "null_handling": "match_nulls"})
    assert aside(ignoring) == []
    assert aside(matching) == [(8, "exact", 7)]


@pytest.mark.parametrize("kind", ["exact", "case_variations", "email_case", "missing_values"])
def test_a_kind_that_is_not_looked_for_stays(workshop: Workshop, kind: str) -> None:
    rows = {
        "exact": ["1", "Ann Lee", "ann@x.com", "Rome"],
        "case_variations": ["1", "ANN LEE", "ann@x.com", "Rome"],
        "email_case": ["1", "Ann Lee", "Ann@X.com", "Rome"],
        "missing_values": ["1", "Ann Lee", "ann@x.com", None],
    }
    delivery = workshop.deliver(AGENT, and_also(rows[kind]), {f"detect_{kind}": False, "fuzzy": "off"})
    assert aside(delivery) == []


def test_an_incomplete_row_that_chance_explains_stays(workshop: Workshop) -> None:
    data = {"a": ["x", "y"] * 20, "b": ["u", "u", "v", "v"] * 10, "c": [str(i) for i in range(39)] + [None]}
    assert aside(workshop.deliver(AGENT, data, {"fuzzy": "off"})) == []


def test_an_incomplete_row_points_past_incomplete_ones_to_the_row_that_stays(workshop: Workshop) -> None:
    data = and_also(["1", "Ann Lee", None, "Rome"], ["1", "Ann Lee", None, None])
    assert {kept for _, _, kept in aside(workshop.deliver(AGENT, data))} == {1}


def test_a_key_that_the_table_does_not_have_is_the_customers_to_mend(workshop: Workshop) -> None:
    with pytest.raises(BadParameters):
        workshop.run(AGENT, PEOPLE, key_columns=["nowhere"])


def resolved_to(*clusters: Sequence[int], limited: tuple[str, ...] = ()) -> Any:
    """An entity resolver that finds these."""

    def resolve(db: Any, *_: Any) -> Resolution:
        rows = ", ".join(f"({row}, {at}, 0.9)" for at, cluster in enumerate(clusters) for row in cluster)
        found = f"SELECT * FROM (VALUES {rows}) found(source_row, cluster, probability)"
        db.execute(f"CREATE OR REPLACE TEMP TABLE found_clusters AS {found}")
        facts = dict.fromkeys(ModelSummary.model_fields, 0) | dict.fromkeys(TUPLES, ()) | {"limited": limited}
        summary = ModelSummary.model_validate(facts)
        return Resolution(clusters="found_clusters", pairs="", entities=len(clusters), summary=summary)

    return resolve


TUPLES = ("blocking_rules", "fields", "left_out", "dependent", "limited")


def test_an_entity_keeps_a_row_though_its_first_one_goes_as_an_ordinary_duplicate(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzzy_duplicates, "resolve_entities", resolved_to([1, 2, 7]))
    data = and_also(["1", "Ann Lee", "ann@x.com", "Rome"])
    delivery = workshop.deliver(
        AGENT, data, {"fuzzy": "remove", "key_columns": ["id"], "conflict_resolution": "keep_last"}
    )
    assert aside(delivery) == [(1, "exact", 7), (7, "fuzzy_duplicate", 2)]


@pytest.mark.parametrize(("limited", "left"), [((), 1), (("memory was short",), 0)])
def test_what_a_preview_found_with_too_little_memory_is_not_left_for_the_run(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, limited: tuple[str, ...], left: int
) -> None:
    monkeypatch.setattr(fuzzy_duplicates, "resolve_entities", resolved_to([1, 2], limited=limited))
    delivery = workshop.deliver(PREVIEWER, PEOPLE, forms={AGENT.id: AGENT.parameters()})
    assert len(delivery.files) == left


@pytest.mark.parametrize("error", [duckdb.OutOfMemoryException, MemoryLimit])
def test_where_the_memory_does_not_suffice_for_likely_duplicates_the_others_are_found(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: Any) -> None:
        raise error("too much")

    monkeypatch.setattr(fuzzy_duplicates, "resolve_entities", fail)
    delivery = workshop.deliver(AGENT, and_also(["1", "Ann Lee", "ann@x.com", "Rome"]))
    assert aside(delivery) == [(7, "exact", 1)]
    assert delivery.result.data["fuzzy"]["looked"] is False
    assert "memory" in delivery.result.data["fuzzy"]["reason"]


def test_codes_that_differ_in_case_are_two(workshop: Workshop) -> None:
    data = and_also(["dQw4w9WgXcQ", "Ann Lee", "ann@x.com", "Rome"], ["dqw4w9wgxcq", "Ann Lee", "ann@x.com", "Rome"])
    assert aside(workshop.deliver(AGENT, data, {"fuzzy": "off"})) == []
    assert aside(workshop.deliver(AGENT, data, {"fuzzy": "off", "key_columns": ["id"]})) == []


def test_an_address_in_capitals_is_the_same_address(workshop: Workshop) -> None:
    data = and_also(["1", "Ann Lee", "ann@x.com", "12 Main St"], ["1", "Ann Lee", "ann@x.com", "12 MAIN ST"])
    assert aside(workshop.deliver(AGENT, data, {"fuzzy": "off"})) == [(8, "case_variation", 7)]


def test_a_row_that_filled_another_says_so(workshop: Workshop) -> None:
    data = and_also(["7", "Gil Tan", None, "Graz"], ["7", "Gil Tan", "gil@x.com", None])
    asked = {"key_columns": ["id"], "merge_strategy": "merge_smart", "fuzzy": "off"}
    path = workshop.deliver(AGENT, data, asked).file(SET_ASIDE)
    assert path is not None
    [row] = pq.read_table(path).to_pylist()
    assert row["__reason__"] == "What only this row says fills row 7."
