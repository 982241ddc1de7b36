import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = {name.partition(".")[0] for name in PYPROJECT["tool"]["setuptools"]["packages"]}
LOCKS = {"requirements.lock", "requirements-build.lock"}
DIGEST = r"@sha256:[0-9a-f]{64}"

# What setuptools would put into the wheel, without building it.
IN_THE_WHEEL = """
import json
from setuptools import Distribution
distribution = Distribution()
distribution.parse_config_files()
distribution.script_name = "setup.py"  # it is looked at, and need not be there
command = distribution.get_command_obj("build_py")
command.ensure_finalized()
print(json.dumps([source.replace("\\\\", "/").removeprefix("./") for source in command.get_output_mapping().values()]))
"""


def instructions() -> list[tuple[str, str]]:
    """Each with its words, comments and line breaks taken out."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(name, words) for name, _, words in (line.partition(" ") for line in joined.splitlines() if line.strip())]


def said(name: str) -> list[str]:
    return [words for found, words in instructions() if found == name]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    starts = [place for place, (name, _) in enumerate(found) if name == "FROM"]
    return found[starts[-1] :]


def test_every_stage_stands_on_one_base_that_cannot_be_moved() -> None:
    (base,) = [words for words in said("ARG") if words.startswith("BASE=")]
    assert re.fullmatch(rf"BASE=python:3\.1[12]\.\d+-slim-[a-z]+{DIGEST}", base)
    assert {words.split()[0] for words in said("FROM")} == {"${BASE}"}


def test_what_is_installed_is_locked_with_hashes_and_needs_no_compiler() -> None:
    installs = [part for words in said("RUN") for part in words.split("&&") if " install " in part and " pip " in part]
    from_locks = [part for part in installs if "--requirement" in part]
    assert {part.split("--requirement ")[1].split()[0] for part in from_locks} == LOCKS
    assert all("--require-hashes" in part and "--only-binary :all:" in part for part in from_locks)
    assert all("--no-index" in part for part in installs if part not in from_locks)
    assert "apt-get" not in DOCKERFILE


def test_the_last_stage_has_what_was_installed_and_no_tools() -> None:
    assert [words for name, words in last_stage() if name == "COPY"] == ["--from=build /opt/agensium /opt/agensium"]
    assert any("pip uninstall" in words for name, words in last_stage() if name == "RUN")


def test_the_product_is_installed_and_compiled_and_not_a_checkout() -> None:
    assert not re.search(r"--editable|\s-e\s", DOCKERFILE)
    assert "compileall" in said("RUN")[-2]
    assert "PYTHONDONTWRITEBYTECODE" not in DOCKERFILE


def test_it_runs_as_nobody_in_particular_and_signals_reach_it() -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", said("USER")[-1])
    (entry,) = said("ENTRYPOINT")
    assert json.loads(entry) == ["agensium"]  # no shell between it and SIGTERM


def test_settings_come_from_the_environment_alone() -> None:
    assert "AGENSIUM_NO_ENV_FILE=1" in said("ENV")[-1]


def test_it_is_labelled() -> None:
    labels = " ".join(said("LABEL"))
    for name in ("title", "description", "version", "revision"):
        assert f"org.opencontainers.image.{name}=" in labels
    assert f"VERSION={PYPROJECT['project']['version']}" in said("ARG")


def test_what_docker_is_given_is_what_is_copied_and_nothing_that_is_secret() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert lines[0] == "*"
    given = {line[1:] for line in lines if line.startswith("!")}
    assert given == LOCKS | {"pyproject.toml"} | PACKAGES
    copied = {part for words in said("COPY") if "--from" not in words for part in words.split()[:-1]}
    assert copied == given


def test_the_wheel_has_every_file_of_the_packages() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    tracked = {name for name in listed.splitlines() if (ROOT / name).is_file()}
    wheel = subprocess.run([sys.executable, "-c", IN_THE_WHEEL], cwd=ROOT, check=True, capture_output=True, text=True)
    missing = tracked - set(json.loads(wheel.stdout.splitlines()[-1]))
    assert not missing, "name them in pyproject.toml, [tool.setuptools]: packages or package-data"
