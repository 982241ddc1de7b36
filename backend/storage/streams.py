"""Objects as they come, and onto local disk: a large one in pieces side by side, with a few MiB of memory all the same.

A store sends one stream at some 50–100 MB a second, however wide the way.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from botocore.exceptions import IncompleteReadError

if TYPE_CHECKING:
    from botocore.response import StreamingBody

LARGE = 64 << 20  # bytes: below, a second request costs more than it saves
PIECE = 16 << 20
HANDS = 4
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class OpenObject:
    """`size` is what will come, 0 where the store does not say.

    `proven`: it is compared with the store's checksum as it comes, for which it must come in order.
    """

    body: "StreamingBody"
    size: int
    etag: str
    proven: bool


def write(found: OpenObject, path: Path, open_piece: Callable[[int, int], OpenObject]) -> None:
    """`open_piece` asks for a piece by where it begins and how long it is. Closes what it reads."""
    with closing(found.body), path.open("wb") as file:
        if found.size < LARGE or found.proven:
            _copy(found, file)
            return
        file.truncate(found.size)
    with ThreadPoolExecutor(HANDS, thread_name_prefix="pieces") as hands:
        lengths = [(start, min(PIECE, found.size - start)) for start in range(0, found.size, PIECE)]
        list(hands.map(lambda piece: _write_piece(path, open_piece, *piece), lengths))


def _write_piece(path: Path, open_piece: Callable[[int, int], OpenObject], start: int, length: int) -> None:
    found = open_piece(start, length)
    with closing(found.body), path.open("r+b") as file:
        if found.size != length:
            raise IncompleteReadError(actual_bytes=found.size, expected_bytes=length)
        file.seek(start)
        _copy(found, file)


def _copy(found: OpenObject, file: IO[bytes]) -> None:
    for chunk in found.body.iter_chunks(_CHUNK):
        file.write(chunk)
