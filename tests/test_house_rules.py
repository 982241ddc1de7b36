"""Rules of the house that no linter knows (DESIGN §3, §5.4, §5.8, §7)."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from backend.settings import Settings

ROOT = Path(__file__).parents[1]
PACKAGES = ("backend", "db", "transformers", "celery_queue", "api")
MODULES = [path.relative_to(ROOT).as_posix() for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
HEAVY = (
    *("pandas", "pyarrow", "duckdb", "numpy"),
    *("aiohttp", "openai", "anthropic", "google", "pydantic_ai", "httpx2", "jsonschema", "jinja2"),
    *("chromadb", "pypdf", "docx", "selectolax", "semantic_text_splitter"),
)

Finder = Callable[[ast.AST], Iterator[str]]


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"), module)


def found_in(tree: ast.Module, finder: Finder) -> list[tuple[int, str]]:
    return [(getattr(node, "lineno", 0), what) for node in ast.walk(tree) for what in finder(node)]


def found_outside(allowed: set[str], finder: Finder) -> list[str]:
    """Every place where the finder sees something, `file:line what`, except in the allowed files."""
    return [
        f"{module}:{line} {what}"
        for module in MODULES
        if module not in allowed
        for line, what in found_in(tree_of(module), finder)
    ]


def dotted(node: ast.AST) -> str:
    """`a.b.c`; nothing for what is not made of names alone. ast.unparse says it too, and takes half a second."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def commits(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr in {"commit", "autocommit"}:
        yield ast.unparse(node)


def broad_excepts(node: ast.AST) -> Iterator[str]:
    """A handler that cleans up and lets the same error go on catches nothing."""
    if isinstance(node, ast.ExceptHandler) and not lets_go_on(node):
        caught: list[ast.expr | None] = list(node.type.elts) if isinstance(node.type, ast.Tuple) else [node.type]
    elif isinstance(node, ast.Call) and dotted(node.func) in {"suppress", "contextlib.suppress"}:
        caught = list(node.args)
    else:
        return
    for kind in caught:
        name = "everything" if kind is None else dotted(kind).removeprefix("builtins.")
        if name in {"everything", "Exception", "BaseException"}:
            yield f"catches {name}"


def lets_go_on(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    leaves_before = any(isinstance(node, ast.Return | ast.Break | ast.Continue) for node in ast.walk(handler))
    return isinstance(last, ast.Raise) and last.exc is None and not leaves_before


def sleeps(node: ast.AST) -> Iterator[str]:
    if dotted(node) == "time.sleep":
        yield "time.sleep"
    elif (
        isinstance(node, ast.ImportFrom) and node.module == "time" and any(name.name == "sleep" for name in node.names)
    ):
        yield "from time import sleep"


OF_OS = (
    *("fork", "forkpty", "register_at_fork", "kill", "killpg", "wait4", "WNOHANG", "setsid", "setpgid", "getpgid"),
    *("getuid", "geteuid", "getgid", "setuid", "setgid", "setresuid", "setresgid", "setgroups"),
    *("mkfifo", "nice", "statvfs", "sched_getaffinity", "symlink", "link", "chown", "uname", "getloadavg", "sysconf"),
)
OF_SIGNAL = (
    *("SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGSTOP", "SIGCONT", "SIGQUIT"),
    *("alarm", "setitimer", "pthread_kill", "pause", "SIGALRM", "SIGPIPE", "sigwait"),
)
OTHERS = {"socket.AF_UNIX", "select.poll", "select.epoll", "faulthandler.register", "shutil.chown"}
POSIX_ONLY = {*(f"os.{name}" for name in OF_OS), *(f"signal.{name}" for name in OF_SIGNAL), *OTHERS}
POSIX_CALLS = {"add_signal_handler"}  # of an event loop
POSIX_OPTIONS = {"preexec_fn", "pass_fds"}  # start_new_session is passed over where there are no sessions
POSIX_MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog"}


def posix_only(node: ast.AST) -> Iterator[str]:
    if dotted(node) in POSIX_ONLY:
        yield dotted(node)
    elif isinstance(node, ast.Call):
        yield from (option.arg for option in node.keywords if option.arg in POSIX_OPTIONS)
        yield from {getattr(node.func, "attr", "")} & POSIX_CALLS
    elif isinstance(node, ast.Import):
        yield from (name.name for name in node.names if name.name in POSIX_MODULES)
    elif isinstance(node, ast.ImportFrom):
        yield from (
            f"{node.module}.{name.name}"
            for name in node.names
            if node.module in POSIX_MODULES or f"{node.module}.{name.name}" in POSIX_ONLY
        )
    elif (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"(^|\s)/(var/)?tmp\b", node.value)
    ):
        yield "/tmp"  # noqa: S108 (what is looked for)


