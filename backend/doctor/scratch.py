"""Local disk on this machine, where tables lie while a task runs. Ask on each machine that has workers."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

from backend.doctor.finding import Area, Finding, Ward
from backend.settings import Settings
from transformers.catalog import tools

WARD = Ward(Area.SCRATCH)
# The input, its table, the next agent's table, and what DuckDB puts aside.
COPIES = 4
REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "glusterfs", "ceph", "fuse.sshfs", "fuse.s3fs"})
IN_MEMORY = frozenset({"tmpfs", "ramfs"})


def look(settings: Settings) -> Iterator[Finding]:
    folder = settings.scratch_dir.absolute()
    try:
        _write(folder)
        free = psutil.disk_usage(str(folder)).free
    except OSError as error:
        yield WARD.wrong(
            f"Nothing can be written to {folder}: {error.strerror or error}.",
            "Give SCRATCH_DIR a folder of the worker's.",
        )
        return
    yield from _kind(folder)
    yield _room(folder, free, settings.celery_worker_concurrency)


def _write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"doctor-{uuid.uuid4().hex}"
    try:
        file.write_bytes(b"x")
    finally:
        file.unlink(missing_ok=True)


def _kind(folder: Path) -> Iterator[Finding]:
    kind = _file_system(folder)
    if kind in REMOTE:
        yield WARD.wrong(
            f"{folder} is on another machine ({kind}): agents wait for it, and who is alive there is not known for "
            "certain.",
            "Point SCRATCH_DIR to a local disk.",
        )
    elif kind in IN_MEMORY:
        yield WARD.advice(
            f"{folder} is in memory ({kind}): tables take the memory that the agents need.",
            "Point SCRATCH_DIR to a local disk.",
        )


def _file_system(folder: Path) -> str:
    """Of the innermost mount that holds it; empty where the system does not tell."""
    mounts = [
        (len(Path(part.mountpoint).parts), part.fstype)
        for part in psutil.disk_partitions(all=True)
        if folder.is_relative_to(part.mountpoint)
    ]
    return max(mounts, default=(0, ""))[1]


def _room(folder: Path, free: int, slots: int) -> Finding:
    largest = max(role.max_bytes for tool in tools().values() for role in tool.roles)
    wanted = COPIES * largest * slots
    seen = f"{folder} has {free / 2**30:.1f} GiB free"
    change = "Give SCRATCH_DIR more room, or the worker fewer slots."
    if free < COPIES * largest:
        return WARD.wrong(f"{seen}; one task on the largest input ({largest / 2**20:.0f} MiB) may need more.", change)
    if free < wanted:
        needed = f"{wanted / 2**30:.1f} GiB"
        return WARD.advice(f"{seen}; {slots} slots on largest inputs at once may need {needed}.", change)
    return WARD.ok(f"{seen}; {slots} slots on largest inputs at once need {wanted / 2**30:.1f}.")
