from bisect import bisect_left

import pytest
from mastering_chain import MasteringChain, rows_of
from workshop import Workshop

from transformers.agents import golden_record_builder, lineage_tracer, stewardship_flagger, survivorship_resolver
from transformers.mastering import cluster_rows, clusters, golden, lineage_lines, members, task_list

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


def test_decisions_and_records_are_the_same_in_however_many_stretches_and_files(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> list[list[tuple[object, ...]]]:
        chain = built(workshop)
        decisions, records = chain.earlier[0].file("survivorship"), chain.table
        return [rows_of(decisions), rows_of(records), rows_of(chain.earlier[1].file("lineage"))]

    at_once = found()
    assert len(at_once[0]) > ROWS / 3
    for room in (cluster_rows, golden, members):
        monkeypatch.setattr(room, "rows_held", lambda _db, _table: 60)
    monkeypatch.setattr(clusters, "SLOT", 32)
    dealt: list[int] = []
    monkeypatch.setattr(
        cluster_rows, "bisect_left", lambda ends, upto: dealt.append(len(ends)) or bisect_left(ends, upto)
    )
    in_stretches = found()
    monkeypatch.setattr(cluster_rows, "MOST_FILES", 4)
    assert at_once == in_stretches == found()
    assert set(dealt) == {13, 4}
