from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from awkward_tables import AWKWARD, some_of_them
from workshop import Workshop

from backend.errors import BadParameters
from transformers.agents.null_handler import AGENT
from transformers.tool import Delivery

Cells = Mapping[str, Sequence[str | None]]
TEMPERATURES = [f"{20 + i % 10}.{i % 7}" for i in range(100)]


def cells(delivery: Delivery, workshop: Workshop, name: str = "a") -> list[Any]:
    assert delivery.table is not None
    return list(pq.read_table(delivery.table.path).column(name).to_pylist())


def handled(workshop: Workshop, data: Any, **parameters: Any) -> Delivery:
    return workshop.deliver(AGENT, data, parameters)


def filled(workshop: Workshop, values: Sequence[str | None], strategy: str, **more: Any) -> list[Any]:
    data = {"a": values, "b": [str(i) for i in range(len(values))]}
    return cells(handled(workshop, data, column_strategies={"a": strategy}, **more), workshop)


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_a_small_figure_is_not_written_as_nothing(workshop: Workshop, strategy: str) -> None:
    assert filled(workshop, ["1e-9", "2e-9", "3e-9", ""], strategy)[3] == "2e-09"
    assert filled(workshop, ["0.000000001", "0.000000003", ""], strategy)[2] == "0.000000002"
    assert filled(workshop, ["1.25", "2.25", ""], strategy)[2] == "1.75"
    table = pa.table({"a": pa.array([1e-8, 1e-8, 3e-8, None, 3e-8]), "b": ["x"] * 5})
    done = handled(workshop, table, column_strategies={"a": strategy})
    assert cells(done, workshop)[3] == 2e-8


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_numbers_too_far_apart_to_be_measured_are_filled_without_confidence(workshop: Workshop, strategy: str) -> None:
    done = handled(workshop, {"a": ["1e200", "-1e200", "", "3e200"]}, column_strategies={"a": strategy})
    assert float(cells(done, workshop)[2]) == 1e200
    log = pq.read_table(done.file("change_log")).to_pylist()
    assert [row["confidence"] for row in log] == [0.0]


@pytest.mark.parametrize("strategy", ["mode", "knn_imputation", "forward_fill", "mean"])
def test_columns_may_be_called_as_ours_are(workshop: Workshop, strategy: str) -> None:
    names = ("v", "n", "s", "r", "c", "word", "x", "f", "h")
    data = {name: [name if strategy == "mode" else str(at + 3)] * 5 + [""] for at, name in enumerate(names)}
    done = handled(workshop, data | {"y": list("aabbab")}, column_strategies=dict.fromkeys(names, strategy))
    assert [cells(done, workshop, name)[5] for name in names] == [data[name][0] for name in names]


def test_words_for_nothing_become_nothing_and_nothing_is_invented(workshop: Workshop) -> None:
    done = handled(workshop, {"a": ["1", "N/A", "3", "-", None, ""]})
    assert cells(done, workshop) == ["1", None, "3", None, None, ""]
    assert done.result.summary_metrics["cells_changed"] == 2
    assert done.result.summary_metrics["rows_after"] == 6
    assert {i.row_index for i in done.result.row_level_issues if i.issue_type == "missing"} == {2, 4, 5, 6}


@pytest.mark.parametrize("sentinel", ["9999", "-999", "999.9"])
def test_a_number_that_nobody_measured_becomes_nothing(workshop: Workshop, sentinel: str) -> None:
    done = handled(workshop, {"a": [*TEMPERATURES, *[sentinel] * 4]})
    assert cells(done, workshop) == [*TEMPERATURES, *[None] * 4]
    assert done.result.data["columns"][0]["sentinels"][0]["times"] == 4


def test_a_day_that_cannot_be_meant_becomes_nothing(workshop: Workshop) -> None:
    days = [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(60)]
    done = handled(workshop, {"a": [*days, *["1900-01-01"] * 5, *["9999-12-31"] * 5]})
    assert cells(done, workshop) == [*days, *[None] * 10]


@pytest.mark.parametrize(
    "values",
    [
        [*TEMPERATURES, "9999"],  # once
        [str(i * 30) for i in range(400)] + ["9999"] * 9,  # among others of its size
        [str(i) for i in range(90)] + ["99"] * 5,  # near the others
        ["9999"] * 50,  # all there is
        [f"{2.0 ** (i / 40):.2f}" for i in range(600)] + ["9999"] * 3,  # in a long tail
    ],
)
def test_a_number_that_may_be_meant_stays(workshop: Workshop, values: list[str]) -> None:
    assert handled(workshop, {"a": values}).table is None


def test_minus_one_among_counts_is_flagged_and_stays(workshop: Workshop) -> None:
    done = handled(workshop, {"a": [*(str(i % 40) for i in range(200)), *["-1"] * 5]})
    assert done.table is None
    assert done.result.issue_summary.by_type["possible_null"] == 5


def test_a_code_and_an_answer_are_flagged_and_stay(workshop: Workshop) -> None:
    data = {"country": ["DE", "FR", "NA", "US"] * 5, "allergies": ["none", "nuts", "milk", "none"] * 5}
    done = handled(workshop, data)
    assert done.table is None
    assert done.result.issue_summary.by_type["possible_null"] == 15


