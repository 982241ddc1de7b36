import numpy as np
import pytest

from transformers.matching.copies import Copies
from transformers.matching.model import sigmoid
from transformers.matching.pairs import Pairs
from transformers.matching.row_probabilities import Standing, standing

LABELS = np.array([0, 0, 2, 3])
PAIRS = Pairs.of(np.array([0, 1]), np.array([1, 2]), np.array([2.0, -1.0]))
LIKELY, UNLIKELY = (float(p) for p in sigmoid(np.array([2.0, -1.0])))


def _copies(logit: float) -> Standing:
    """Three rows, all alike, are the record 3."""
    one = Copies(np.array([3]), np.array([3]), np.array([logit]), np.array([0.0]), 10.0)
    return standing(LABELS, PAIRS, one, 0.0)


def test_a_row_is_as_likely_as_its_likeliest_link_and_alone_as_none_is() -> None:
    found = standing(LABELS, PAIRS, None, 0.0)
    assert found.probability.tolist() == pytest.approx([LIKELY, LIKELY, 1 - UNLIKELY, 1])
    assert found.together.tolist() == [True, True, False, False]


def test_copies_that_are_sure_are_together() -> None:
    found = _copies(2.0)
    assert found.probability[3] == pytest.approx(LIKELY)
    assert (bool(found.together[3]), found.apart) == (True, 0)


def test_copies_that_are_not_stand_alone_each() -> None:
    found = _copies(-1.0)
    assert found.probability[3] == pytest.approx(1 - UNLIKELY)
    assert (bool(found.together[3]), found.apart) == (False, 2)
