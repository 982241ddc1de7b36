from pathlib import Path

import httpx
import pytest

from backend.chaos.by_url import REFUSED, Elsewhere, Target, refuse_elsewhere, refuse_store_elsewhere, run_by_url
from backend.client import AgensiumClient


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000", "http://127.9.9.9"])
def test_this_machine_may_be_disturbed(url: str) -> None:
    refuse_elsewhere(url)


@pytest.mark.parametrize(
    "url", ["https://api.example.com", "http://10.0.0.7:8000", "http://127.0.0.1.example.com", "http://0.0.0.0", "api"]
)
def test_another_machine_may_not_and_the_sentence_says_how_it_could_be_reached(url: str) -> None:
    with pytest.raises(Elsewhere, match="kubectl port-forward"):
        refuse_elsewhere(url)


def test_a_file_store_elsewhere_has_to_be_named() -> None:
    refuse_store_elsewhere("http://127.0.0.1:9000/bucket", [])
    refuse_store_elsewhere("https://s3.example.com/bucket?X-Amz-Signature=1", ["S3.example.com"])
    with pytest.raises(Elsewhere, match=r"--store-host s3\.example\.com"):
        refuse_store_elsewhere("https://s3.example.com/bucket", ["example.com"])


def test_nothing_is_sent_to_an_address_that_is_not_permitted(tmp_path: Path) -> None:
    link = {"method": "POST", "url": "https://s3.example.com/bucket", "fields": {}}
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, json={"uploads": {"primary": link}})

    file = tmp_path / "people.csv"
    file.write_text("name\n")
    customer = AgensiumClient(
        "http://127.0.0.1", permit=lambda url: refuse_store_elsewhere(url, []), transport=httpx.MockTransport(answer)
    )
    with customer, pytest.raises(Elsewhere):
        customer.upload("t1", file)
    assert asked == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("url", "disturb"), [("http://10.0.0.7", "true"), ("http://127.0.0.1:1", "kubectl 'delete")], ids=["url", "quotes"]
)
def test_what_cannot_be_done_is_refused_before_anything_is_asked(url: str, disturb: str, tmp_path: Path) -> None:
    target = Target(url, "key", "probe", tmp_path / "none.csv", tasks=1, disturb=disturb, every=1, seconds=1)
    assert run_by_url(target) == REFUSED
