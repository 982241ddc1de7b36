from transformers.mastering.source_trust import learn_trust

Votes = list[tuple[str, str | None]]


def disputed(n: int) -> list[Votes]:
    """Two sources that are always right, and three that are each wrong in their own way in most clusters."""
    clusters: list[Votes] = []
    for i in range(n):
        truth = f"{i}:00"
        wrong = [("bad1", f"{i}:01"), ("bad2", f"{i}:02"), ("bad3", truth if i % 3 == 0 else f"{i}:03")]
        clusters.append([("good1", truth), ("good2", truth), *wrong])
    return clusters


def test_sources_that_agree_earn_trust() -> None:
    overall = learn_trust({0: disputed(30)}).overall()
    assert overall["good1"] > 0.9
    assert overall["bad1"] < 0.5
    assert overall["good1"] > overall["bad3"] > overall["bad1"]


def test_one_trusted_source_outweighs_two_that_are_usually_wrong() -> None:
    trust = learn_trust({0: disputed(30)})
    assert trust.decide(0, [("good1", "5:00"), ("bad1", "6:00"), ("bad2", "6:00")]).value == "5:00"


def test_trust_from_a_clear_column_decides_a_disputed_one() -> None:
    clear = disputed(40)
    shared_error = [
        [("good1", f"{i}:30"), ("good2", f"{i}:30"), ("bad1", f"{i}:45"), ("bad2", f"{i}:45")] for i in range(40)
    ]
    trust = learn_trust({0: clear, 1: shared_error})
    assert trust.decide(1, shared_error[7]).value == "7:30"


def test_a_cell_that_says_more_speaks_for_what_it_contains() -> None:
    trust = learn_trust({0: [[("a", "7:10"), ("b", "7:10")], [("a", "8:00"), ("b", "9:00")]]})
    votes: Votes = [("x", "7:10"), ("y", "7:25"), ("z", "7:10 (estimated)"), ("w", None)]
    assert trust.decide(0, votes).value == "7:10"
    assert trust.decide(0, [("x", None)]).value is None