OPENS = {"open", "fdopen", "read_text", "write_text"}


def locale_text(node: ast.AST) -> Iterator[str]:
    """A text file in the machine's own encoding, which on Windows is not UTF-8."""
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func)
    if name not in OPENS or any(option.arg in {"encoding", None} for option in node.keywords):
        return
    of_a_path = (
        isinstance(node.func, ast.Attribute) and name == "open"
    )  # its mode is the first word; else it is an archive's
    parts = [part for one in node.args[: 1 if of_a_path else None] for part in ast.walk(one)]
    said = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    modes = [mode for mode in said if re.fullmatch("[rwax+tb]+", mode)]
    if name.endswith("_text") or not (any("b" in mode for mode in modes) or (of_a_path and not modes)):
        yield f"{name} without an encoding"


def overwriting_renames(node: ast.AST) -> Iterator[str]:
    """`rename` refuses a target that is there, on Windows only; `replace` does not."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "rename":
        yield "rename"


NOT_ON_WINDOWS = {
    "backend/leash.py": "processes.py puts it on under Linux only",
    "backend/processes.py": "killpg after a look at sys.platform",
    "backend/embedded.py": "asks who we are after a look at sys.platform, and gives files away only as root",
    "db/database.py": "registers at fork where there is one",
    "backend/traces.py": "the same",
    "celery_queue/fork_gate.py": "the same",
    "celery_queue/worker_metrics.py": "the same",
    "backend/metrics/tally.py": "the same",
    "celery_queue/scratch.py": "flock after a look at sys.platform",
    "transformers/agent_guard.py": "killpg after a look at sys.platform",
    "transformers/process_family.py": "the same",
    "transformers/agent_body.py": "asks for the stacks by signal after a look at sys.platform",
    "transformers/agent_child.py": "hears that signal where faulthandler can",
}


@pytest.mark.parametrize(
    ("finder", "breach"),
    [
        (commits, "session.commit()"),
        (commits, "with connection as c:\n    c.commit()"),
        (commits, "connection.autocommit = True"),
        (broad_excepts, "try: pass\nexcept: pass"),
        (broad_excepts, "try: pass\nexcept Exception: pass"),
        (broad_excepts, "try: pass\nexcept (OSError, BaseException) as e: pass"),
        (broad_excepts, "try: pass\nexcept Exception as e: raise ValueError from e"),
        (broad_excepts, "try: pass\nexcept Exception:\n    if x: return\n    raise"),
        (broad_excepts, "with suppress(Exception): pass"),
        (sleeps, "import time\ntime.sleep(1)"),
        (sleeps, "from time import monotonic, sleep"),
        (posix_only, "import os\nos.kill(1, 9)"),
        (posix_only, "import signal\nx = signal.SIGKILL"),
        (posix_only, "from signal import SIGKILL"),
        (posix_only, "def f():\n    import fcntl"),
        (posix_only, "scratch = '/tmp/scratch'"),
        (posix_only, "import socket\nsocket.socket(socket.AF_UNIX)"),
        (posix_only, "loop.add_signal_handler(15, stop)"),
        (posix_only, "subprocess.run(['x'], preexec_fn=f)"),
        (locale_text, "path.write_text('ä')"),
        (locale_text, "path.read_text()"),
        (locale_text, "open(path)"),
        (locale_text, "path.open('w')"),
        (locale_text, "os.fdopen(1, 'w')"),
        (overwriting_renames, "path.rename(other)"),
    ],
)
def test_a_breach_is_seen(finder: Finder, breach: str) -> None:
    assert found_in(ast.parse(breach), finder)


def test_only_the_database_module_commits() -> None:
    assert found_outside({"db/database.py"}, commits) == []


def test_only_the_two_edges_catch_everything() -> None:
    assert found_outside({"celery_queue/tasks.py", "transformers/agent_child.py"}, broad_excepts) == []


def test_nobody_sleeps() -> None:
    assert found_outside(set(), sleeps) == []


def test_nothing_that_windows_runs_needs_posix() -> None:
    assert found_outside(set(NOT_ON_WINDOWS), posix_only) == []


def test_no_text_file_is_in_the_machines_own_encoding() -> None:
    found = found_outside(set(), locale_text)
    assert [place for place in found if not place.startswith("backend/chaos/")] == []  # it breaks Linux machines


def test_only_what_is_not_there_yet_is_renamed() -> None:
    exempt = {"backend/embedded.py", "api/tracked.py"}  # a folder that gets its name when it is whole; a span
    assert found_outside(exempt, overwriting_renames) == []


def test_every_exemption_from_windows_is_needed() -> None:
    assert [module for module in NOT_ON_WINDOWS if not found_in(tree_of(module), posix_only)] == []


def test_no_room_has_a_name_that_says_nothing() -> None:
    empty_words = {"service", "util", "manager", "helper", "common", "misc", "base", "core"}
    parts = {(module, word.removesuffix("s")) for module in MODULES for word in re.split(r"[/_.]", module)}
    assert [module for module, word in sorted(parts) if word in empty_words] == []


def test_every_room_says_what_it_is() -> None:
    """In its docstring: what is in it, what it may not touch."""
    assert [module for module in MODULES if (tree := tree_of(module)).body and not ast.get_docstring(tree)] == []


def test_every_room_of_the_ground_has_its_step_on_the_staircase() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    staircase = next(contract for contract in contracts if contract["id"] == "staircase")
    steps = {name for layer in staircase["layers"] for name in re.findall(r"[\w.]+", layer)}
    rooms = {module.removesuffix(".py").replace("/", ".") for module in MODULES if tree_of(module).body}
    assert [room for room in sorted(rooms) if not any(f"{room}.".startswith(f"{step}.") for step in steps)] == []


@cache
def loaded_by(*modules: str) -> dict[str, set[str]]:
    """The top-level names in sys.modules after each import, one after the other in a fresh interpreter."""
    shows = "print(*{name.partition('.')[0] for name in sys.modules})"
    code = "import sys\n" + "".join(f"import {module}\n{shows}\n" for module in modules)
    command = [sys.executable, "-c", code]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return {module: set(line.split()) for module, line in zip(modules, lines, strict=True)}


DECLARATIONS = ("transformers.catalog", "celery_queue.celery_app", "backend.main")


@pytest.mark.parametrize("module", DECLARATIONS)
def test_reading_declarations_loads_no_heavy_library(module: str) -> None:
    heavy = loaded_by(*DECLARATIONS)[module] & set(HEAVY)
    assert not heavy, f"python -X importtime -c 'import {module}' shows who loads {heavy}"


def test_the_agents_process_loads_neither_memory_nor_doors() -> None:
    loaded = loaded_by("transformers.agent_child")["transformers.agent_child"]
    assert not loaded & {"db", "sqlalchemy", "psycopg", "boto3", "botocore", "celery", "kombu", "redis", "httpx"}


def test_a_worker_starts_without_boto3_and_alembic_which_take_a_second() -> None:
    assert not loaded_by(*DECLARATIONS)["celery_queue.celery_app"] & {"boto3", "alembic"}


def test_the_catalogue_stays_a_list_of_declarations_and_does_not_grow_into_a_library() -> None:
    counts = "import sys, transformers.catalog; print(len(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", counts], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert int(shown) < 800, "every worker and every API loads them at its start: 0.4 s, a third of it, at 680"


def test_who_only_asks_the_broker_loads_neither_the_house_nor_its_memory() -> None:
    loaded = loaded_by("celery_queue.broker_app")["celery_queue.broker_app"]
    assert not loaded & {"sqlalchemy", "psycopg", "transformers", "structlog", "flower"}


def test_the_demo_loads_its_memory_while_the_stack_starts() -> None:
    assert not loaded_by("backend.demo")["backend.demo"] & {"sqlalchemy", "alembic", "redis", "transformers"}


def registries() -> Iterator[bytes]:
    """Their host names, put together here so that this file holds none."""
    hosts = (
        *(("pypi", "org"), ("files", "pythonhosted", "org"), ("conda", "anaconda", "org"), ("huggingface", "co")),
        *(("registry", "npmjs", "org"), ("registry", "yarnpkg", "com"), ("crates", "io"), ("rubygems", "org")),
        *(("deb", "debian", "org"), ("security", "debian", "org"), ("archive", "ubuntu", "com")),
        *(("proxy", "golang", "org"), ("repo", "maven", "apache", "org"), ("docker", "io"), ("ghcr", "io")),
    )
    yield from (".".join(host).encode() for host in hosts)


def test_no_file_names_a_package_registry() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    assert len(files) > len(MODULES)
    named = re.compile(b"|".join(rb"\b" + re.escape(host) + rb"\b" for host in registries()))
    assert [str(file) for file in files if named.search(file.read_bytes())] == []


def settings_read(module: str) -> Iterator[str]:
    """Names read from something called settings."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).rpartition(".")[2] in {
            "settings",
            "_settings",
            "get_settings()",
        }:
            yield node.attr


def test_every_setting_is_read_somewhere() -> None:
    read = {name for module in MODULES for name in settings_read(module)}
    indirectly = {"environment": "decides what settings.py refuses"}
    if "agent_memory_bytes" in read:
        indirectly["celery_worker_max_memory_per_child"] = "is read in bytes"
    assert [name for name in Settings.model_fields if name not in read | indirectly.keys()] == []
