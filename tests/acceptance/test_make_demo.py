"""`make demo` in an empty folder, as the README promises it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(260)
def test_make_demo_ends_with_a_report_and_a_right_bill(tmp_path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^demo:.*\n\t@?\$\(BIN\)/python -m backend demo$", makefile, re.MULTILINE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "REDIS_"))}
    demo = subprocess.run(
        [sys.executable, "-m", "backend", "demo"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "Available now: 335 credits." in demo.stdout
    assert (tmp_path / ".agensium" / "demo" / "report.html").stat().st_size > 10_000
