"""What the two commands stand on: a Python that runs, and locks that fit pyproject.toml and name no place."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {
    "requirements.lock": PROJECT["dependencies"] + EXTRAS["otel"],
    "requirements-demo.lock": PROJECT["dependencies"] + EXTRAS["demo"],
    "requirements-dev.lock": PROJECT["dependencies"] + EXTRAS["demo"] + EXTRAS["dev"],
    "requirements-uv.lock": ["uv"],
    "requirements-build.lock": PYPROJECT["build-system"]["requires"],
}
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def normal(requirement: str) -> str:
    """The distribution's name as a lock writes it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement)[0]).lower()


def pins(lock: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in PIN.findall((ROOT / lock).read_text(encoding="utf-8")):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_all_that_is_asked_for(lock: str) -> None:
    asked = {normal(requirement) for requirement in LOCKS[lock]} - {PROJECT["name"]}
    assert asked - pins(lock).keys() == set(), "run: make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_a_lock_has_a_hash(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place_and_no_machine(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"\S+://\S+|--\w*-?(?:index|find-links)\S*|(?:^|\s)(?:/|-e )\S+", text) == []


def test_the_tests_run_on_what_is_shipped() -> None:
    tested = pins("requirements-dev.lock")
    for lock in ("requirements.lock", "requirements-demo.lock", "requirements-build.lock"):
        assert {name: versions for name, versions in pins(lock).items() if versions != tested.get(name)} == {}


def test_a_checkout_is_installed_as_a_path_and_not_as_a_finder_that_every_process_loads() -> None:
    setuptools = PYPROJECT["tool"]["setuptools"]
    assert setuptools["package-dir"] == {"": "."}
    assert all(Path(ROOT, *name.split(".")).is_dir() for name in setuptools["packages"])


@pytest.mark.skipif(sys.platform == "win32", reason="README shows what to type there")
def test_without_a_python_that_runs_make_says_what_to_install(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", *LOCKS):
        shutil.copy(ROOT / name, tmp_path)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("python3.12", "python3.11", "python3", "python"):
        (programs / name).write_text("#!/bin/sh\necho 'no such version' >&2\nexit 127\n")
        (programs / name).chmod(0o755)
    make = shutil.which("make")
    assert make, "make is one of the two things a machine needs"
    for command in ("demo", "test"):
        made = subprocess.run(
            [make, command], cwd=tmp_path, env={"PATH": str(programs)}, capture_output=True, text=True, check=False
        )
        assert made.returncode != 0
        assert "needs Python 3.11 or 3.12" in made.stderr
        assert not (tmp_path / ".venv").exists()
