"""The whole deploy from the last revision before there was an upgrade to think of; `make rolling` is the same."""

import subprocess

import pytest

from tests.acceptance.rolling import LAST_BEFORE, ROOT, TOOLS, roll


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_old_and_new_code_work_side_by_side_while_the_database_is_brought_up() -> None:
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{LAST_BEFORE}^{{commit}}"], cwd=ROOT, capture_output=True, check=False
    )
    if known.returncode:
        pytest.skip(f"this checkout has no history with {LAST_BEFORE}")
    seen = roll(LAST_BEFORE)
    assert seen.faults == []
    assert all(seen.tasks[f"{side} {tool}"] for side in ("old", "new") for tool in TOOLS)
