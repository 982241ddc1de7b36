from transformers.mastering.consensus import Consensus, majority

NAMES = ["miller", "millner", "muller", "smith", "smithson", "meyer", "mayer", "walter", "winter", "martin"]


def clusters_of(names: list[str], wrong: str) -> list[list[str | None]]:
    """Every name three times, and one of the first cluster's rows written otherwise."""
    return [[wrong, names[0], names[0]], *([name] * 3 for name in names[1:])]


def test_of_equally_frequent_values_the_medoid_is_the_majority() -> None:
    assert majority(["anna", "anan", "annna"]) in {"anna", "annna"}
    assert majority(["x", None, "y", "y"]) == "y"
    assert majority([None, None]) is None


def test_a_value_that_other_entities_share_is_likelier_than_a_typing_error() -> None:
    known = [*clusters_of(NAMES, "mi ller"), ["smith", "smith"], ["smith", "smith", "smihth"]]
    consensus = Consensus(known)
    assert consensus.decide(["smith", "smtih"]).value == "smith"
    assert consensus.decide(["smtih", "smith"]).value == "smith"


def test_one_cell_against_many_empty_ones_is_doubted_where_cells_are_seldom_empty() -> None:
    always_told = Consensus([[name] * 5 for name in NAMES * 5] + [[None] * 5 for _ in range(10)])
    assert always_told.decide([None, None, None, None, "smith"]).value is None


def test_one_cell_against_many_empty_ones_is_kept_where_cells_are_often_empty() -> None:
    seldom_told = Consensus([[name, None, None, None, None] for name in NAMES * 5])
    assert seldom_told.decide([None, None, None, None, "smith"]).value == "smith"


def test_confidence_falls_where_the_evidence_is_split() -> None:
    consensus = Consensus(clusters_of(NAMES, "mi ller"))
    split, clear = consensus.decide(["meyer", "mayer"]), consensus.decide(["meyer", "meyer", "meyer", "mayer"])
    assert split.confidence < clear.confidence
    assert clear.value == "meyer"


def test_nothing_learned_is_nothing_broken() -> None:
    assert Consensus([]).decide(["a", "b", "b"]).value == "b"
