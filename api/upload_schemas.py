"""Files on their way in: what is announced, where it is to be sent, what has come."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from api.schemas import A_TASK, A_TIME, Asked, ShortText, Told
from transformers.input_plan import MOST_FILES


class AnnouncedFile(Asked):
    filename: ShortText = Field(examples=["customers.csv"])
    content_type: Annotated[str, StringConstraints(max_length=200, pattern=r"^[\w.+-]+/[\w.+-]+(; ?[\w=-]+)*$")] = (
        Field("application/octet-stream", examples=["text/csv"])
    )
    size: int = Field(ge=0, description="Bytes.", examples=[48_213])


def _one_or_several(value: Any) -> str:
    return "files" if isinstance(value, list) else "file"


# Told apart by their shape, so that what is wrong with a file is said of the shape that was sent.
OneOrSeveral = Annotated[
    Annotated[AnnouncedFile, Tag("file")]
    | Annotated[list[AnnouncedFile], Field(min_length=1, max_length=MOST_FILES), Tag("files")],
    Discriminator(_one_or_several),
]


class AnnouncedFiles(Asked):
    files: dict[ShortText, OneOrSeveral] = Field(
        min_length=1,
        max_length=20,
        description="role → file, or a list of files for a role that takes several; the role `parameters` takes a "
        "parameters.json.",
        examples=[{"primary": {"filename": "customers.csv", "content_type": "text/csv", "size": 48_213}}],
    )


class UploadView(Told):
    """A form to POST: the fields first, the file last, as `file`."""

    method: Literal["POST"] = "POST"
    url: str = Field(examples=["https://s3.example.com/agensium"])
    fields: dict[str, str] = Field(examples=[{"key": "users/1/…/customers.csv", "policy": "…", "x-amz-signature": "…"}])
    max_bytes: int = Field(examples=[524_288_000])
    expires_at: datetime = Field(examples=[A_TIME])
    key: str = Field(examples=[f"users/1/tasks/{A_TASK}/inputs/primary/customers.csv"])


class PartView(Told):
    number: int = Field(examples=[1])
    size: int = Field(description="Bytes; the link takes no other number.", examples=[16_777_216])
    url: str = Field(
        description="PUT the part here; the answer's ETag names it.", examples=["https://s3.example.com/…"]
    )


class PartsView(Told):
    """A large file: PUT its parts in any order, some at once, then `complete`."""

    method: Literal["MULTIPART"] = "MULTIPART"
    part_bytes: int = Field(description="Of every part but the last.", examples=[16_777_216])
    parts: list[PartView]
    max_bytes: int = Field(examples=[524_288_000])
    expires_at: datetime = Field(examples=[A_TIME])
    key: str = Field(examples=[f"users/1/tasks/{A_TASK}/inputs/primary/customers.csv"])


AnyUpload = Annotated[UploadView | PartsView, Field(discriminator="method")]


class Uploads(Told):
    uploads: dict[str, AnyUpload | list[AnyUpload]] = Field(
        description="By role; of a role that takes several files a list, in the order of the request."
    )


class SentPart(Asked):
    number: int = Field(ge=1, le=10_000, examples=[1])
    etag: ShortText = Field(examples=["9b2cf535f27731c974343645a3985328"])


class SentParts(Asked):
    parts: list[SentPart] = Field(
        default_factory=list,
        max_length=10_000,
        description="What the store answered to each part; empty: whatever has arrived is taken.",
    )


class ReceivedFile(Told):
    role: str = Field(examples=["primary"])
    filename: str = Field(description="As it is kept, safe on every system.", examples=["customers.csv"])
    size: int = Field(description="Bytes.", examples=[48_213])
    format: str = Field(description="What its first bytes show it to be.", examples=["csv"])
