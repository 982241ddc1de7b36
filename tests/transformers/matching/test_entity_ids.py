from collections.abc import Mapping, Sequence

from tests.transformers.workshop import Workshop
from transformers.matching import EntityIds, entity_ids

NAMES = ["Ann", "Anne", "Bob", "Rob", "Cid", "Dee"]
PAIRS = [1, 1, 3, 3, 5, 6]


def _ids(
    workshop: Workshop,
    names: Sequence[str],
    clusters: Sequence[int],
    previous: Mapping[str, str] | None = None,
    key_columns: Sequence[str] = ("name",),
) -> tuple[list[str], EntityIds, list[tuple[str, str, int, str]]]:
    """The id of each row, what was counted, and the changes."""
    table = workshop.table({"name": list(names), "size": [str(len(name)) for name in names]})
    with workshop.database(table) as db:
        db.execute("CREATE TEMP TABLE found (source_row BIGINT, cluster BIGINT)")
        db.executemany("INSERT INTO found VALUES (?, ?)", list(enumerate(clusters, start=1)))
        if previous is not None:
            db.execute("CREATE TEMP TABLE earlier (source_key VARCHAR, entity_id VARCHAR)")
            db.executemany("INSERT INTO earlier VALUES (?, ?)", list(previous.items()))
        given = entity_ids(
            db, table, "found", key_columns=key_columns, previous=None if previous is None else "earlier"
        )
        ids = [one for (one,) in db.execute(f"SELECT entity_id FROM {given.ids} ORDER BY source_row").fetchall()]
        changes = db.execute(f"SELECT was, now, records, change FROM {given.changes}").fetchall()
    return ids, given, changes


def test_the_same_records_in_another_order_get_the_same_ids(workshop: Workshop) -> None:
    ids, _, _ = _ids(workshop, NAMES, PAIRS)
    turned, _, _ = _ids(workshop, NAMES[::-1], [1, 2, 3, 3, 5, 5])
    assert turned == ids[::-1]
    assert len(set(ids)) == 4


def test_equal_records_in_two_clusters_get_two_ids(workshop: Workshop) -> None:
    ids, _, _ = _ids(workshop, ["Ann", "Ann", "Bob"], [1, 2, 3])
    assert len(set(ids)) == 3


def test_an_entity_keeps_its_id_when_a_record_joins(workshop: Workshop) -> None:
    ids, given, changes = _ids(workshop, ["Ann", "Anne", "Aaron"], [1, 1, 1], {"Ann": "E1", "Anne": "E1"})
    assert ids == ["E1"] * 3
    assert (given.kept, given.new, changes) == (1, 0, [])


def test_of_two_that_merge_the_larger_keeps_its_id_and_the_other_is_recorded(workshop: Workshop) -> None:
    earlier = {"Ann": "E1", "Bob": "E2", "Rob": "E2"}
    ids, given, changes = _ids(workshop, ["Ann", "Bob", "Rob"], [1, 1, 1], earlier)
    assert ids == ["E2"] * 3
    assert changes == [("E1", "E2", 1, "merged")]
    assert given.merged == 1


def test_of_one_that_splits_the_larger_part_keeps_the_id(workshop: Workshop) -> None:
    earlier = dict.fromkeys(("Ann", "Bob", "Rob"), "E1")
    ids, given, changes = _ids(workshop, ["Ann", "Bob", "Rob"], [1, 2, 2], earlier)
    assert ids[1:] == ["E1", "E1"]
    assert ids[0] != "E1"
    assert changes == [("E1", ids[0], 1, "split")]
    assert given.split == 1


def test_who_loses_a_merge_takes_the_id_that_is_left(workshop: Workshop) -> None:
    earlier = {"a": "E1", "b": "E1", "c": "E1", "d": "E2", "e": "E1", "f": "E2"}
    ids, _, _ = _ids(workshop, list("abcdef"), [1, 1, 1, 1, 5, 5], earlier)
    assert ids[:4] == ["E1"] * 4
    assert ids[4:] == ["E2"] * 2


def test_a_new_id_never_was_anothers(workshop: Workshop) -> None:
    first, _, _ = _ids(workshop, NAMES, PAIRS)
    earlier = dict(zip(NAMES, first, strict=True)) | {"Zoe": first[0]}
    ids, _, _ = _ids(workshop, ["Zoe", "Yan", "Ann"], [1, 1, 3], earlier)
    assert len(set(ids)) == 2
    split, _, _ = _ids(workshop, ["Ann", "Anne"], [1, 2], {"Ann": first[0], "Anne": first[0]})
    assert len(set(split)) == 2
    assert first[0] in split


def test_without_key_columns_the_content_is_the_key(workshop: Workshop) -> None:
    table = workshop.table({"name": NAMES})
    with workshop.database(table) as db:
        db.execute("CREATE TEMP TABLE found AS SELECT range AS source_row, range AS cluster FROM range(1, 7)")
        given = entity_ids(db, table, "found")
        db.execute(f"CREATE TEMP TABLE earlier AS SELECT source_key, 'X' || entity_id AS entity_id FROM {given.ids}")
        again = entity_ids(db, table, "found", previous="earlier")
    assert (again.kept, again.new) == (6, 0)
