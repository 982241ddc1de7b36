"""What a customer calls the columns, and what stewards have said."""

import duckdb
import pytest
from workshop import Workshop

from backend.errors import BadParameters
from transformers.agents import golden_record_builder


def test_columns_called_n_cluster_and_trust_stay_the_customers(workshop: Workshop) -> None:
    data = {"email": ["a@x.com", "b@x.com", "c@x.com"], "n": ["x", "y", "z"], "cluster": ["east", "west", "north"],
            "trust": ["low", "high", "none at all"], "golden_id": ["1", "2", "3"]}  # fmt: skip
    delivery = workshop.deliver(golden_record_builder.AGENT, data)
    assert delivery.table is not None
    query = f"SELECT n, cluster, trust, golden_id FROM read_parquet('{delivery.table.path}') ORDER BY n"
    with duckdb.connect() as connection:
        rows = connection.execute(query).fetchall()
    assert rows == [("x", "east", "low", "1"), ("y", "west", "high", "2"), ("z", "north", "none at all", "3")]


def test_two_rows_that_a_steward_tells_apart_stay_two_records(workshop: Workshop) -> None:
    people = [("Ann Lee", "Paris"), ("Bob Ray", "Rome"), ("Cleo Fay", "Lyon"), ("Dan Poe", "Oslo"), ("Eve Day", "Bern")]
    data = {
        "name": [name for name, _ in people] * 2,
        "city": [city for _, city in people] * 2,
        "phone": [f"+33 1 40 20 50 {n % 5}0" for n in range(10)],
    }
    merged = workshop.deliver(golden_record_builder.AGENT, data)
    told = workshop.deliver(golden_record_builder.AGENT, data, {"steward_labels": [[1, 6, False]]})
    assert merged.table is not None
    assert told.table is not None
    assert told.table.rows == merged.table.rows + 1


def test_a_column_of_sources_that_is_not_there_is_refused(workshop: Workshop) -> None:
    with pytest.raises(BadParameters, match="nowhere"):
        workshop.deliver(golden_record_builder.AGENT, {"a": ["1", "2"]}, {"link_only_across": "nowhere"})
