import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from tests.waiting import eventually

# In a process of its own: whoever takes in orphans has them until it ends.
SCRIPT = """
    import sys
    from pathlib import Path
    from backend.processes import Process
    from bench.running import _nothing_left

    folder = Path(sys.argv[1])
    orphan = "import subprocess, sys; print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid, flush=True)"
    process = Process("measure", [sys.executable, "-c", orphan], folder / "log")
    with _nothing_left(process):
        process.start()
        process.ends_within(10)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody takes in orphans")
def test_what_a_measure_left_behind_is_ended_with_it(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)], check=True)
    orphan = int((tmp_path / "log").read_text())
    eventually(lambda: not psutil.pid_exists(orphan))
