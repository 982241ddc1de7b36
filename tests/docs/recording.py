"""`python -m tests.docs.recording`: a real run in a shell, its worker killed in the middle, as docs/run.svg.

A deployment of its own is started; what is typed, what is seen and when is kept, and drawn by moving_picture.py.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from backend.clock import monotonic
from backend.devstack import embedded_stack
from db.schema import migrate
from tests.acceptance.house import House
from tests.conftest import TEMPLATE
from tests.docs.moving_picture import Line, moving_picture
from tests.docs.pages import ROOT
from tests.docs.session import ANSWER, environment_of

TARGET = ROOT / "docs" / "run.svg"
TITLE = "agensium: a task is followed, its worker is killed, it goes on (a real run; waits above 1.2 s are cut)"
MORE = {"EXTRA_TOOLS": "", "SIGNUP_CREDITS": "1000", "CELERY_WORKER_MAX_MEMORY_PER_CHILD": "1000000"}
LOOK = r"""until worker=$(agensium task $task | awk '/agent surv/ {at=1} $1=="process" && at {print $2}') && \
  [ $worker ]; do :; done"""
COMMANDS = (
    "agensium submit profile-my-data examples/data/hospitals.csv --watch --download report",
    "# a longer one, and the worker that has it",
    "task=$(agensium submit master-my-data some.csv --agent key-identifier --agent survivorship-resolver)",
    LOOK,
    "kill -9 $worker    # in the middle of an agent",
    "agensium watch $task",
    "agensium task $task | grep -E 'claims|step |started|rescued|completed'",
    "agensium credits --entries | cut -c 1-68",
    "agensium verify ledger",
)


def record() -> None:
    with tempfile.TemporaryDirectory() as folder, embedded_stack(Path(folder), fast=True) as stack:
        os.environ.update(stack.environment())
        migrate(stack.postgres.create_database(TEMPLATE))
        house = House(stack, "prefork", Path(folder), more=MORE)
        try:
            house.open(workers=2)
            lines = list(_typed(house, Path(folder) / "shell"))
        finally:
            house.close()
    TARGET.write_text(moving_picture(TITLE, lines), encoding="utf-8")


def _typed(house: House, folder: Path) -> Iterator[Line]:
    """Everything as it came, with the seconds since the beginning."""
    folder.mkdir()
    (folder / "examples").symlink_to(ROOT / "examples")
    rows = (ROOT / "examples" / "data" / "hospitals.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "some.csv").write_text("".join(rows[:600]), encoding="utf-8")
    environment = environment_of(house.environment, house.api_url, []) | {"HOME": str(folder), "PYTHONPATH": str(ROOT)}
    environment |= {"PYTHONUNBUFFERED": "1", "COLUMNS": "96"}
    login = ["agensium", "login", "ada@example.com", "--new"]
    subprocess.run(login, cwd=folder, env=environment, input=ANSWER, text=True, check=True, capture_output=True)
    yield from _session(folder, environment)


def _session(folder: Path, environment: dict[str, str]) -> Iterator[Line]:
    """One shell for all of it; what it prints of its own accord is what a person would see."""
    marked = "\n".join(f"echo '--next {number}'\n{command}" for number, command in enumerate(COMMANDS))
    (folder / "typed.sh").write_text(f"exec 2>&1\n{marked}\n", encoding="utf-8")
    shell = subprocess.Popen(
        ["bash", "typed.sh"], cwd=folder, env=environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    begun = monotonic()
    assert shell.stdout is not None
    for line in shell.stdout:
        said = line.rstrip("\n")
        if said.startswith("--next "):
            for part in COMMANDS[int(said.removeprefix("--next "))].splitlines():
                yield Line(monotonic() - begun, part, typed=True)
        else:
            yield Line(monotonic() - begun, said)
    assert shell.wait() == 0


if __name__ == "__main__":
    record()
