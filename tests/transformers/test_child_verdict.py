import json

import pytest

from backend.errors import BadParameters, ErrorClass, InternalError, ModelUnavailable, Verdict
from transformers.child_verdict import verdict_from_json, verdict_to_json

ENVELOPE = 8192  # bytes

HOSTILE = {
    "an emoji takes twelve bytes": "😀" * 100_000,
    "a control sign takes six": "\x01" * 100_000,
    "a quote takes two": '"\\' * 100_000,
    "half of a pair": "\ud83d" * 100_000,
    "a little of each": 'é"😀\x1f\ud800 word ' * 20_000,
    "light at first, heavy at the end": "a" * 3000 + "😀" * 100_000,
    "heavy at first, light at the end": "😀" * 100_000 + "a" * 3000,
}


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_stays_within_the_envelope(words: str) -> None:
    error = BadParameters(words, detail=words, **{f"name_{number}": words for number in range(20)})
    line = json.dumps({"failed": verdict_to_json(error.verdict, error)}).encode() + b"\n"
    assert 6000 < len(line) <= ENVELOPE
    verdict = verdict_from_json(json.loads(line)["failed"])
    assert verdict.error_class is ErrorClass.USER
    assert verdict.message
    assert verdict.detail


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_of_a_bug_stays_within_it_too(words: str) -> None:
    error = InternalError(words, **{words[:5000]: words})
    assert len(json.dumps(verdict_to_json(error.verdict, error))) <= ENVELOPE


def test_a_verdict_comes_over_as_it_was() -> None:
    error = ModelUnavailable("Busy.", detail="429", retry_after=7.5, model="m")
    assert verdict_from_json(verdict_to_json(error.verdict, error)) == error.verdict


def test_of_a_long_detail_the_end_is_kept() -> None:
    verdict = Verdict(ErrorClass.USER, "X", "m", "n", recoverable=False, detail="a" * 9000 + " the very end")
    said = verdict_to_json(verdict, ValueError())
    assert said["detail"].endswith("aaa the very end")
