import json
from typing import Any

import pytest

from backend.clock import monotonic
from backend.language_models.schemas import check_schema, faults_of, read

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name"],
    "additionalProperties": False,
}
WITH_PARTS = {
    "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    "$ref": "#/$defs/node",
}


@pytest.mark.parametrize(
    "schema", [{}, PERSON, WITH_PARTS, {"enum": ["a", None]}, {"type": "array", "uniqueItems": True}]
)
def test_a_schema_may_say_what_it_needs(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"type": "text"}, "no JSON Schema"),
        ({"properties": []}, "no JSON Schema"),
        ({"$ref": "https://example.com/schema.json"}, "not within it"),
        ({"$ref": "file:///etc/passwd"}, "not within it"),
        ({"$ref": "#/$defs/missing"}, "not within it"),
        ({"items": {"$ref": "other.json#/a"}}, "not within it"),
        ({"$id": "https://example.com/"}, r"must not hold \$id"),
        ({"$dynamicRef": "#a"}, r"must not hold \$dynamicRef"),
        ({"patternProperties": {"(a+)+$": {}}}, "must not hold patternProperties"),
        ({"unevaluatedProperties": False}, "must not hold unevaluatedProperties"),
        ({"items": {"unevaluatedItems": {}}}, "must not hold unevaluatedItems"),
        ({"anyOf": [{"pattern": f"a{number}"} for number in range(33)]}, "more than 32 patterns"),
        ({"pattern": "(?=a)b"}, "not understood"),
        ({"pattern": r"(a)\1"}, "not understood"),
        ({"pattern": "("}, "not understood"),
        ({"pattern": "a" * 501}, "longer than 500"),
        ({"description": "x" * 40_000}, "longer than 32768"),
        ({"$ref": "#"}, "itself without end"),
        ({"allOf": [{"$ref": "#"}]}, "itself without end"),
    ],
)
def test_what_could_harm_or_means_nothing_is_refused_with_a_sentence(schema: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        check_schema(schema)
    assert str(caught.value).endswith(".")


def test_so_is_what_is_nested_too_deep() -> None:
    schema: dict[str, Any] = {}
    for _ in range(40):
        schema = {"items": schema}
    with pytest.raises(ValueError, match="nested more than"):
        check_schema(schema)


def test_a_property_may_be_named_like_a_keyword() -> None:
    check_schema({"properties": {"pattern": {"type": "string"}, "$id": {"type": "string"}}})


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"name": "Ada", "age": -1}, "$.age: -1 is less than the minimum of 0"),
        ({"age": 1}, "$: 'name' is a required property"),
        ({"name": "ada"}, "$.name: 'ada' does not match '^[A-Z]'"),
        ("Ada", "$: 'Ada' is not of type 'object'"),
    ],
)
def test_a_fault_says_where_and_what(value: Any, fault: str) -> None:
    assert faults_of(value, PERSON) == [fault]


def test_a_value_that_fits_has_none() -> None:
    assert faults_of({"name": "Ada", "age": 36}, PERSON) == []


def test_a_long_value_is_not_repeated_whole() -> None:
    assert len(faults_of("x" * 10_000, {"type": "object"})[0]) < 400


def test_no_pattern_can_hang_a_worker() -> None:
    schema = {"type": "string", "pattern": "^(a+)+$"}
    check_schema(schema)
    began = monotonic()
    assert faults_of("a" * 30 + "!", schema) != []
    assert monotonic() - began < 5, "2^30 steps take minutes"


def test_no_schema_can_take_for_ever() -> None:
    doubled: dict[str, Any] = {"$defs": {"a0": {"type": "object"}}, "$ref": "#/$defs/a30"}
    for step in range(30):
        doubled["$defs"][f"a{step + 1}"] = {"allOf": [{"$ref": f"#/$defs/a{step}"}, {"$ref": f"#/$defs/a{step}"}]}
    began = monotonic()
    with pytest.raises(ValueError, match="too many steps"):
        check_schema(doubled)
    assert faults_of({}, doubled) == ["The answer is too large to be checked against the schema."]
    assert monotonic() - began < 10


@pytest.mark.parametrize(
    ("keyword", "value"),
    [({"uniqueItems": True}, [[number, "x"] for number in range(10_000)]), ({"pattern": "x"}, "a" * 120_000)],
)
def test_what_goes_through_a_value_letter_by_letter_is_counted_so(keyword: dict[str, Any], value: Any) -> None:
    schema = {"allOf": [keyword] * 1_000}
    check_schema(schema)
    assert faults_of(value, {"allOf": [keyword]}) != ["The answer is too large to be checked against the schema."]
    assert faults_of(value, schema) == ["The answer is too large to be checked against the schema."]


def test_an_answer_that_is_nested_without_end_is_a_fault() -> None:
    value: dict[str, Any] = {}
    for _ in range(900):
        value = {"next": value}
    assert faults_of(value, WITH_PARTS) == ["The answer or the schema is nested without end."]


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ([1, 2], True),
        ([1, 1.0], False),
        ([1, True], True),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], False),
        ([[1], [2]], True),
    ],
)
def test_items_are_unique_by_their_value(items: list[Any], unique: bool) -> None:
    assert (faults_of(items, {"uniqueItems": True}) == []) is unique


def test_many_items_are_compared_in_linear_time() -> None:
    items = [{"number": number} for number in range(20_000)]
    began = monotonic()
    assert faults_of(items, {"uniqueItems": True}) == []
    assert monotonic() - began < 10, "200 million comparisons take longer"


def test_numbers_beyond_a_float_are_a_fault() -> None:
    assert faults_of(10**400, {"multipleOf": 0.1}) == ["A number is too large."]


@pytest.mark.parametrize("content", ['{"a": 1}', ' {"a": 1}\n', '```json\n{"a": 1}\n```', '```\n{"a": 1}```'])
def test_json_is_read_also_from_a_fence(content: str) -> None:
    assert read(content) == {"a": 1}


@pytest.mark.parametrize(
    "content",
    ["{'a': 1}", '{"a": 1,}', '{"a": 1', 'Here it is: {"a": 1}', "NaN", '{"a": Infinity}', "", "{a: 1}", "it's"],
)
def test_what_is_no_json_is_not_mended(content: str) -> None:
    with pytest.raises(ValueError):
        read(content)


@pytest.mark.parametrize(
    "content", ['{"a": 1e400}', "[-1e999]", "[" * 102 + "]" * 102, '{"a":' * 102 + "1" + "}" * 102]
)
def test_what_could_not_be_written_down_again_is_no_json_either(content: str) -> None:
    with pytest.raises(ValueError):
        read(content)
    assert read("[" * 100 + "1.5" + "]" * 100)


def test_an_answers_apostrophes_and_addresses_stay_as_they_are() -> None:
    value = {"url": "http://example.com/?q='a'", "said": 'it\'s "so" {really}'}
    assert read(json.dumps(value)) == value
