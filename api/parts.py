"""A large file's parts: how it is cut, a link for each part, and putting them together when all have come."""

import math
from collections.abc import Sequence

from api.arrivals import Wanted
from api.upload_schemas import PartView, SentParts
from backend.errors import Conflict, MissingInputRole
from backend.storage.door import Storage
from backend.storage.objects import OpenUpload, UploadedPart
from transformers.input_plan import PlannedFile, check_size
from transformers.tool import MEBIBYTE

LEAST_PART = 16 * MEBIBYTE  # sent again as a whole when it breaks off
MOST_PARTS = 1000  # links in one answer


def part_bytes(size: int) -> int:
    """Of each part but the last: whole mebibytes, and no more parts than MOST_PARTS."""
    return max(LEAST_PART, math.ceil(size / MOST_PARTS / MEBIBYTE) * MEBIBYTE)


def part_links(storage: Storage, upload: OpenUpload, size: int) -> list[PartView]:
    step = part_bytes(size)
    sizes = [min(step, size - start) for start in range(0, size, step)]
    return [
        PartView(number=number, size=part, url=storage.part_link(upload, number, part))
        for number, part in enumerate(sizes, start=1)
    ]


def put_together(storage: Storage, wanted: Wanted, upload: OpenUpload, asked: SentParts) -> None:
    """Make one object of the parts that have arrived; done before, it is left as it is.

    Raises:
        MissingInputRole: with the numbers of the parts that have not come, or not as named.
        FileTooLarge
        Conflict: the upload was ended meanwhile.
    """
    try:
        parts = storage.parts_of(upload)
    except Conflict:
        if _is_put_together(storage, wanted.file):
            return
        raise
    _check_parts(wanted, parts, asked)
    storage.finish_upload(upload, parts)


def _is_put_together(storage: Storage, file: PlannedFile) -> bool:
    """The store has done it before and the answer, or the row, did not come to be."""
    found = storage.head(file.key)
    return found is not None and found.size == file.size and "-" in found.etag


def _check_parts(wanted: Wanted, parts: Sequence[UploadedPart], asked: SentParts) -> None:
    there = {part.number: part.etag for part in parts}
    other = [part.number for part in asked.parts if there.get(part.number) != part.etag.strip('"')]
    wanted_numbers = range(1, math.ceil(wanted.file.size / part_bytes(wanted.file.size)) + 1)
    missing = [number for number in wanted_numbers if number not in there]
    if other or missing:
        raise MissingInputRole(
            f"{wanted.file.filename!r} is not whole: {len({*other, *missing})} of {len(wanted_numbers)} parts have not "
            "arrived, or as others than named.",
            role=wanted.role.name, filename=wanted.file.filename, parts=sorted({*other, *missing})[:100],
        )  # fmt: skip
    check_size(wanted.role, wanted.file.filename, sum(part.size for part in parts))
