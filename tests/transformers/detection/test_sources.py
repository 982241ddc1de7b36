"""Sources that contradict each other about the same things."""

from dirty import flagged
from workshop import Workshop

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
    found = flagged(workshop, data)
    assert found[4, "departure"] == found[31, "departure"] == "source_trust: source"
    assert not [cell for cell in found if cell[1] in {"source", "flight"}]


def test_a_table_without_sources_has_none_in_conflict(workshop: Workshop) -> None:
    data = {
        "student": [f"p{i // 12}" for i in range(480)],
        "course": [f"c{i % 12}" for i in range(480)],
        "grade": [str(1 + (i // 12 * 7 + i * i) % 5) for i in range(480)],
    }
    assert flagged(workshop, data) == {}


def test_a_person_outvotes_the_sources(workshop: Workshop) -> None:
    data, _ = airports()
    data["departure"][0] = "11:11 a.m."
    found = flagged(workshop, data, {1: {"departure": False}})
    assert {(row, "departure") for row in range(2, SOURCES + 1)} <= set(found)
