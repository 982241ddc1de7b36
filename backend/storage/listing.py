"""What lies in the bucket under a prefix, and the end of it."""

from collections.abc import Iterable, Iterator
from itertools import islice

from botocore.exceptions import ClientError

from backend.storage.bucket import Bucket
from backend.storage.objects import ObjectInfo

DELETE_LIMIT = 1000  # keys in one DeleteObjects call


class Listing(Bucket):
    """Objects, many at a time."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object under a prefix, however many pages."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for found in page.get("Contents", ()):
                yield ObjectInfo(found["Key"], found["Size"], found["ETag"].strip('"'), found["LastModified"])

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, however many; those that are not there do not matter."""
        wanted = iter(keys)
        while some := [{"Key": key} for key in islice(wanted, DELETE_LIMIT)]:
            answer = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": some, "Quiet": True})  # type: ignore[typeddict-item]
            if refused := answer.get("Errors"):  # the store answers 200 all the same
                sentence = f"{refused[0]['Key']} and {len(refused) - 1} more"
                raise ClientError({"Error": {"Code": refused[0]["Code"], "Message": sentence}}, "DeleteObjects")
