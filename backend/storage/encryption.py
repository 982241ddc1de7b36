"""With which key the store encrypts what it is sent: in the words of a request, of a presigned form, and of boto3.

Without S3_KMS_KEY_ID nothing is said, and the bucket's own rule holds.
"""

from backend.settings import Settings

KMS = "aws:kms"
ALGORITHM, KEY = "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"


def headers(settings: Settings) -> dict[str, str]:
    """Of a PUT, and the fields of a presigned POST."""
    return {ALGORITHM: KMS, KEY: settings.s3_kms_key_id} if settings.s3_kms_key_id else {}


def arguments(settings: Settings) -> dict[str, str]:
    """Of boto3's calls that begin an object; the parts of an upload follow its beginning."""
    return {"ServerSideEncryption": KMS, "SSEKMSKeyId": settings.s3_kms_key_id} if settings.s3_kms_key_id else {}
