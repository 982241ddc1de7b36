"""The customer that `agensium demo` plays, against a real house."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.client import Customer, RequestRefused
from tests.acceptance.house import PATIENCE, TABLE, House


@pytest.fixture
def customer(solo_house: House) -> Iterator[Customer]:
    with Customer(solo_house.api_url) as found:
        found.register(f"{uuid.uuid4().hex}@example.com", "a long and private sentence")
        yield found


def test_a_refusal_says_what_happened_and_what_to_do(customer: Customer, tmp_path: Path) -> None:
    with pytest.raises(RequestRefused, match=r"422: There is no tool called 'mend-my-data'\. GET /tools lists"):
        customer.submit("mend-my-data", tmp_path / "people.csv")


def test_a_task_is_followed_to_its_end_and_its_outputs_arrive_whole(customer: Customer, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(TABLE)
    task_id = customer.submit("profile-my-data", file)
    seen = list(customer.follow(task_id, PATIENCE))
    assert seen[-1]["status"] == "COMPLETED"
    assert [task["progress"] for task in seen] == sorted(task["progress"] for task in seen)
    arrived = customer.download_outputs(task_id, tmp_path / "outputs")
    assert {download.path.name: download.path.stat().st_size for download in arrived} == {
        download.path.name: download.size for download in arrived
    }
    assert {download.path.name for download in arrived} >= {"report.json", "report.html", "report.xlsx"}


def test_a_file_that_was_changed_on_the_way_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promised = {"outputs": [{"name": "report.json", "url": "http://127.0.0.1/report.json", "sha256": "0" * 64}]}
    arrived = httpx.Response(200, content=b"{}", request=httpx.Request("GET", "http://127.0.0.1/report.json"))
    monkeypatch.setattr(Customer, "ask", lambda *_: promised)
    monkeypatch.setattr(httpx, "get", lambda *_, **__: arrived)
    with Customer("http://127.0.0.1") as customer, pytest.raises(RequestRefused, match="checksum"):
        customer.download_outputs("a-task", tmp_path)
    assert list(tmp_path.iterdir()) == []
