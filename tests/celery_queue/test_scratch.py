"""Real processes that are really killed: their folders go, a living neighbour's stays."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from celery_queue import scratch
from celery_queue.scratch import Scratch, remove_dead

# Who a worker is comes with the catalogue and the tables, half a second of each of these processes: its number will do.
NUMBERED = """
import sys, types, uuid
sys.modules["celery_queue.identity"] = types.SimpleNamespace(BOOT_UUID=uuid.uuid4())
"""
WORKER = f"""{NUMBERED}
from pathlib import Path
from celery_queue.scratch import Scratch
mine = Scratch(Path(sys.argv[1]))
slot = mine.for_slot()
slot.mkdir()
(slot / "table.parquet").write_bytes(b"rows")
print(mine.folder, flush=True)
sys.stdin.read()
mine.leave()
"""


@contextmanager
def worker(root: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """A process with scratch and a file on it."""
    command = [sys.executable, "-c", WORKER, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert [path.name for path in folder.rglob("*.parquet")] == ["table.parquet"]
        yield process, folder
        process.kill()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def test_a_killed_workers_scratch_is_removed_and_its_live_neighbours_is_not(root: Path) -> None:
    with worker(root) as (doomed, dead), worker(root) as (_, alive):
        assert remove_dead(root) == 0
        doomed.kill()
        doomed.wait()
        assert remove_dead(root) == 1
        assert not dead.exists()
        assert list(alive.rglob("*.parquet"))
        assert [path.name for path in root.glob("*.lock")] == [f"{alive.name}.lock"]
    assert remove_dead(root) == 1
    assert list(root.iterdir()) == []


def test_a_worker_that_ends_well_leaves_nothing(root: Path) -> None:
    with worker(root) as (process, _):
        process.communicate("")
        assert process.returncode == 0
        assert list(root.iterdir()) == []


def test_many_that_tidy_up_at_once_spare_everybody_alive(root: Path) -> None:
    with ExitStack() as stack:
        living = [stack.enter_context(worker(root))[1] for _ in range(2)]
        for process, _ in [stack.enter_context(worker(root)) for _ in range(2)]:
            process.kill()
            process.wait()
        removed: list[int] = []
        threads = [threading.Thread(target=lambda: removed.append(remove_dead(root))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(removed) == 2
        assert {path.name for path in root.iterdir() if path.is_dir()} == {folder.name for folder in living}


def test_who_is_born_and_leaves_while_others_tidy_up_keeps_what_is_its_own(root: Path) -> None:
    """Between opening the file and locking it, it looks like a dead one's; and whoever holds its last one, too."""
    stop = threading.Event()
    often = sys.getswitchinterval()

    def tidy() -> None:
        while not stop.is_set():
            remove_dead(root)

    tidying = [threading.Thread(target=tidy) for _ in range(3)]
    for thread in tidying:
        thread.start()
    try:
        sys.setswitchinterval(1e-5)  # else they meet once in thousands of times
        for _ in range(1000):
            mine = Scratch(root)
            assert mine.folder.exists()
            assert mine._lock_path.exists()
            mine.leave()
    finally:
        sys.setswitchinterval(often)
        stop.set()
        for thread in tidying:
            thread.join()


def test_what_is_no_workers_is_left_alone(root: Path) -> None:
    root.mkdir()
    (root / "12-7f00").mkdir()
    (root / "notes.lock").touch()
    assert remove_dead(root) == 0
    assert {path.name for path in root.iterdir()} == {"12-7f00", "notes.lock"}


def test_where_there_is_no_scratch_there_is_nothing_to_remove(root: Path) -> None:
    assert remove_dead(root) == 0


def test_threads_share_their_process_folder_and_have_slots_of_their_own(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRATCH_DIR", str(root))
    scratch.get_settings.cache_clear()
    found: list[tuple[Path, Path]] = []
    meet = threading.Barrier(4)

    def look() -> None:
        meet.wait()
        mine = scratch.here()
        found.append((mine.folder, mine.for_slot()))
        meet.wait()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({folder for folder, _ in found}) == 1
    assert len({slot for _, slot in found}) == 4
    scratch.leave()
    assert list(root.iterdir()) == []
    scratch.get_settings.cache_clear()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_a_forked_child_has_scratch_of_its_own(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRATCH_DIR", str(root))
    program = f"""{NUMBERED}
import os
from celery_queue import scratch
mine = scratch.here().folder
if os.fork() == 0:
    os._exit(0 if scratch.here().folder != mine else 1)
_, status = os.wait()
print(os.waitstatus_to_exitcode(status), mine.exists())
scratch.leave()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.split() == ["0", "True"]
    assert remove_dead(root) == 1, "the child's, which ended without a word"
