import pytest

from backend.errors import ModelUnavailable
from backend.language_models import measured
from backend.language_models.failures import Barred, LeftAlone, Passing, Refused
from backend.language_models.questions import Usage
from backend.metrics.tally import TALLY

MODEL = "compatible:small"


@pytest.fixture(autouse=True)
def _begun_anew() -> None:
    TALLY.take()


def try_once(failure: Exception | None) -> None:
    with measured.counted(MODEL):
        if failure is not None:
            raise failure


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (None, "answered"), (Refused("no"), "refused"), (Barred("no key"), "refused"), (Passing("503"), "failed"),
        (LeftAlone(), "left_alone"), (ModelUnavailable(), "failed"),
    ],
    ids=["answered", "refused", "no-key", "passing", "left-alone", "out-of-time"],
)  # fmt: skip
def test_a_try_is_counted_by_how_it_ended(failure: Exception | None, outcome: str) -> None:
    if failure is None:
        try_once(None)
    else:
        with pytest.raises(type(failure)):
            try_once(failure)
    counted = TALLY.read()
    assert counted.counts == {("agensium_model_calls_total", (MODEL, outcome)): 1}
    assert bool(counted.spreads) is (failure is None)


def test_tokens_are_counted_as_they_were_read_and_written() -> None:
    measured.tokens(MODEL, Usage(calls=1, input_tokens=11, output_tokens=4))
    assert TALLY.read().counts == {
        ("agensium_model_tokens_total", (MODEL, "read")): 11,
        ("agensium_model_tokens_total", (MODEL, "written")): 4,
    }
