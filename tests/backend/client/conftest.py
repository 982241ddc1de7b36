from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from both_clients import Answering, Face

from backend.client import flows, following

Meeting = Callable[..., Face]


@pytest.fixture(params=["sync", "async"])
def meeting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meeting]:
    """A client whose requests are answered by a function; its pauses take no time."""
    monkeypatch.setattr(flows, "jitter", lambda _seconds: 0.0)
    monkeypatch.setattr(following, "jitter", lambda _seconds: 0.0)
    faces: list[Face] = []

    def meet(answering: Answering, **options: Any) -> Face:
        faces.append(Face(request.param, "http://api", transport=httpx.MockTransport(answering), **options))
        return faces[-1]

    yield meet
    for face in faces:
        face.end()