def test_detection_can_be_turned_off(workshop: Workshop) -> None:
    assert handled(workshop, {"a": ["1", "2", "N/A"]}, detect_disguised_nulls=False).table is None


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("mean", ["1.0", "5.5", "10.0", "5.5"]),
        ("median", ["1.0", "5.5", "10.0", "5.5"]),
        ("forward_fill", ["1.0", "1.0", "10.0", "10.0"]),
        ("backward_fill", ["1.0", "10.0", "10.0", ""]),
        ("mode", ["1.0", "1.0", "10.0", "1.0"]),
    ],
)
def test_a_strategy_fills_what_is_missing(workshop: Workshop, strategy: str, expected: list[str]) -> None:
    assert filled(workshop, ["1.0", None, "10.0", ""], strategy) == expected


def test_a_sentinel_takes_no_part_in_the_mean(workshop: Workshop) -> None:
    found = filled(workshop, [*["10.0", "20.0"] * 20, *["9999"] * 5, None], "mean")
    assert found[-6:] == ["15.0"] * 6


def test_whole_numbers_stay_whole(workshop: Workshop) -> None:
    assert filled(workshop, ["1", "2", "2", None], "mean")[-1] == "2"


def test_a_constant_is_the_customers(workshop: Workshop) -> None:
    assert filled(workshop, ["x", "N/A"], "constant", fill_values={"a": "y"}) == ["x", "y"]
    with pytest.raises(BadParameters, match="fill_values"):
        filled(workshop, ["x", None], "constant")


def test_rows_and_columns_can_go(workshop: Workshop) -> None:
    data = {"a": ["1", None, "3"], "b": ["x", "y", None]}
    assert cells(handled(workshop, data, global_strategy="drop_rows"), workshop) == ["1"]
    assert cells(handled(workshop, data, column_strategies={"a": "drop_rows"}), workshop) == ["1", "3"]
    gone = handled(workshop, data, column_strategies={"a": "drop_column"}).table
    assert gone is not None
    assert gone.columns == ("b",)


def test_an_empty_column_takes_no_row_with_it(workshop: Workshop) -> None:
    assert handled(workshop, {"a": ["1", "2"], "b": [None, None]}, global_strategy="drop_rows").table is None


def test_neighbours_fill_numbers_and_words(workshop: Workshop) -> None:
    chance = np.random.default_rng(4)
    x = chance.uniform(0, 10, 400)
    y = [f"{3 * v:.2f}" for v in x]
    kind: list[str | None] = ["low" if v < 5 else "high" for v in x]
    data = {"x": [f"{v:.3f}" for v in x], "y": [*y[:-20], *[None] * 20], "kind": [*kind[:-20], *[None] * 20]}
    done = handled(workshop, data, column_strategies={"y": "knn_imputation", "kind": "knn_imputation"})
    told = np.array(cells(done, workshop, "y")[-20:], dtype=float)
    assert np.abs(told - 3 * x[-20:]).mean() < 1
    assert sum(a == b for a, b in zip(cells(done, workshop, "kind")[-20:], kind[-20:], strict=True)) >= 18
    log = pq.read_table(done.file("change_log")).to_pylist()
    assert {row["rule"] for row in log} == {"fill_knn_imputation"}
    assert all(row["confidence"] > 0.9 for row in log)


def test_words_have_no_mean(workshop: Workshop) -> None:
    with pytest.raises(BadParameters, match="no mean"):
        filled(workshop, ["x", "y", None], "mean")


def test_a_column_that_is_not_there_is_refused(workshop: Workshop) -> None:
    with pytest.raises(BadParameters, match="no column"):
        handled(workshop, {"a": ["1"]}, column_strategies={"z": "mean"})


def test_native_columns_keep_their_types(workshop: Workshop) -> None:
    data = pa.table({"a": pa.array([1, None, 3], pa.int32()), "f": [1.5, float("nan"), 2.5]})
    done = handled(workshop, data, column_strategies={"a": "mean", "f": "constant"}, fill_values={"f": 0})
    assert cells(done, workshop) == [1, 2, 3]
    assert cells(done, workshop, "f") == [1.5, 0.0, 2.5]


@pytest.mark.parametrize("name", some_of_them("no rows", "all null", "infinities and not a number", "native types"))
@pytest.mark.parametrize("strategy", ["knn_imputation", "mode", "forward_fill", None])
def test_awkward_tables_are_survived(workshop: Workshop, name: str, strategy: str | None) -> None:
    table = workshop.table(AWKWARD[name]())
    strategies = dict.fromkeys(table.columns[:20], strategy) if strategy else {}
    first, second = (handled(workshop, table, column_strategies=strategies) for _ in range(2))
    assert first.result == second.result


def test_strategies_that_leave_no_column_are_refused(workshop: Workshop) -> None:
    with pytest.raises(BadParameters, match="at least one"):
        workshop.run(AGENT, {"a": ["1"], "b": [None]}, column_strategies={"a": "drop_column", "b": "drop_column"})
