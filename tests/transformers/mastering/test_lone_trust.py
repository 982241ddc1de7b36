from typing import Any

from mastering_chain import MasteringChain, rows_of
from workshop import Workshop

from transformers.agents import golden_record_builder, stewardship_flagger, survivorship_resolver
from transformers.mastering.lone_trust import LoneTrust

KEYED: dict[str, Any] = {"match_key_columns": ["entity"], "find_field_groups": False}


def doubted(workshop: Workshop, data: dict[str, list[str]], **asked: Any) -> tuple[set[str], set[str], dict[str, Any]]:
    """The entities that the builder and the flagger doubt, and the builder's figures."""
    chain = MasteringChain(workshop, data)
    chain.run(survivorship_resolver.AGENT, KEYED | asked)
    built = chain.run(golden_record_builder.AGENT, {"min_trust_score": 0.7})
    flagged = chain.run(stewardship_flagger.AGENT, {"confidence": 0.7})
    entity = dict(rows_of(built.table, ["__source_row__", "entity"]))
    low = {entity[one.row_index] for one in built.result.row_level_issues if one.issue_type == "low_trust_record"}
    tasks = {entity[one.row_index] for one in flagged.result.row_level_issues if one.issue_type == "LOW_CONFIDENCE"}
    return low, tasks, built.result.summary_metrics


def test_rows_that_nothing_contradicts_are_no_tasks(workshop: Workshop) -> None:
    numbers = [str(i) for i in range(40)]
    low, tasks, metrics = doubted(workshop, {"entity": numbers, "city": [f"city {i}" for i in numbers]})
    assert low == tasks == set()
    assert metrics["single_row_records"] == 40
    assert metrics["mean_trust"] > 0.7


def test_other_entities_disagreement_does_not_speak_against_a_single_row(workshop: Workshop) -> None:
    places = ["Aachen", "Bonn", "Celle", "Dresden", "Emden", "Fulda", "Gotha"]
    data = {"entity": [f"e{i // 2}" for i in range(60)] + [f"lone{i}" for i in range(20)]}
    data |= {f"city_{step}": [places[i * step % 7] for i in range(80)] for step in (1, 2, 3, 5)}
    low, tasks, metrics = doubted(workshop, data)
    assert metrics["single_row_records"] == 20
    assert low
    assert low == tasks
    assert not any(entity.startswith("lone") for entity in low)


def test_a_single_row_of_a_source_known_to_be_bad_is_a_task(workshop: Workshop) -> None:
    rows = [
        (f"e{i}", source, place)
        for i in range(30)
        for source, place in (("a", f"{i}"), ("b", f"{i}"), ("x", f"wrong {i}"))
    ]
    rows += [("lone of x", "x", "17"), ("lone of a", "a", "18"), ("lone of a stranger", "new", "19")]
    data = {name: [row[place] for row in rows] for place, name in enumerate(("entity", "source", "city"))}
    data |= {"street": [f"{city} street" for city in data["city"]]}
    low, tasks, _ = doubted(workshop, data, source_column="source")
    assert low == tasks == {"lone of x"}


def test_what_nobody_learned_doubts_nobody() -> None:
    known = LoneTrust.of({})
    assert known.mean("r", []) == "0.0"
    assert known.speaks_of([]) == "(false)"
