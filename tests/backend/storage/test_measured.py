import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from backend.devstack import Stack
from backend.metrics.of_doors import StorageFault, StorageOperation
from backend.metrics.tally import TALLY
from backend.settings import Settings
from backend.storage.door import Storage
from backend.storage.measured import fault_of
from tests.metrics import value


@pytest.fixture
def storage(stack: Stack) -> Storage:
    made = Storage(Settings(_env_file=None, s3_bucket="measured"))
    made.ensure_bucket()
    TALLY.take()
    return made


def calls(operation: str) -> float:
    spread = TALLY.read().spreads.get(("agensium_storage_call_seconds", (operation,)), [0])
    return sum(spread[:-1])


def errors(operation: str, fault: StorageFault) -> float:
    return value(TALLY.read(), "agensium_storage_errors_total", {0: operation, 1: fault})


def test_each_request_is_counted_once_by_whichever_lane_it_went(storage: Storage) -> None:
    storage.put_bytes("a", b"1", "text/plain")
    assert storage.get_bytes("a") == b"1"
    assert storage.head("a") is not None
    assert storage.head("nothing") is None
    assert [one.key for one in storage.list("a")] == ["a"]
    storage.delete(["a"])
    assert [calls(name) for name in ("put", "get", "head", "list", "delete")] == [1, 1, 2, 1, 1]
    assert not [series for series in TALLY.read().counts if "errors" in series[0]]


def test_what_the_store_refuses_and_a_store_that_is_away_are_errors(stack: Stack) -> None:
    TALLY.take()
    nobody = Storage(Settings(_env_file=None, s3_bucket="there-is-none"))
    with pytest.raises(ClientError):
        nobody.put_bytes("a", b"1", "text/plain")
    away = Storage(Settings(_env_file=None, s3_endpoint_url="http://127.0.0.1:1"))
    with pytest.raises(EndpointConnectionError):
        away.get_bytes("a")
    assert errors("get", StorageFault.UNREACHABLE) == 1
    assert errors("put", StorageFault.REFUSED) == 1
    assert calls("put") + calls("get") == 0


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (200, None), (206, None), (404, None), (412, None), (403, StorageFault.REFUSED), (429, StorageFault.BUSY),
        (503, StorageFault.BUSY), (500, StorageFault.BROKEN),
    ],
)  # fmt: skip
def test_a_status_says_whose_fault_it_is(status: int, fault: StorageFault | None) -> None:
    assert fault_of(StorageOperation.GET, status) == fault
