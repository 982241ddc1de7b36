"""What is decided for all clusters at once, beside what each of them says."""

from itertools import product
from typing import Any

from mastering_chain import rows_of
from workshop import Workshop

from transformers.agents import survivorship_resolver

SAID = [None, "Ulm", "Bonn"]
PAIRS = list(product(SAID, SAID, SAID))


def decisions(workshop: Workshop, **parameters: Any) -> dict[str, list[Any]]:
    """By entity of three rows, which say any three things: value, source row, rule, told, values, confidence."""
    data = {
        "entity": [f"e{i}" for i in range(len(PAIRS)) for _ in SAID],
        "city": [cell for cells in PAIRS for cell in cells],
        "source": [f"s{place}" for _ in PAIRS for place in range(len(SAID))],
    }
    asked = {"match_key_columns": ["entity"], "find_field_groups": False, **parameters}
    file = workshop.deliver(survivorship_resolver.AGENT, data, asked).file("survivorship")
    columns = ["cluster", '"column"', "value", "source_row", "rule", "told", '"values"', "confidence"]
    return {
        f"e{(cluster - 1) // len(SAID)}": found
        for cluster, column, *found in rows_of(file, columns)
        if column == "city"
    }


def test_every_entity_is_decided_by_what_its_own_rows_say(workshop: Workshop) -> None:
    every: list[dict[str, Any]] = [{"default_rule": "frequency"}, {}, {"source_column": "source"}]
    for parameters in every:
        found = decisions(workshop, **parameters)
        for i, cells in enumerate(PAIRS):
            said = [cell for cell in cells if cell]
            assert (f"e{i}" in found) == bool(said)
            if said:
                value, row, rule, told, values, _ = found[f"e{i}"]
                assert (told, values) == (len(said), len(set(said)))
                if row is not None:
                    assert cells[row - 1 - i * len(SAID)] == value
                if values == 1 and told > 1:
                    assert (row, rule) == (1 + i * len(SAID) + cells.index(value), "agreed")


def test_an_only_value_is_called_so_where_a_rule_is_named(workshop: Workshop) -> None:
    found = decisions(workshop, default_rule="first")
    assert found[f"e{PAIRS.index((None, 'Ulm', None))}"][:3] == [
        "Ulm",
        5 + 3 * (PAIRS.index((None, "Ulm", None)) - 1),
        "only_value",
    ]


def test_the_same_cells_are_decided_the_same_with_the_same_confidence(workshop: Workshop) -> None:
    data: dict[str, list[str | None]] = {
        "entity": [f"e{i // 3}" for i in range(90)],
        "city": ["Ulm" if i % 3 else "Bonn" for i in range(90)],
    }
    asked = {"match_key_columns": ["entity"]}
    file = workshop.deliver(survivorship_resolver.AGENT, data, asked).file("survivorship")
    lines = rows_of(file, ['"column"', "value", "rule", "confidence", "(source_row - 1) % 3"])
    assert len({line for line in lines if line[0] == "city"}) == 1
