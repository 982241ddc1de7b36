"""What the house itself says at the end: the ledger, the states, and whether files are left of tasks long deleted."""

import re
import subprocess
import sys
from collections.abc import Mapping

from bench.soak.judging import Verdict

SECONDS = 60.0
COMMANDS = (("verify", "ledger"), ("verify", "states"), ("clean",), ("orphans",))


def proven(environment: Mapping[str, str]) -> list[Verdict]:
    """By the commands that operators have; what they said is in the notes."""
    return [*(_said(environment, *command) for command in COMMANDS), _left(environment)]


def _said(environment: Mapping[str, str], *command: str) -> Verdict:
    code, words = _run(environment, "-m", "backend", *command)
    return Verdict(f"agensium {' '.join(command)}", code, 0, "exit code", words)


def _left(environment: Mapping[str, str]) -> Verdict:
    code, words = _run(environment, "-m", "bench.soak.left_in_store")
    number = re.match(r"\d+", words)
    return Verdict("files in the store, all tasks deleted", float(number[0]) if number else code or 1, 0, "", words)


def _run(environment: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    lines = [line for line in (ran.stdout + ran.stderr).splitlines() if line.strip()]
    return ran.returncode, lines[-1] if lines else ""
