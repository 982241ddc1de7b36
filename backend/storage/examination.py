"""What `agensium doctor` asks the store: facts, no verdicts. It writes below a prefix of its own, and removes that."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, SSLError

from backend.clock import half_way, now
from backend.storage.door import Storage
from backend.storage.faults import StorageError, status_of
from backend.storage.objects import UploadLink

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "agensium-doctor/"  # no customer's, whose keys begin with users/
BODY = b"agensium doctor was here, and forgot this object\n"
MEDIA_TYPE = "text/plain"
COLD = frozenset({"GLACIER", "DEEP_ARCHIVE"})  # to be thawed for hours before it is read
# What a store says that has no such rule, or does not know of such rules at all.
_NONE = frozenset(
    {
        "ServerSideEncryptionConfigurationNotFoundError", "NoSuchPublicAccessBlockConfiguration", "NoSuchBucketPolicy",
        "NoSuchLifecycleConfiguration",
    }
)  # fmt: skip
_NOT_KNOWN = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented", "501", "405"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the store did not do, and its own word for why."""

    act: str
    permission: str
    said: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A part of the bucket's lifecycle; days until it removes, or moves to where nothing is read at once."""

    name: str
    prefix: str
    days: int
    removes: bool


@dataclass(frozen=True, slots=True)
class BucketRules:
    """None, wherever: the store did not tell; `untold` has its words for that."""

    encryption: str | None  # the algorithm, empty for none
    public: bool | None  # by its policy
    blocks_public: bool | None
    keeps_versions: bool | None
    removes_old_versions: bool
    rules: Sequence[Rule]
    untold: Mapping[str, str]
    unheard_of: Sequence[str]  # the store has no such thing


@dataclass(frozen=True, slots=True)
class Probe:
    """An object of ours for the length of the look, with links to its neighbours. `encryption` is how it lies."""

    url: str  # without a signature: nobody may read it so
    download_link: str
    form: UploadLink
    part_link: str
    encryption: tuple[str, str]  # algorithm and key, empty for none


def ahead_seconds(storage: Storage) -> float | None:
    """This machine's clock beside the store's, which tells it by the second; None where it does not.

    Raises StorageError.
    """
    asked_at = now()
    told = _client(storage).head_bucket(Bucket=storage.bucket)["ResponseMetadata"]["HTTPHeaders"].get("date")
    told_at = half_way(asked_at)
    if told is None:
        return None
    apart = (told_at - parsedate_to_datetime(told)).total_seconds()
    return min(apart, max(0.0, apart - 1.0), key=abs)  # the second that it cut off


def try_everything(storage: Storage) -> Sequence[Refusal]:
    """Each thing that Agensium does with objects, once; what was refused."""
    folder = f"{PREFIX}{uuid.uuid4()}/"
    key, large = f"{folder}one", f"{folder}parts"
    acts: tuple[tuple[str, str, Callable[[], object]], ...] = (
        ("write an object", "s3:PutObject", lambda: storage.put_bytes(key, BODY, MEDIA_TYPE)),
        ("read an object", "s3:GetObject", lambda: storage.get_bytes(key)),
        ("list objects", "s3:ListBucket", lambda: list(storage.list(folder))),
        ("send an object in parts", "s3:PutObject", lambda: _send_in_parts(storage, large)),
        ("list unfinished uploads", "s3:ListBucketMultipartUploads",
         lambda: list(storage.list_unfinished_uploads(folder))),
        ("give up an upload", "s3:AbortMultipartUpload", lambda: _give_up(storage, f"{folder}never")),
        ("remove objects", "s3:DeleteObject", lambda: storage.delete([key, large])),
    )  # fmt: skip
    return [refusal for name, permission, act in acts if (refusal := _tried(name, permission, act))]


