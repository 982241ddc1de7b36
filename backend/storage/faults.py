"""How the store refuses: botocore's errors, whoever sent the request. `backend.verdicts` knows what they mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from backend.errors import Conflict

StorageError = (BotoCoreError, ClientError)  # what a door's method may raise, for rooms that know no botocore
NOT_FOUND = 404
CHANGED = 412


def status_of(error: ClientError) -> Any:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")


@contextmanager
def still_open() -> Iterator[None]:
    """Raises Conflict where the store knows the upload no longer."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "NoSuchUpload":
            raise Conflict("The upload was ended meanwhile. Announce the file again and send it anew.") from error
        raise
