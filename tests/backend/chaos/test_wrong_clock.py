import os
import subprocess
import sys
from pathlib import Path

from backend.chaos.machine_faults import CLOCKS, DAY

SAYS = """
import datetime, time
from datetime import datetime as kept
utc = datetime.UTC
print(round(time.time()), round(kept.now(utc).timestamp()), round(kept.utcnow().replace(tzinfo=utc).timestamp()),
      time.time_ns() // 10**9, round(time.monotonic()), isinstance(datetime.datetime.fromtimestamp(0), kept))
"""


def told(shift: Path) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(CLOCKS), "AGENSIUM_CLOCK_SHIFT": str(shift)}
    command = [sys.executable, "-W", "ignore", "-c", SAYS]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


def test_a_days_jump_is_seen_by_every_wall_clock_and_by_no_duration(tmp_path: Path) -> None:
    shift = tmp_path / "shift"
    *right, right_monotonic, _ = told(shift)
    shift.write_text(str(DAY))
    *wrong, wrong_monotonic, still_a_datetime = told(shift)
    for before, after in zip(right, wrong, strict=True):
        assert DAY <= int(after) - int(before) < DAY + 60
    assert int(wrong_monotonic) - int(right_monotonic) < 60
    assert still_a_datetime == "True"
