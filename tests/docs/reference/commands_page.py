"""docs/reference/cli.md: the `agensium` command, every word of it, from the command itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import typer

from backend.cli import app
from tests.docs.pages import ROOT
from tests.docs.reference.wording import code, table

INTRO = """# The `agensium` command

`--help` says the same in a terminal. A customer's commands ask the API (at `AGENSIUM_URL`, or where `agensium login`
was); the others are an operator's, and read the [settings](settings.md) of the machine they run on. Exit codes: 0
done, 1 not completed or not so, 2 wrong usage or not proven, 3 refused, 4 nobody answered, 5 timed out, 130 Ctrl+C.

"""
HIDDEN = {"help"}


def commands_page() -> str:
    found = list(_commands(typer.main.get_command(app), "agensium"))
    index = table(("command", "what it does"), [(_link(path), _first_line(one)) for path, one in found])
    return INTRO + index + "\n" + "\n".join(_section(path, one) for path, one in found)


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Depth first, in the order of --help; a group is a command where it does something by itself."""
    for name, child in getattr(command, "commands", {}).items():
        if not hasattr(child, "commands") or child.invoke_without_command:
            yield f"{path} {name}", child
        yield from _commands(child, f"{path} {name}")


def _link(path: str) -> str:
    return f"[`{path}`](#{path.replace(' ', '-')})"


def _first_line(command: Any) -> str:
    return (command.help or "").strip().partition("\n")[0]


def _section(path: str, command: Any) -> str:
    parameters = [one for one in command.params if one.name not in HIDDEN]
    rows = [(_written(one), _default(one), getattr(one, "help", "") or "") for one in parameters]
    if path == "agensium worker":
        return f"## {path}\n\n```text\n{_workers_own()}```\n"
    options = table(("", "default", "meaning"), rows) if rows else ""
    return f"## {path}\n\n{' '.join((command.help or '').split())}\n" + (f"\n{options}" if options else "")


def _written(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = (parameter.metavar or parameter.name).upper().strip("[]")
        return code(f"{name}{' …' if parameter.nargs != 1 or parameter.multiple else ''}")
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return code(names if parameter.is_flag else f"{names} {parameter.metavar or parameter.name.upper()}")


def _default(parameter: Any) -> str:
    value = parameter.default
    if parameter.required:
        return "required"
    return (
        "" if value in (None, "", False) or callable(value) or not isinstance(value, str | int | float) else code(value)
    )


def _workers_own() -> str:
    """It reads its options by itself, before anything is loaded."""
    command = [sys.executable, "-m", "celery_queue.worker", "--help"]
    environment = {**os.environ, "COLUMNS": "110"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
