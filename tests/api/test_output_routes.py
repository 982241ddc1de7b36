import hashlib

import httpx
import pytest
from botocore.exceptions import EndpointConnectionError
from hall_client import Customer, problem_of
from task_lives import half_done, published

from api import output_routes
from backend.storage.door import Storage


def output_of(customer: Customer, task_id: str, name: str = "report.html", **headers: str) -> httpx.Response:
    asked = {key.replace("_", "-"): value for key, value in headers.items()}
    return customer.get(f"/tasks/{task_id}/outputs/{name}", headers=asked)


@pytest.fixture
def done(customer: Customer) -> str:
    """A COMPLETED task with its files."""
    task_id = customer.queued()
    published(customer, task_id)
    return task_id


def test_every_output_can_be_had_from_our_own_address_too(customer: Customer, done: str) -> None:
    for output in customer.get(f"/tasks/{done}/outputs").json()["outputs"]:
        answer = output_of(customer, done, output["name"])

        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == output["sha256"]
        assert answer.headers["content-length"] == str(output["size"])
        assert answer.headers["content-type"] == output["content_type"] + "; charset=utf-8" * (
            output["content_type"] == "text/html"
        )


def test_no_browser_runs_an_output(customer: Customer, done: str) -> None:
    headers = output_of(customer, done).headers

    assert headers["content-security-policy"] == "sandbox"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"].startswith('attachment; filename="report.html"')


def test_an_output_is_fetched_by_pieces_however_large(
    customer: Customer, done: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_routes, "PIECE_BYTES", 3)

    assert output_of(customer, done).content == b"<p>fine</p>"
    assert output_of(customer, done, Range="bytes=2-8").content == b">fine</"


def test_a_store_that_does_not_answer_is_said_before_anything_is_sent(
    customer: Customer, done: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_asked: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://10.1.2.3")

    monkeypatch.setattr(Storage, "read", fail)

    assert problem_of(output_of(customer, done), 503)["error_code"] == "STORAGE_UNAVAILABLE"


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=3-6", b"fine", "bytes 3-6/11"),
        ("bytes=7-", b"</p>", "bytes 7-10/11"),
        ("bytes=-4", b"</p>", "bytes 7-10/11"),
        ("bytes=0-999", b"<p>fine</p>", "bytes 0-10/11"),
    ],
)
def test_a_range_of_an_output_is_that_piece(
    customer: Customer, done: str, asked: str, content: bytes, told: str
) -> None:
    answer = output_of(customer, done, Range=asked)

    assert (answer.status_code, answer.content) == (206, content)
    assert answer.headers["content-range"] == told
    assert answer.headers["content-length"] == str(len(content))


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "lines=1-2", "bytes=5-2", "bytes=-", "nonsense"])
def test_a_range_that_may_be_ignored_is(customer: Customer, done: str, asked: str) -> None:
    assert output_of(customer, done, Range=asked).content == b"<p>fine</p>"


def test_a_range_beyond_the_end_is_refused_with_the_size(customer: Customer, done: str) -> None:
    for asked in ("bytes=11-", "bytes=-0"):
        assert problem_of(output_of(customer, done, Range=asked), 416)["context"] == {"size": 11}


def test_an_output_that_is_known_already_is_not_sent_again(customer: Customer, done: str) -> None:
    etag = output_of(customer, done).headers["etag"]

    assert etag == f'"{hashlib.sha256(b"<p>fine</p>").hexdigest()}"'
    known = output_of(customer, done, If_None_Match=etag)
    assert (known.status_code, known.content) == (304, b"")
    assert output_of(customer, done, If_Range=etag, Range="bytes=0-1").status_code == 206
    assert output_of(customer, done, If_Range='"another"', Range="bytes=0-1").status_code == 200


def test_only_what_the_manifest_names_is_an_output(customer: Customer, done: str) -> None:
    problem = problem_of(output_of(customer, done, "artifact.json"), 404)

    assert problem["error_code"] == "OUTPUT_NOT_FOUND"
    assert problem["context"]["outputs"] == ["report.json", "report.html", "manifest.json"]
    problem_of(output_of(customer, done, "..%2Freport.json"), 404)


def test_another_customers_output_is_none(customer: Customer, stranger: Customer, done: str) -> None:
    assert problem_of(output_of(stranger, done), 404)["error_code"] == "TASK_NOT_FOUND"


@pytest.mark.parametrize("small", [True, False])
def test_what_was_delivered_so_far_can_be_had_too(customer: Customer, small: bool) -> None:
    task_id = customer.queued()
    half_done(customer, task_id, small=small)

    whole = output_of(customer, task_id, "counter.json")
    assert whole.json()["analysis_text"] == "Two rows."
    assert output_of(customer, task_id, "counter.json", Range="bytes=3-9").content == whole.content[3:10]
