"""A customer's columns may be called as the builder's own."""

import duckdb
from workshop import Workshop

from transformers.agents import golden_record_builder


def test_columns_called_n_cluster_and_trust_stay_the_customers(workshop: Workshop) -> None:
    data = {"email": ["a@x.com", "b@x.com", "c@x.com"], "n": ["x", "y", "z"], "cluster": ["east", "west", "north"],
            "trust": ["low", "high", "none at all"], "golden_id": ["1", "2", "3"]}  # fmt: skip
    delivery = workshop.deliver(golden_record_builder.AGENT, data)
    assert delivery.table is not None
    query = f"SELECT n, cluster, trust, golden_id FROM read_parquet('{delivery.table.path}') ORDER BY n"
    assert duckdb.sql(query).fetchall() == [
        ("x", "east", "low", "1"),
        ("y", "west", "high", "2"),
        ("z", "north", "none at all", "3"),
    ]
