"""A long piece of work says that it goes on, and not with every piece."""

import pytest

from transformers.ingestion import sign_of_life
from transformers.ingestion.sign_of_life import SignOfLife


def test_it_speaks_once_a_second_and_says_how_much_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 0.5, 1.5, 1.5, 1.9, 2.6, 2.6])
    monkeypatch.setattr(sign_of_life, "monotonic", lambda: next(times))
    said: list[float] = []
    alive = SignOfLife(said.append)
    alive.share = 0.25
    assert list(alive.over("abcd")) == list("abcd")
    assert said == [0.25, 0.25]
