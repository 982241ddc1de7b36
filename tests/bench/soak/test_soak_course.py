"""The shortest soak: all is started, ordered, disturbed, proven and ended. What grows needs minutes: `make soak`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_short_soak_serves_everybody_and_leaves_nothing(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    ran = subprocess.run(
        [sys.executable, "-m", "bench.soak", "--seconds", "40"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary), "SOAK": ""},
        capture_output=True,
        text=True,
        timeout=290,
        check=False,
    )
    last = ran.stdout.splitlines()[-1]
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " 0 wrong, 0 of " in last, last
    assert "soak: 40 s, 0 tasks" not in last
    assert list(temporary.iterdir()) == []
