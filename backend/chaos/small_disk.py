"""A disk that is soon full: a tmpfs in a folder, where this machine lets us mount one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEBIBYTES = 128  # enough for every rehearsal's tables and reports


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """The folder as a disk of its own for the length of the block; None where it is an ordinary folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if not _mounted(folder):
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


def _mounted(folder: Path) -> bool:
    if sys.platform != "linux":
        return False
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEBIBYTES}m,mode=700", "agensium-chaos", str(folder)]
    try:
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:  # there is no such command
        return False
