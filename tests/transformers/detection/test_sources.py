"""Sources that contradict each other about the same things."""

import pytest
from dirty import flagged
from workshop import Workshop

from backend.errors import BadParameters
from transformers.detection import sources

SOURCES = 9
FLIGHTS = 40


def airports() -> tuple[dict[str, list[str | None]], set[tuple[int, str]]]:
    """Four sources are right; five copy each other, wrong on arrivals always and on gates half of the time.

    On the gates of some flights the copiers outnumber the right ones, who are known to be so by the arrivals.
    """
    data: dict[str, list[str | None]] = {name: [] for name in ("source", "flight", "departure", "arrival", "gate")}
    wrong = set()
    for flight in range(FLIGHTS):
        for source in range(SOURCES):
            copies = source >= 4
            row = len(data["flight"]) + 1
            late = copies and flight % 2 == 0
            data["source"].append(f"s{source}")
            data["flight"].append(f"F{flight}")
            data["departure"].append(f"{flight % 12 + 1}:{flight:02d} p.m.")
            data["arrival"].append(f"{flight % 12 + 1}:{59 - flight:02d} a.m." if not (copies and flight % 3) else None)
            data["gate"].append(f"G{flight * 3 + (1 if late else 0)}")
            wrong |= {(row, "gate")} if late else set()
            wrong |= {(row, "arrival")} if copies and flight % 3 else set()
    return data, wrong


def test_what_most_sources_say_is_the_truth_and_silence_is_wrong(workshop: Workshop) -> None:
    data, _ = airports()
    data["departure"][3] = "11:11 a.m."
    data["departure"][30] = None
    found = flagged(workshop, data, source_column="source")
    assert found[4, "departure"] == found[31, "departure"] == "source_trust: source"
    assert not [cell for cell in found if cell[1] in {"source", "flight"}]


def test_a_table_without_sources_has_none_in_conflict(workshop: Workshop) -> None:
    data = {
        "student": [f"p{i // 12}" for i in range(480)],
        "course": [f"c{i % 12}" for i in range(480)],
        "grade": [str(1 + (i // 12 * 7 + i * i) % 5) for i in range(480)],
    }
    assert flagged(workshop, data) == {}


def test_nobody_is_outvoted_where_nobody_said_that_these_are_sources(workshop: Workshop) -> None:
    data, _ = airports()
    data["c"] = data.pop("source")
    assert flagged(workshop, data) == {}


def test_a_header_that_says_source_is_enough(workshop: Workshop) -> None:
    data, _ = airports()
    assert flagged(workshop, data) == flagged(workshop, data, source_column="source") != {}
    data["lead_source"] = data.pop("source")
    assert flagged(workshop, data) == {}


def test_a_fact_that_few_rows_contradict_without_order_needs_no_source_to_be_named(workshop: Workshop) -> None:
    towns = [f"town {i * 7 % 30}" for i in range(40)]
    data: dict[str, list[str | None]] = {
        "entity": [f"e{i // 9}" for i in range(360)],
        "witness": [f"w{i % 9}" for i in range(360)],
        "town": [towns[i // 9] for i in range(360)],
        "river": [f"river {i // 9 * 11 % 23}" for i in range(360)],
    }
    wrong = [i for i in range(360) if i * 37 % 100 < 7]
    for i in wrong:
        data["town"][i] = f"town {i % 29 + 40}"
    assert set(flagged(workshop, data)) == {(i + 1, "town") for i in wrong}


def test_a_source_column_that_is_not_there_is_told(workshop: Workshop) -> None:
    with pytest.raises(BadParameters, match="sauce"):
        flagged(workshop, airports()[0], source_column="sauce")


def test_a_person_outvotes_the_sources(workshop: Workshop) -> None:
    data, _ = airports()
    data["departure"][0] = "11:11 a.m."
    found = flagged(workshop, data, {1: {"departure": False}}, source_column="source")
    assert {(row, "departure") for row in range(2, SOURCES + 1)} <= set(found)


def test_what_is_too_large_to_be_weighed_together_is_weighed_in_stretches(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = airports()
    data["departure"][3] = data["departure"][-1] = "11:11 a.m."
    whole = flagged(workshop, data)
    monkeypatch.setattr(sources, "MAX_ROWS", SOURCES * FLIGHTS // 2)
    parts = flagged(workshop, data)
    assert parts[4, "departure"] == parts[SOURCES * FLIGHTS, "departure"] == "source_trust: source"
    assert {cell for cell in parts if cell[1] == "departure"} == {cell for cell in whole if cell[1] == "departure"}