@contextmanager
def probe(storage: Storage) -> Iterator[Probe]:
    """Raises StorageError, also where the probe cannot be removed."""
    folder = f"{PREFIX}{uuid.uuid4()}/"
    key = f"{folder}probe"
    storage.put_bytes(key, BODY, MEDIA_TYPE)
    try:
        upload = storage.begin_upload(f"{folder}by-link", MEDIA_TYPE, by_links=True)
        try:
            lies = _client(storage).head_object(Bucket=storage.bucket, Key=key)
            link = storage.download_link(key, "probe.txt")
            yield Probe(
                url=link.partition("?")[0],
                download_link=link,
                form=storage.upload_link(f"{folder}by-form", MEDIA_TYPE, len(BODY)),
                part_link=storage.part_link(upload, 1, len(BODY)),
                encryption=(lies.get("ServerSideEncryption") or "", lies.get("SSEKMSKeyId") or ""),
            )
        finally:
            with suppress(*StorageError):  # try_everything() tells of who may not
                storage.abort_upload(upload)
    finally:
        storage.delete(found.key for found in list(storage.list(folder)))


def bucket(storage: Storage) -> BucketRules:
    client, named = _client(storage), {"Bucket": storage.bucket}
    untold: dict[str, str] = {}
    unheard_of: list[str] = []

    def ask(name: str, question: Callable[..., Any]) -> Any:
        """None: the store did not tell; empty: there is none."""
        try:
            return question(**named)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", status_of(error)))
            if code in _NONE:
                return {}
            if code in _NOT_KNOWN:
                unheard_of.append(name)
            else:
                untold[name] = code
        except StorageError as error:
            untold[name] = type(error).__name__
        return None

    encryption = ask("encryption", client.get_bucket_encryption)
    policy = ask("policy", client.get_bucket_policy_status)
    block = ask("public access block", client.get_public_access_block)
    versioning = ask("versioning", client.get_bucket_versioning)
    lifecycle = ask("lifecycle", client.get_bucket_lifecycle_configuration)
    rules = [rule for rule in (lifecycle or {}).get("Rules", ()) if rule.get("Status") == "Enabled"]
    return BucketRules(
        encryption=None if encryption is None else _algorithm(encryption),
        public=None if policy is None else bool(policy.get("PolicyStatus", {}).get("IsPublic")),
        blocks_public=None if block is None else all(block.get("PublicAccessBlockConfiguration", {"": False}).values()),
        keeps_versions=None if versioning is None else versioning.get("Status") == "Enabled",
        removes_old_versions=any("NoncurrentVersionExpiration" in rule for rule in rules),
        rules=[told for rule in rules for told in _rules(rule)],
        untold=untold,
        unheard_of=unheard_of,
    )


def is_unproven(error: Exception) -> bool:
    """True where the store's certificate was not believed."""
    return isinstance(error, SSLError)


def reason(error: Exception) -> str:
    """One line of what the store or its client says."""
    return " ".join(str(error).split())


def _tried(name: str, permission: str, act: Callable[[], object]) -> Refusal | None:
    try:
        act()
    except StorageError as error:
        return Refusal(name, permission, reason(error))
    return None


def _send_in_parts(storage: Storage, key: str) -> None:
    upload = storage.begin_upload(key, MEDIA_TYPE)
    storage.finish_upload(upload, [storage.put_part(upload, 1, BODY)])


def _give_up(storage: Storage, key: str) -> None:
    storage.abort_upload(storage.begin_upload(key, MEDIA_TYPE))


def _algorithm(told: Mapping[str, Any]) -> str:
    rules = told.get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
    found = [rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "") for rule in rules]
    return str(found[0]) if found else ""


def _rules(rule: Mapping[str, Any]) -> Iterator[Rule]:
    name = str(rule.get("ID", "without a name"))
    filtered = rule.get("Filter", {})
    prefix = str(rule.get("Prefix") or filtered.get("Prefix") or filtered.get("And", {}).get("Prefix") or "")
    if "Expiration" in rule and not rule["Expiration"].get("ExpiredObjectDeleteMarker"):
        yield Rule(name, prefix, int(rule["Expiration"].get("Days", 0)), removes=True)
    for moved in rule.get("Transitions", ()):
        if moved.get("StorageClass") in COLD:
            yield Rule(name, prefix, int(moved.get("Days", 0)), removes=False)


def _client(storage: Storage) -> "S3Client":
    return storage._client  # noqa: SLF001 (this is the same room)
