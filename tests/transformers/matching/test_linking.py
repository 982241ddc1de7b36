import numpy as np

from transformers.matching.linking import one_to_one

SOURCES = np.array([0, 0, 1, 1, 2])


def _kept(pairs: dict[tuple[int, int], float], threshold: float = 0.5) -> set[tuple[int, int]]:
    a, b = (np.array(ends) for ends in zip(*pairs, strict=True))
    links = one_to_one(a, b, SOURCES, np.array(list(pairs.values())), threshold)
    return {(int(a[place]), int(b[place])) for place in links}


def test_the_likeliest_counterpart_is_taken_and_its_rivals_are_not() -> None:
    assert _kept({(0, 2): 0.8, (0, 3): 0.9, (1, 3): 0.7, (1, 2): 0.6}) == {(0, 3), (1, 2)}


def test_a_cluster_meets_no_source_twice_through_others() -> None:
    assert _kept({(0, 2): 0.9, (2, 4): 0.8, (1, 4): 0.7}) == {(0, 2), (2, 4)}


def test_an_unlikely_link_is_none() -> None:
    assert _kept({(0, 2): 0.4}) == set()
