import csv
import random
from collections.abc import Sequence
from itertools import combinations

import pytest

from scores.entities import pairwise_f1
from scores.people import people
from scores.public_data import FOLDER
from tests.transformers.workshop import Workshop
from transformers.cells.columns import read_columns
from transformers.matching import Resolution, resolve_entities

ROWS = 200
PEOPLE = list(people(ROWS, 70, seed=3))
RECORDS = [record for _, record in PEOPLE]
Outcome = tuple[list[int], list[tuple[int, int, float]], Resolution]
TRUTH = [person for person, _ in PEOPLE]


def _columns(records: Sequence[dict[str, str | None]]) -> dict[str, list[str | None]]:
    return {name: [record[name] for record in records] for name in records[0]}


def _resolve(workshop: Workshop, data: dict[str, list[str | None]], **options: object) -> tuple[list[int], Resolution]:
    clusters, _, resolution = _resolve_with_pairs(workshop, data, **options)
    return clusters, resolution


def _resolve_with_pairs(workshop: Workshop, data: dict[str, list[str | None]], **options: object) -> Outcome:
    table = workshop.table(data)
    with workshop.database(table) as db:
        found = resolve_entities(db, table, read_columns(db, table), **options)
        clusters = db.execute(f"SELECT cluster FROM {found.clusters} ORDER BY source_row").fetchall()
        pairs = db.execute(f"SELECT a, b, probability FROM {found.pairs} ORDER BY a, b").fetchall()
    return [cluster for (cluster,) in clusters], pairs, found


