"""What a Windows machine would run, on Linux: our modules take that branch, and files behave as they do there.

API, broker in files, `celery … worker --pool=solo` and the agents' process, with tests/acceptance/as_on_windows in
front of everything. What it cannot show is Windows' own: libraries' code for it, its event loop, the embedded services.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.devstack import Stack
from tests.acceptance.house import PATIENCE, ROOT, House
from tests.acceptance.test_clean_and_master import DIRTY, SOURCES
from tests.waiting import eventually
from transformers.file_names import safe_filename

AS_ON_WINDOWS = Path(__file__).parent / "as_on_windows"


class WindowsHouse(House):
    refusals: Path

    def refused(self) -> list[str]:
        return self.refusals.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def _opened(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsHouse]:
    directory = tmp_path_factory.mktemp("windows")
    refusals = directory / "refused.txt"
    refusals.touch()
    more = {"PYTHONPATH": f"{AS_ON_WINDOWS}{os.pathsep}{ROOT}", "AGENSIUM_AS_ON_WINDOWS": str(refusals)}
    house = WindowsHouse(stack, "solo", directory, broker_in_files=True, more=more)
    house.refusals = refusals
    with house.at_work():
        yield house


@pytest.fixture
def windows_house(_opened: WindowsHouse) -> WindowsHouse:
    """With a worker: the test before may have ended it."""
    assert _opened.worker.running
    return _opened


TABLES = [
    ("profile-my-data", "people.csv", (ROOT / "examples/data/hospitals.csv").read_bytes(), {}),
    ("clean-my-data", 'CON: "Ärger?".csv', DIRTY, {}),
    ("master-my-data", "aux.csv", SOURCES, {"survivorship-resolver": {"match_key_columns": ["email"]}}),
]


@pytest.mark.parametrize(("tool", "name", "body", "parameters"), TABLES, ids=[table[0] for table in TABLES])
def test_a_tool_delivers_by_windows_own_way(
    windows_house: WindowsHouse, tool: str, name: str, body: bytes, parameters: dict[str, object]
) -> None:
    task = windows_house.ended(windows_house.submit(tool, body=body, name=name, parameters=parameters))
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), windows_house.log()[-6000:]
    outputs = windows_house.get(f"/tasks/{task['task_id']}/outputs")["outputs"]
    assert all(httpx.get(output["url"]).is_success for output in outputs)
    assert all(safe_filename(output["name"]) == output["name"] for output in outputs)
    assert windows_house.refused() == []


def test_a_killed_agent_is_started_again_by_windows_own_way(windows_house: WindowsHouse) -> None:
    """There is no process group to end: the tree must do."""
    task_id = windows_house.submit("clean-my-data", body=DIRTY, name="people.csv")
    eventually(lambda: 0 < windows_house.get(f"/tasks/{task_id}")["progress"] < 100)
    for agent in windows_house.agents_of(windows_house.worker):
        agent.kill()
    assert windows_house.ended(task_id)["status"] == "COMPLETED", windows_house.log()[-6000:]
    assert windows_house.refused() == []


def test_at_its_end_a_worker_leaves_nothing_on_the_disk(windows_house: WindowsHouse) -> None:
    """There a file that is open still cannot be removed."""
    worker = windows_house.worker
    worker._stop_signal = 15
    worker.stop(PATIENCE)
    assert windows_house.refused() == []
    assert list((windows_house.directory / "scratch").rglob("*")) == []


HARMS = {
    "os.fork": "import os; os.fork()",
    "signal.SIGKILL": "import signal; signal.SIGKILL",
    "fcntl": "import fcntl",
    "platform": "import sys; assert sys.platform != 'win32'",
    "a colon": "open('a:b', 'w')",
    "a reserved name": "open('nul.csv', 'w')",
    "a trailing dot": "import os; os.mkdir('folder.')",
    "an open file": "import os; file = open('open', 'w'); os.remove('open')",
    "an open target": "import os; file = open('open', 'w'); open('new', 'w').close(); os.replace('new', 'open')",
}


@pytest.mark.parametrize("harm", HARMS, ids=[name.replace(" ", "-") for name in HARMS])
def test_what_windows_refuses_is_refused(tmp_path: Path, harm: str) -> None:
    assert ran_as_ours(tmp_path, HARMS[harm]) != 0


def test_what_windows_has_is_there(tmp_path: Path) -> None:
    harmless = "import os, signal; signal.SIGTERM; open('a b.c', 'w').close(); os.replace('a b.c', 'd'); os.remove('d')"
    assert ran_as_ours(tmp_path, harmless) == 0


def ran_as_ours(folder: Path, code: str) -> int:
    """The exit code of a new process that imports a module of a package named as ours."""
    package = folder / "backend"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "planted.py").write_text(code, encoding="utf-8")
    environment = {
        "PYTHONPATH": f"{AS_ON_WINDOWS}{os.pathsep}{folder}",
        "AGENSIUM_AS_ON_WINDOWS": str(folder / "refused.txt"),
        "AGENSIUM_AS_ON_WINDOWS_ROOT": str(folder),
    }
    return subprocess.run(
        [sys.executable, "-c", "import backend.planted"], env=environment, cwd=folder, capture_output=True, check=False
    ).returncode
