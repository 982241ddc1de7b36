"""Local scratch: each process that has slots keeps a folder of its own there, as long as it lives.

A SIGKILLed worker cannot tidy up, so whoever starts removes the folders of the dead. Who is alive is the kernel's word:
a process holds a lock on a file beside its folder, and the kernel lets go of it however the process ends. That is true
also between containers that share one disk, where process ids mean nothing. Windows has no such lock that is gone for
certain at the end; there it is the process id and when that process began, both in the name.
"""

import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from backend.logs import log
from backend.settings import get_settings
from celery_queue.identity import BOOT_UUID

_NAME = re.compile(r"(?P<boot>[0-9a-f]{32})-(?P<pid>\d+)-(?P<began>\d+)\.lock")  # `began` in milliseconds
SAME_PROCESS = 1000  # milliseconds within which a process' start may be told differently


class Scratch:
    """This process' folder. The lock comes first, so that a folder without one is nobody's."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        began = round(psutil.Process().create_time() * 1000)
        self.folder = root.absolute() / f"{BOOT_UUID.hex}-{os.getpid()}-{began}"
        self._lock_path = self.folder.with_name(f"{self.folder.name}.lock")
        self._lock = _locked_for_good(self._lock_path)
        self.folder.mkdir(exist_ok=True)

    def for_slot(self) -> Path:
        """The folder of the calling thread's slot."""
        return self.folder / f"{threading.get_ident():x}"

    def leave(self) -> None:
        """Remove the folder; the process has no slot any more."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock_path.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)


def remove_dead(root: Path) -> int:
    """Remove the folders of processes of this machine that are no more; how many. Of two that do it, one does."""
    removed = 0
    for lock_path in list(root.glob("*.lock")):
        with suppress(OSError):  # gone meanwhile, or another user's
            removed += _removed_if_dead(lock_path)
    if removed:
        log().info("scratch of dead workers removed", folders=removed)
    return removed


def _removed_if_dead(lock_path: Path) -> bool:
    named = _NAME.fullmatch(lock_path.name)
    if named is None:
        return False
    folder = lock_path.with_suffix("")
    with _held_if_dead(lock_path, int(named["pid"]), int(named["began"])) as dead:
        if dead:
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():  # else somebody's file is still open in it, as Windows will have it
                lock_path.unlink()
        return dead


if sys.platform == "win32":

    def _locked_for_good(path: Path) -> int | None:
        path.touch()
        return None

    @contextmanager
    def _held_if_dead(path: Path, pid: int, began: int) -> Iterator[bool]:  # noqa: ARG001 (elsewhere it is all)
        try:
            dead = abs(psutil.Process(pid).create_time() * 1000 - began) > SAME_PROCESS
        except psutil.NoSuchProcess:
            dead = True
        yield dead

else:
    import fcntl

    def _locked_for_good(path: Path) -> int | None:
        """A lock on the file that is at `path`, held until the descriptor or the process is no more."""
        while True:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_at(path, lock):
                return lock
            os.close(lock)  # between the two calls somebody took it for a dead one's, and removed it

    def _is_at(path: Path, lock: int) -> bool:
        try:
            return os.path.samestat(os.fstat(lock), path.stat())
        except FileNotFoundError:
            return False

    @contextmanager
    def _held_if_dead(path: Path, pid: int, began: int) -> Iterator[bool]:  # noqa: ARG001 (Windows knows by these)
        lock = os.open(path, os.O_RDWR)
        try:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield _is_at(path, lock)  # else its owner left meanwhile, and may have come again with a new one
                return
            yield False
        finally:
            os.close(lock)


_here: dict[int, Scratch] = {}  # by process id: a forked child has its own
_one_at_a_time = threading.Lock()


def here() -> Scratch:
    """This process' scratch, made at first use: in prefork, in the child."""
    with _one_at_a_time:
        if os.getpid() not in _here:
            _here[os.getpid()] = Scratch(get_settings().scratch_dir)
        return _here[os.getpid()]


def leave() -> None:
    """At the process' end, if it ever had scratch."""
    with _one_at_a_time:
        mine = _here.pop(os.getpid(), None)
    if mine is not None:
        mine.leave()