@pytest.fixture(scope="module")
def resolved(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return _resolve_with_pairs(Workshop(tmp_path_factory.mktemp("people")), _columns(RECORDS))


def test_records_of_one_person_come_together(resolved: Outcome) -> None:
    assert pairwise_f1(resolved[0], TRUTH) > 0.9


def test_a_cluster_is_named_by_its_smallest_row(resolved: Outcome) -> None:
    for row, cluster in enumerate(resolved[0], start=1):
        assert cluster <= row
        assert resolved[0][cluster - 1] == cluster


def test_pairs_are_ordered_and_their_probabilities_hold(resolved: Outcome) -> None:
    _, pairs, _ = resolved
    assert all(a < b for a, b, _ in pairs)
    sure = [TRUTH[a - 1] == TRUTH[b - 1] for a, b, probability in pairs if probability > 0.95]
    doubtful = [TRUTH[a - 1] == TRUTH[b - 1] for a, b, probability in pairs if probability < 0.05]
    assert sum(sure) > 0.9 * len(sure)
    assert sum(doubtful) < 0.2 * len(doubtful)


def test_the_summary_says_what_was_compared_and_learnt(resolved: Outcome) -> None:
    summary = resolved[2].summary
    assert summary.blocking_rules[0].rule == "every pair"
    assert summary.possible_pairs == ROWS * (ROWS - 1) // 2
    assert 0.9 * summary.possible_pairs < summary.compared_pairs <= summary.possible_pairs
    for field in summary.fields:
        assert sum(level.m for level in field.levels) == pytest.approx(1)
        assert field.levels[0].bits > 0 > field.levels[-1].bits
    assert 0 < summary.threshold < 1


def test_the_same_table_gives_the_same_clusters_and_pairs(workshop: Workshop, resolved: Outcome) -> None:
    again = _resolve_with_pairs(workshop, _columns(RECORDS))
    assert again == resolved


def test_columns_that_name_no_entity_are_left_out(workshop: Workshop) -> None:
    chance = random.Random(1)
    data = _columns(RECORDS) | {
        "row": [str(i) for i in range(1000, 1000 + ROWS)],
        "key": [f"K{chance.random():.12f}" for _ in RECORDS],
        "batch": ["2024"] * ROWS,
        "flag": [chance.choice(("yes", "no")) for _ in RECORDS],
    }
    clusters, found = _resolve(workshop, data)
    assert {one.column for one in found.summary.left_out} >= {"row", "key", "batch", "flag"}
    assert pairwise_f1(clusters, TRUTH) > 0.9


def test_a_threshold_of_the_caller_is_taken(workshop: Workshop) -> None:
    loose, _ = _resolve(workshop, _columns(RECORDS), threshold=0.1)
    strict, found = _resolve(workshop, _columns(RECORDS), threshold=0.9999)
    assert found.summary.threshold == 0.9999
    assert len(set(strict)) > len(set(loose))


def test_a_steward_who_says_no_is_obeyed(workshop: Workshop, resolved: Outcome) -> None:
    clusters, pairs, _ = resolved
    a, b, _ = next((a, b, p) for a, b, p in pairs if clusters[a - 1] == clusters[b - 1] and clusters.count(a) == 2)
    apart, found = _resolve(workshop, _columns(RECORDS), labels=[(a, b, False)])
    assert apart[a - 1] != apart[b - 1]
    assert found.summary.labels == 1


def test_labels_of_stewards_do_no_harm(workshop: Workshop, resolved: Outcome) -> None:
    pairs = [(a, b) for a, b, _ in resolved[1]][::9]
    labels = [(a, b, TRUTH[a - 1] == TRUTH[b - 1]) for a, b in pairs]
    clusters, _ = _resolve(workshop, _columns(RECORDS), labels=labels)
    assert pairwise_f1(clusters, TRUTH) >= pairwise_f1(resolved[0], TRUTH)


def test_linked_sources_match_one_to_one(workshop: Workshop) -> None:
    chance = random.Random(2)
    titles = [" ".join(chance.sample(WORDS, 5)) for _ in range(150)]
    data = {
        "title": titles + [title.replace("e", "", 1) for title in titles[:100]],
        "year": [str(1990 + i % 20) for i in range(150)] + [str(1990 + i % 20) for i in range(100)],
        "source": ["left"] * 150 + ["right"] * 100,
    }
    clusters, _ = _resolve(workshop, data, link_only_across="source")
    assert max(clusters.count(cluster) for cluster in clusters) == 2
    right = sum(clusters[150 + i] == i + 1 for i in range(100))
    assert right > 95


WORDS = [
    a + b for a in ("data", "query", "stream", "index", "graph", "cache", "join") for b in ("base", "ing", "er", "s")
]


def test_given_and_family_name_in_each_others_place_are_one_person(workshop: Workshop) -> None:
    data = _columns(RECORDS)
    row = next(i for i, record in enumerate(RECORDS) if all(record[k] for k in ("first_name", "surname", "dob")))
    twin = RECORDS[row] | {"first_name": RECORDS[row]["surname"], "surname": RECORDS[row]["first_name"]}
    clusters, _ = _resolve(workshop, {name: [*values, twin[name]] for name, values in data.items()})
    assert clusters[ROWS] == clusters[row]


def test_larger_tables_are_blocked_and_say_so(workshop: Workshop) -> None:
    records = list(people(1200, 400, seed=5))
    clusters, found = _resolve(workshop, _columns([record for _, record in records]))
    assert len(found.summary.blocking_rules) > 10
    assert found.summary.compared_pairs < found.summary.possible_pairs
    assert pairwise_f1(clusters, [person for person, _ in records]) > 0.85


def test_progress_rises_to_one(workshop: Workshop) -> None:
    seen: list[float] = []
    _resolve(workshop, _columns(RECORDS), report_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize("values", [[], ["a"], ["a", "b"], [None, None], ["x", "x"]])
def test_tiny_tables_keep_every_row(workshop: Workshop, values: list[str | None]) -> None:
    clusters, _ = _resolve(workshop, {"name": values, "city": values})
    assert len(clusters) == len(values)


def test_a_few_rows_with_nothing_in_common_stay_apart(workshop: Workshop) -> None:
    data = {
        "name": ["Ann Miller", "Jorge Diaz", "Wei Zhang", "Olga Petrova"],
        "city": ["Berlin", "Madrid", "Oslo", "Lyon"],
        "born": ["1980-01-02", "1955-07-13", "1999-12-24", "1963-05-30"],
    }
    clusters, _ = _resolve(workshop, data)
    assert clusters == [1, 2, 3, 4]


@pytest.mark.skipif(not (FOLDER / "er-febrl").exists(), reason="the public data is not at hand")
def test_febrl_1_is_resolved(workshop: Workshop) -> None:
    with (FOLDER / "er-febrl" / "dataset1.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, skipinitialspace=True))[:200]
    truth = [row["rec_id"].split("-")[1] for row in rows]
    data = {name: [row[name] or None for row in rows] for name in rows[0] if name != "rec_id"}
    clusters, _ = _resolve(workshop, data)
    wrong = [(a, b) for a, b in combinations(range(200), 2) if (clusters[a] == clusters[b]) != (truth[a] == truth[b])]
    assert not wrong
