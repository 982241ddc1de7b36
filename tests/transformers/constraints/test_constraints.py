import json
import re
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
import yaml
from workshop import Workshop

from transformers.agents.unified_profiler import AGENT
from transformers.constraints import Constraint, ConstraintKind, suggest_constraints
from transformers.constraints.shapes import as_python, pattern_of
from transformers.profiling.table_profile import Lengths, TableProfile

KIND = ConstraintKind
ROWS = 200
DATA: dict[str, list[str | None]] = {
    "order_id": [str(i) for i in range(ROWS)],
    "code": [f"AB-{i:04}" for i in range(ROWS)],
    "amount": [f"{i / 8:.2f}" for i in range(ROWS)],
    "status": ["paid", "open"] * (ROWS // 2),
    "note": [None if i % 3 else "a word" for i in range(ROWS)],
    "day": [(date(2024, 1, 1) + timedelta(i)).isoformat() for i in range(ROWS)],
    "city": [f"City {i % 20}" for i in range(ROWS)],
    "country": [f"Land {i % 20 // 4}" for i in range(ROWS)],
}


def profile(workshop: Workshop, data: Any) -> TableProfile:
    return TableProfile.model_validate(workshop.run(AGENT, data).data)


@pytest.fixture
def found(workshop: Workshop) -> dict[tuple[ConstraintKind, tuple[str, ...]], Constraint]:
    return {(c.kind, c.columns): c for c in suggest_constraints(profile(workshop, DATA))}


def test_each_kind_of_rule_is_found_where_the_cells_keep_it(
    found: dict[tuple[ConstraintKind, tuple[str, ...]], Constraint],
) -> None:
    assert found[KIND.UNIQUE, ("order_id",)].support == ROWS
    assert found[KIND.RANGE, ("amount",)].arguments == {"minimum": 0.0, "maximum": 24.88}
    assert found[KIND.ALLOWED_VALUES, ("status",)].arguments == {"values": ["open", "paid"]}
    assert found[KIND.LENGTH, ("code",)].arguments == {"minimum": 7, "maximum": 7}
    assert found[KIND.TYPE, ("day",)].arguments == {"logical_type": "date"}
    assert (KIND.NOT_NULL, ("note",)) not in found
    assert found[KIND.DEPENDENCY, ("city", "country")].confidence > 0.9


def test_a_pattern_holds_for_every_cell_in_both_syntaxes(
    found: dict[tuple[ConstraintKind, tuple[str, ...]], Constraint],
) -> None:
    pattern = found[KIND.PATTERN, ("code",)].arguments["pattern"]
    with duckdb.connect() as connection:
        for cell in DATA["code"]:
            assert cell is not None
            assert re.fullmatch(as_python(pattern), cell)
            assert connection.execute("SELECT regexp_full_match(?, ?)", [cell, pattern]).fetchall() == [(True,)]
    assert not re.fullmatch(as_python(pattern), "A-1")


def test_confidence_grows_with_the_cells_a_rule_rests_on(workshop: Workshop) -> None:
    few, many = ({"id": [str(i) for i in range(n)]} for n in (40, 400))
    sure = [suggest_constraints(profile(workshop, data))[0].confidence for data in (few, many)]
    assert 0.9 < sure[0] < sure[1] < 1


def test_ten_rows_prove_nothing(workshop: Workshop) -> None:
    assert not suggest_constraints(profile(workshop, {"id": [str(i) for i in range(10)]}))


def test_a_rule_with_few_exceptions_counts_them_and_one_with_many_is_none(workshop: Workshop) -> None:
    def rule(broken: int) -> list[Constraint]:
        data = {"a": ["oops"] * broken + [str(i % 90) for i in range(2000 - broken)]}
        return [c for c in suggest_constraints(profile(workshop, data)) if c.kind is KIND.TYPE]

    assert [c.violations for c in rule(3)] == [3]
    assert rule(100) == []


def test_a_blood_group_keeps_its_plus_sign() -> None:
    assert pattern_of(["A+"], Lengths(minimum=2, maximum=2, mean=2)) == r"\p{Lu}\+"
    assert pattern_of(["A+ 9+"], Lengths(minimum=18, maximum=20, mean=19)) == r"\p{Lu}{2,} \p{Nd}{2,}"


def test_values_that_may_not_be_shown_are_no_allowed_values(workshop: Workshop) -> None:
    data = {"contact": ["ann@example.com", "bob@example.com"] * 100}
    assert "@example" not in json.dumps([c.model_dump() for c in suggest_constraints(profile(workshop, data))])


def test_the_files_name_every_column_and_rule(workshop: Workshop) -> None:
    delivery = workshop.deliver(AGENT, DATA)
    files = {file.name: file for file in delivery.files}
    schema = yaml.safe_load(files["constraints.pandera.yaml"].path.read_text(encoding="utf-8"))
    assert list(schema["columns"]) == list(DATA)
    assert schema["columns"]["order_id"]["dtype"] == "int64"
    assert schema["columns"]["status"]["checks"]["isin"] == ["open", "paid"]
    suite = json.loads(files["constraints.great_expectations.json"].path.read_text(encoding="utf-8"))
    assert {"type", "kwargs", "meta"} == set(suite["expectations"][0])
    assert {"determinants": ["city"], "dependent": "country"}.items() <= suite["meta"]["functional_dependencies"][
        0
    ].items()
    assert {file.kind for file in delivery.files} == {"constraints"}
