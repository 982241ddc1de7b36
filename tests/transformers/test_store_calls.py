"""What a whole task asks of the store, counted: five tiny agents, as the benchmark has them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from trial_slot import TrialSlot, WarmChild
from urllib3 import BaseHTTPResponse, HTTPConnectionPool

from backend.storage.door import Storage
from bench.tools import FIVE
from db.claims import Claim
from tests import builders
from transformers.stored_files import Manifest

PRICES = {step.id: step.price for step in FIVE.steps}
REPORT = {"report.json", "report.xlsx", "report.html"}


class Asked(list[tuple[str, str, bytes]]):
    """Each request, whichever lane it took: its method, the last part of its path, and its body."""

    def names(self, method: str) -> list[str]:
        return [name for asked, name, _ in self if asked == method]


@pytest.fixture
def slot(database: str, storage_bucket: Storage, tmp_path: Path, warm_child: WarmChild) -> TrialSlot:
    return TrialSlot(storage_bucket, tmp_path / "scratch", warm_child, FIVE)


@pytest.fixture
def asked() -> Iterator[Asked]:
    asked = Asked()
    real = HTTPConnectionPool.urlopen

    def noted(pool: HTTPConnectionPool, method: str, url: str, **how: Any) -> BaseHTTPResponse:
        asked.append((method, url.rsplit("/", 1)[-1], how["body"] or b""))
        return real(pool, method, url, **how)

    with patch.object(HTTPConnectionPool, "urlopen", noted):
        yield asked


def five(slot: TrialSlot, asked: Asked) -> Claim:
    claim = slot.claim(prices=PRICES)
    asked.clear()
    slot.run(claim)
    return claim


def test_a_task_of_five_tiny_agents_reads_its_input_and_sends_its_report(slot: TrialSlot, asked: Asked) -> None:
    five(slot, asked)
    assert Counter(method for method, _, _ in asked) == {"GET": 1, "PUT": 4}
    assert asked.names("GET") == ["people.csv"]
    assert set(asked.names("PUT")[:-1]) == REPORT


def test_the_manifest_goes_when_all_that_it_names_is_there(slot: TrialSlot, asked: Asked) -> None:
    five(slot, asked)
    assert asked[-1][:2] == ("PUT", "manifest.json")


def test_nothing_is_sent_twice(slot: TrialSlot, asked: Asked) -> None:
    claim = five(slot, asked)
    key = builders.read(claim.task_id).manifest_key
    assert key is not None
    manifest = slot.storage.get_bytes(key)
    named = sum(file.size for file in Manifest.model_validate_json(manifest).files)
    assert sum(len(body) for method, _, body in asked if method == "PUT") == named + len(manifest)


def test_no_task_opens_boto3s_client(slot: TrialSlot, asked: Asked) -> None:
    door = Storage(slot.storage._settings)
    slot.storage = door
    five(slot, asked)
    assert "_client" not in vars(door)


def test_a_task_makes_one_folder_on_scratch(slot: TrialSlot, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    slot.scratch.mkdir()
    made: list[str] = []
    make = Path.mkdir

    def noted(path: Path, *how: Any, **more: Any) -> None:
        made.append(path.name)
        make(path, *how, **more)

    monkeypatch.setattr(Path, "mkdir", noted)
    claim = five(slot, asked)
    of_the_task = [name for name in made if not name.startswith("child")]  # the next child may be begun meanwhile
    assert of_the_task == [f"{claim.task_id}-{claim.epoch}"]
    assert not list(slot.scratch.iterdir())
