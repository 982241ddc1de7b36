"""Links with which a customer sends or fetches a file without us between."""

from urllib.parse import quote

from backend.storage import encryption
from backend.storage.bucket import Bucket
from backend.storage.objects import UploadLink


class Links(Bucket):
    """Presigned; they name the public address where there is one."""

    def upload_link(self, key: str, content_type: str, max_bytes: int) -> UploadLink:
        fields = {"Content-Type": content_type, **encryption.headers(self._settings)}
        post = self._signer.generate_presigned_post(
            self.bucket,
            key,
            Fields=fields,
            Conditions=[["content-length-range", 1, max_bytes], *({name: value} for name, value in fields.items())],
            ExpiresIn=self._settings.upload_link_seconds,
        )
        return UploadLink(post["url"], post["fields"], max_bytes, key)

    def download_link(self, key: str, filename: str) -> str:
        """A GET link that saves under `filename`."""
        return self._signer.generate_presigned_url(
            "get_object",
            Params={"Bucket": self.bucket, "Key": key, "ResponseContentDisposition": saved_as(filename)},
            ExpiresIn=self._settings.download_link_seconds,
        )


def saved_as(filename: str) -> str:
    """Content-Disposition after RFC 6266: ASCII for old clients, and the true name, which S3 refuses unquoted."""
    plain = "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "_" for letter in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
