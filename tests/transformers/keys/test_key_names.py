import pytest

from transformers.keys.names import likeness, points_upwards, stem_of


@pytest.mark.parametrize(
    ("column", "table", "referenced", "alike"),
    [
        ("customer_id", "customers", "id", 1.0),
        ("CustomerId", "Customer", "CustomerId", 1.0),
        ("ship_city", "cities", "code", 0.8),
        ("billing_address_id", "address", "address_id", 0.8),
        ("quantity", "orders", "order_id", 0.0),
        ("id", "customers", "id", 0.0),
    ],
)
def test_a_reference_is_named_for_what_it_points_to(column: str, table: str, referenced: str, alike: float) -> None:
    assert likeness(column, table, referenced) == alike


def test_stems_are_singular_and_without_words_for_key() -> None:
    assert stem_of("Categories_ID") == stem_of("categoryNo") == ("category",)
    assert stem_of("status") == ("status",)


def test_some_words_point_upwards() -> None:
    assert all(map(points_upwards, ("ReportsTo", "manager_id", "parent", "previous_version")))
    assert not any(map(points_upwards, ("quantity", "apparent", "leadership")))
