from collections.abc import Mapping, Sequence

from workshop import Workshop

from transformers.dependencies import Dependency, functional_dependencies

Data = Mapping[str, Sequence[str | None]]


def found(workshop: Workshop, data: Data, **limits: int) -> dict[str, Dependency]:
    table = workshop.table(data)
    columns = tuple(workshop.columns(data).values())
    with workshop.database(table) as db:
        return {d.name: d for d in functional_dependencies(db, table.role, columns, **limits)}


def cities(rows: int = 200) -> dict[str, list[str | None]]:
    return {
        "zip": [f"z{i % 20}" for i in range(rows)],
        "city": [f"city {i % 20 // 2}" for i in range(rows)],
        "note": [f"n{i * 7919 % 13}" for i in range(rows)],
    }


def test_a_column_that_another_tells_is_found(workshop: Workshop) -> None:
    dependency = found(workshop, cities())["zip → city"]
    assert (dependency.error, dependency.support, dependency.confidence) == (0.0, 200, 1.0)


def test_the_other_way_round_is_not_true(workshop: Workshop) -> None:
    assert "city → zip" not in found(workshop, cities())


def test_some_wrong_cells_do_not_hide_it(workshop: Workshop) -> None:
    data = cities()
    data["city"][0] = data["city"][50] = "elsewhere"
    assert found(workshop, data)["zip → city"].error == 0.01


def test_missing_cells_are_no_evidence(workshop: Workshop) -> None:
    data = cities()
    data["city"][:100] = [None] * 50 + ["N/A"] * 50
    assert found(workshop, data)["zip → city"].support == 100


def test_a_key_tells_nothing(workshop: Workshop) -> None:
    data = cities() | {"id": [str(i) for i in range(200)]}
    assert not [name for name in found(workshop, data) if name.startswith("id")]


def test_a_near_constant_is_not_told(workshop: Workshop) -> None:
    data = cities() | {"country": ["x"] * 197 + ["y"] * 3}
    assert not [name for name in found(workshop, data) if name.endswith("country")]


def test_two_columns_together_tell_a_third(workshop: Workshop) -> None:
    data = {
        "shop": [f"s{i % 10}" for i in range(400)],
        "item": [f"i{i // 10 % 8}" for i in range(400)],
        "price": [f"{i % 10 * 31 + i // 10 % 8 * 17 % 97}.50" for i in range(400)],
    }
    assert "item, shop → price" in {", ".join(sorted(d.lhs)) + f" → {d.rhs}" for d in found(workshop, data).values()}


def test_a_sample_keeps_groups_whole(workshop: Workshop) -> None:
    rows = 12_000
    data = {"order": [f"o{i // 3}" for i in range(rows)], "customer": [f"c{i // 3 % 500}" for i in range(rows)]}
    dependency = found(workshop, data, max_rows=2000)["order → customer"]
    assert dependency.error == 0.0
    assert abs(dependency.support - rows) < rows * 0.2


def test_a_thousand_columns_are_bounded(workshop: Workshop) -> None:
    data = {f"c{i}": [str(i * j % 7) for j in range(30)] for i in range(1000)}
    assert len(found(workshop, data, max_columns=10)) <= 90
