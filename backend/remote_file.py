"""A stored object as a file that can be read here and there: a few ranged reads instead of the whole."""

import io
from typing import TYPE_CHECKING

from backend.storage.door import Storage
from backend.storage.objects import ObjectInfo

if TYPE_CHECKING:
    from typing_extensions import Buffer

WINDOW = 64 * 1024  # asked for at once: a head, or a tail with an archive's directory in it


def opened(storage: Storage, found: ObjectInfo) -> io.BufferedReader:
    """Reading raises UnreadableFile when the object is replaced meanwhile, and StorageError."""
    return io.BufferedReader(_RemoteFile(storage, found))


class _RemoteFile(io.RawIOBase):
    """One window is kept."""

    def __init__(self, storage: Storage, found: ObjectInfo) -> None:
        self._storage, self._found = storage, found
        self._at = 0
        self._window_at, self._window = 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._found.size}[whence]
        if origin + offset < 0:
            raise ValueError("before the file's beginning")
        self._at = origin + offset
        return self._at

    def readinto(self, buffer: "Buffer") -> int:
        target = memoryview(buffer).cast("B")
        piece = self._bytes(min(len(target), max(0, self._found.size - self._at)))
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _bytes(self, length: int) -> bytes:
        if length == 0:
            return b""
        start = self._at - self._window_at
        if not 0 <= start <= start + length <= len(self._window):
            self._move_window(length)
            start = self._at - self._window_at
        return self._window[start : start + length]

    def _move_window(self, length: int) -> None:
        """Near the end it reaches back, so that all of a tail comes at once."""
        self._window_at = max(0, min(self._at, self._found.size - WINDOW))
        wanted = max(WINDOW, self._at + length - self._window_at)
        self._window = self._storage.read(self._found.key, self._window_at, wanted, self._found.etag)
