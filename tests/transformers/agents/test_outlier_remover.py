from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from awkward_tables import AWKWARD, some_of_them
from pydantic import ValidationError
from workshop import Workshop

from transformers.agents.outlier_remover import AGENT
from transformers.tool import Delivery

ORDINARY = [str(10 + i % 11) for i in range(99)]  # 10 … 20, median 15


def removed(workshop: Workshop, values: Sequence[str | None], **parameters: Any) -> Delivery:
    return workshop.deliver(AGENT, {"a": values}, parameters)


def left(delivery: Delivery, name: str = "a") -> list[Any]:
    assert delivery.table is not None
    return list(pq.read_table(delivery.table.path).column(name).to_pylist())


def test_by_default_outliers_are_flagged_and_stay(workshop: Workshop) -> None:
    done = removed(workshop, [*ORDINARY, "40", "1000"])
    assert done.table is None
    flagged = {i.row_index: i.issue_type for i in done.result.row_level_issues}
    assert flagged == {100: "far_outlier", 101: "far_outlier"}


def test_the_outer_fence_tells_far_outliers_from_others(workshop: Workshop) -> None:
    done = removed(workshop, [*ORDINARY, "29", "500"])
    assert {i.row_index: i.issue_type for i in done.result.row_level_issues} == {100: "outlier", 101: "far_outlier"}


def test_removed_rows_are_set_aside_with_the_reason(workshop: Workshop) -> None:
    done = removed(workshop, [*ORDINARY, "1000"], removal_strategy="remove")
    assert left(done) == ORDINARY
    [aside] = pq.read_table(done.file("set_aside")).to_pylist()
    assert aside["a"] == "1000"
    assert "Outside" in aside["__reason__"]


@pytest.mark.parametrize(("strategy", "value"), [("impute_median", "15"), ("impute_mean", "15")])
def test_an_imputed_value_comes_from_the_values_inside(workshop: Workshop, strategy: str, value: str) -> None:
    done = removed(workshop, [*ORDINARY, "1000", None], removal_strategy=strategy)
    assert left(done) == [*ORDINARY, value, None]
    [change] = pq.read_table(done.file("change_log")).to_pylist()
    assert (change["old"], change["new"], change["rule"]) == ("1000", value, strategy)


@pytest.mark.parametrize(
    ("parameters", "gone"),
    [
        ({"detection_method": "iqr", "iqr_multiplier": 100}, 0),
        ({"detection_method": "z_score"}, 1),
        ({"detection_method": "z_score", "z_threshold": 50}, 0),
        ({"detection_method": "percentile", "lower_percentile": 0, "upper_percentile": 99}, 1),
        ({"detection_method": "percentile", "lower_percentile": 0, "upper_percentile": 90}, 10),
    ],
)
def test_the_method_and_its_threshold_decide(workshop: Workshop, parameters: dict[str, Any], gone: int) -> None:
    values = [*(str(i) for i in range(99)), "300"]
    done = removed(workshop, values, removal_strategy="remove", **parameters)
    assert done.result.summary_metrics["rows_set_aside"] == gone


def test_keys_codes_and_constants_have_no_fences(workshop: Workshop) -> None:
    data = {"customer_id": [*ORDINARY, "99999"], "zip": [*["10115"] * 99, "99999"], "k": [*["1"] * 99, "2"]}
    result = workshop.deliver(AGENT, data).result
    assert result.data["columns"] == []
    assert not result.row_level_issues


def test_a_long_tail_is_told_as_one(workshop: Workshop) -> None:
    tail = np.random.default_rng(1).lognormal(0, 2, 1000)
    result = removed(workshop, [f"{x:.3f}" for x in tail]).result
    assert [a.category for a in result.alerts] == ["distribution"]


def test_a_row_that_stands_alone_in_no_single_cell_is_flagged(workshop: Workshop) -> None:
    values = np.random.default_rng(2).normal(0, 1, (800, 6)).clip(-2.4, 2.4)
    values[400] = 2.4
    data = {f"m{i}": [f"{v:.4f}" for v in values[:, i]] for i in range(6)}
    joint = [i for i in workshop.deliver(AGENT, data).result.row_level_issues if i.issue_type == "joint_outlier"]
    assert 401 in {i.row_index for i in joint}
    assert len(joint) <= 4
    assert not workshop.deliver(AGENT, data, {"detect_joint_outliers": False}).result.issue_summary.by_type.get(
        "joint_outlier"
    )


def test_native_numbers_keep_their_type(workshop: Workshop) -> None:
    data = pa.table({"a": pa.array([*map(int, ORDINARY), 1000], pa.int16())})
    done = workshop.deliver(AGENT, data, {"removal_strategy": "impute_median"})
    assert done.table is not None
    assert pq.read_table(done.table.path).schema.field("a").type == pa.int16()
    assert left(done)[-1] == 15


def test_percentiles_that_cross_are_refused() -> None:
    with pytest.raises(ValidationError):
        AGENT.parameters(lower_percentile=60, upper_percentile=40)


@pytest.mark.parametrize(
    "name", some_of_them("no rows", "numbers as text", "infinities and not a number", "native types")
)
@pytest.mark.parametrize("strategy", ["flag", "remove", "impute_mean"])
def test_awkward_tables_keep_what_is_ordinary(workshop: Workshop, name: str, strategy: str) -> None:
    table = workshop.table(AWKWARD[name]())
    parameters = {"removal_strategy": strategy, "detection_method": "z_score"}
    first, second = (workshop.deliver(AGENT, table, parameters) for _ in range(2))
    assert first.result == second.result
