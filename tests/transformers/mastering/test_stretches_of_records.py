import pytest
from mastering_chain import MasteringChain, rows_of
from workshop import Workshop

from transformers.agents import golden_record_builder, lineage_tracer, stewardship_flagger, survivorship_resolver
from transformers.mastering import lineage_lines, task_list

ROWS = 1500
ORDERS: dict[str, list[str | None]] = {
    "key": [f"k{i % 1100}" for i in range(ROWS)],
    "city": ["Ulm" if i % 3 else f"Bonn{i}" for i in range(ROWS)],
    "price": [None if i % 7 == 0 else str(i) for i in range(ROWS)],
}
COLUMNS = ["golden_id", '"column"', "value", "source_row", "source_rows", "rule", "explained"]


def built(workshop: Workshop) -> MasteringChain:
    chain = MasteringChain(workshop, ORDERS)
    chain.run(survivorship_resolver.AGENT, {"match_key_columns": ["key"]})
    chain.run(golden_record_builder.AGENT)
    return chain


def test_lineage_is_the_same_in_however_many_stretches(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = built(workshop)
    at_once = chain.run(lineage_tracer.AGENT)
    lines = rows_of(at_once.file("lineage"), COLUMNS)
    monkeypatch.setattr(lineage_lines, "MOST_LINES", 100)
    in_stretches = built(workshop).run(lineage_tracer.AGENT)
    assert rows_of(in_stretches.file("lineage"), COLUMNS) == lines
    assert in_stretches.result.summary_metrics == at_once.result.summary_metrics
    assert at_once.result.summary_metrics["unexplained_cells"] == 0


def test_the_task_list_is_the_same_in_however_many_stretches(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"required_columns": ["price"], "confidence": 1.0}
    whole = built(workshop).run(stewardship_flagger.AGENT, asked).file("stewardship")
    assert whole is not None
    text = whole.read_bytes()
    assert text.count(b"\n") > 200
    monkeypatch.setattr(task_list, "LINES_A_STRETCH", 70)
    parts = built(workshop).run(stewardship_flagger.AGENT, asked).file("stewardship")
    assert parts is not None
    assert parts.read_bytes() == text
