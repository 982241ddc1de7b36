"""How long the store takes for a request, and what it refuses: of the lean lane, and of all that boto3 asks."""

from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from backend.clock import monotonic
from backend.metrics.of_doors import STORAGE_CALL, STORAGE_FAULTS, StorageFault, StorageOperation
from backend.storage.faults import CHANGED, NOT_FOUND

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BEGAN = "agensium_began"  # in botocore's context of a call
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_OF_WHAT_MAY_BE_GONE = {StorageOperation.GET, StorageOperation.HEAD, StorageOperation.PARTS}
_OPERATIONS = MappingProxyType(
    {
        "PutObject": StorageOperation.PUT,
        "GetObject": StorageOperation.GET,
        "HeadObject": StorageOperation.HEAD,
        "ListObjectsV2": StorageOperation.LIST,
        "DeleteObjects": StorageOperation.DELETE,
        "CreateMultipartUpload": StorageOperation.PARTS,
        "UploadPart": StorageOperation.PARTS,
        "ListParts": StorageOperation.PARTS,
        "CompleteMultipartUpload": StorageOperation.PARTS,
        "AbortMultipartUpload": StorageOperation.PARTS,
        "ListMultipartUploads": StorageOperation.PARTS,
    }
)


def answered(method: str, seconds: float) -> None:
    """The lean lane's plain answer to PUT, GET or HEAD. Where it declines, boto3 asks, and is measured itself."""
    STORAGE_CALL.observe(seconds, StorageOperation(method.lower()))


def measure(client: "S3Client") -> None:
    """From now on each of its calls, retries included, is counted."""
    events = client.meta.events
    events.register("before-call.s3", _begin)
    events.register("after-call.s3", _end)
    events.register("after-call-error.s3", _unreached)


def _begin(context: dict[str, Any], **_: Any) -> None:
    context[_BEGAN] = monotonic()


def _end(event_name: str, http_response: Any, context: dict[str, Any], **_: Any) -> None:
    operation = _operation(event_name)
    fault = fault_of(operation, http_response.status_code)
    if fault is not None:
        STORAGE_FAULTS.count(operation, fault)
    elif _BEGAN in context:
        STORAGE_CALL.observe(monotonic() - context[_BEGAN], operation)


def _unreached(event_name: str, **_: Any) -> None:
    STORAGE_FAULTS.count(_operation(event_name), StorageFault.UNREACHABLE)


def fault_of(operation: StorageOperation, status: int) -> StorageFault | None:
    """None where the store did what it should: also that there is no such object or upload, or another by now."""
    if status < HTTPStatus.BAD_REQUEST or (status in (NOT_FOUND, CHANGED) and operation in _OF_WHAT_MAY_BE_GONE):
        return None
    if status in _BUSY:
        return StorageFault.BUSY
    return StorageFault.BROKEN if status >= HTTPStatus.INTERNAL_SERVER_ERROR else StorageFault.REFUSED


def _operation(event_name: str) -> StorageOperation:
    """`after-call.s3.PutObject`."""
    return _OPERATIONS.get(event_name.rpartition(".")[2], StorageOperation.OTHER)
