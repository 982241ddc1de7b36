"""Objects that come by parts: ours, or those a customer sends by links."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from botocore.exceptions import ClientError

from backend.storage.bucket import Bucket
from backend.storage.faults import NOT_FOUND, status_of, still_open
from backend.storage.objects import OpenUpload, UnfinishedUpload, UploadedPart


class Parts(Bucket):
    """Multipart uploads, from their beginning to their end."""

    def begin_upload(self, key: str, content_type: str, *, by_links: bool = False) -> OpenUpload:
        """An object that will come by parts, ours or those of `part_link`; nothing shows until `finish_upload`."""
        # boto3 sends a CRC-32 with each part, and S3 wants to know beforehand whether there will be any.
        checked: Any = {} if by_links else {"ChecksumAlgorithm": "CRC32"}
        said = {"ContentType": content_type, **checked, **self._encryption}
        begun = self._client.create_multipart_upload(Bucket=self.bucket, Key=key, **said)
        return OpenUpload(key, begun["UploadId"])

    def put_part(self, upload: OpenUpload, number: int, body: bytes | bytearray) -> UploadedPart:
        """Raises Conflict: the upload was ended meanwhile."""
        with still_open():
            put = self._client.upload_part(**self._of(upload), PartNumber=number, Body=cast("bytes", body))
        return UploadedPart(number, put["ETag"].strip('"'), len(body), put.get("ChecksumCRC32"))

    def parts_of(self, upload: OpenUpload) -> Sequence[UploadedPart]:
        """What has come of it, in order. Raises Conflict: the upload was ended meanwhile."""
        with still_open():
            pages = list(self._client.get_paginator("list_parts").paginate(**self._of(upload)))
        return [
            UploadedPart(part["PartNumber"], part["ETag"].strip('"'), part["Size"])
            for page in pages
            for part in page.get("Parts", ())
        ]

    def finish_upload(self, upload: OpenUpload, parts: Sequence[UploadedPart]) -> None:
        """The parts are one object from here on. Raises Conflict: the upload was ended meanwhile."""
        named = [
            {"PartNumber": part.number, "ETag": part.etag} | ({"ChecksumCRC32": part.crc32} if part.crc32 else {})
            for part in parts
        ]
        with still_open():
            self._client.complete_multipart_upload(**self._of(upload), MultipartUpload={"Parts": named})  # type: ignore[typeddict-item]

    def part_link(self, upload: OpenUpload, number: int, size: int) -> str:
        """A PUT link for one part. Its length is signed: the store refuses a body of another."""
        return self._signer.generate_presigned_url(
            "upload_part",
            Params={**self._of(upload), "PartNumber": number, "ContentLength": size},
            ExpiresIn=self._settings.upload_link_seconds,
        )

    def list_unfinished_uploads(self, prefix: str) -> Iterator[UnfinishedUpload]:
        """Every multipart upload under a prefix that is not completed."""
        for page in self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix):
            for found in page.get("Uploads", ()):
                yield UnfinishedUpload(found["Key"], found["UploadId"], found["Initiated"])

    def abort_upload(self, upload: OpenUpload) -> None:
        """Free the parts; one that has ended meanwhile does not matter."""
        try:
            self._client.abort_multipart_upload(**self._of(upload))
        except ClientError as error:
            if status_of(error) != NOT_FOUND:
                raise

    def _of(self, upload: OpenUpload) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": upload.key, "UploadId": upload.upload_id}
