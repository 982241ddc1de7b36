"""The units for systemd and supervisor: systemd accepts them, and what they start and wait for is so."""

import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend.settings import Settings
from tests.docs.commands import unknown

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
INSTALLED = "/opt/agensium/.venv/bin/agensium"
LEAST_STOP = Settings.model_fields["drain_seconds"].default + 3  # seconds: the worker is gone two to three later


def read(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, encoding="utf-8")
    return parser


def commands() -> list[str]:
    services = [read(unit)["Service"]["ExecStart"] for unit in UNITS]
    programs = read(DEPLOY / "supervisor" / "agensium.conf")
    return services + [programs[name]["command"] for name in programs.sections()]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    for one in UNITS:  # as if it were installed here
        text = one.read_text(encoding="utf-8").replace(INSTALLED, sys.executable)
        (tmp_path / one.name.replace("@.", "@1.")).write_text(text, encoding="utf-8")
    path = tmp_path / unit.name.replace("@.", "@1.")
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(path)]
    seen = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (seen.returncode, seen.stdout + seen.stderr) == (0, "")


@pytest.mark.parametrize("command", commands())
def test_what_is_started_is_a_command_of_ours(command: str) -> None:
    program, *words = shlex.split(command)
    assert program == INSTALLED
    assert list(unknown(words)) == []


def test_a_worker_has_time_to_drain_and_is_asked_alone() -> None:
    unit = read(DEPLOY / "systemd" / "agensium-worker@.service")["Service"]
    assert (unit["KillMode"], float(unit["TimeoutStopSec"]) >= LEAST_STOP) == ("mixed", True)
    program = read(DEPLOY / "supervisor" / "agensium.conf")["program:agensium-worker"]
    assert (program["stopasgroup"], float(program["stopwaitsecs"]) >= LEAST_STOP) == ("false", True)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_service_may_do_little_else(unit: Path) -> None:
    service = read(unit)["Service"]
    assert (service["User"], service["NoNewPrivileges"], service["ProtectSystem"]) == ("agensium", "yes", "strict")
