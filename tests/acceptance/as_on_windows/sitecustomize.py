"""Loaded by Python itself where this folder is on PYTHONPATH: the product's own modules take Windows' way, on Linux.

In the five packages `sys.platform` reads "win32", and what os, signal and the standard library have on POSIX only is
not there. Of all code, libraries' too, it is asked that what it writes has a name that Windows takes, and removing or
replacing a file that a process of ours has open is refused, as Windows refuses it. Each refusal is also a line in the
file that AGENSIUM_AS_ON_WINDOWS names. Libraries themselves run as on Linux: their Windows is their own.
"""

import ast
import contextlib
import importlib.machinery
import os
import re
import sys
from pathlib import Path
from typing import Any

LOG = os.environ.get("AGENSIUM_AS_ON_WINDOWS", "")
ROOT = os.environ.get("AGENSIUM_AS_ON_WINDOWS_ROOT") or Path(__file__).resolve().parents[3]
OURS = tuple(f"{ROOT}{os.sep}{name}{os.sep}" for name in ("api", "backend", "celery_queue", "db", "transformers"))
NOT_THERE = {
    "os": {
        *("fork", "forkpty", "register_at_fork", "killpg", "wait4", "setsid", "setpgid", "getpgid", "chown", "mkfifo"),
        *("getuid", "geteuid", "getgid", "getpgrp", "nice", "statvfs", "sched_getaffinity", "sched_setaffinity"),
    },
    "signal": {
        *("SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGSTOP", "SIGCONT", "SIGQUIT", "SIGALRM", "SIGPIPE"),
        *("alarm", "setitimer", "pause", "pthread_kill", "pthread_sigmask", "sigwait"),
    },
    "faulthandler": {"register"},
    "socket": {"AF_UNIX"},
    "select": {"poll", "epoll"},
}
MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog"}
ABOUT = re.compile(
    rb"\bsys\.platform\b|\b(hasattr|getattr)\(\w+, [\"']|\bimport (%s)\b|\b(%s)\b"
    % ("|".join(sorted(MODULES)).encode(), "|".join(sorted(set().union(*NOT_THERE.values()))).encode())
)  # what is not about it is loaded as it was compiled
ILLEGAL = re.compile(r'[<>:"|?*\x00-\x1f]|[ .]$')
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
LONGEST_PATH = 259  # characters, where nobody has allowed more
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class ToWindows(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            if (node.value.id, node.attr) == ("sys", "platform"):
                return ast.copy_location(ast.Constant("win32"), node)
            if node.attr in NOT_THERE.get(node.value.id, ()):
                node.attr = f"{node.attr}_is_not_there_on_windows"
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`hasattr(os, "fork")` and `getattr(signal, "SIGKILL", …)` find what Windows has."""
        match node:
            case ast.Call(ast.Name("hasattr" | "getattr"), [ast.Name(module), ast.Constant(name), *_]):
                if name in NOT_THERE.get(module, ()):
                    node.args[1] = ast.copy_location(ast.Constant(f"{name}_is_not_there_on_windows"), node)
        return self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> ast.AST:
        for alias in node.names:
            if alias.name in MODULES:
                alias.name, alias.asname = f"{alias.name}_is_not_there_on_windows", alias.name
        return node


_get_code = importlib.machinery.SourceFileLoader.get_code


def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> Any:
    path = self.get_filename(fullname)
    if not os.path.abspath(path).startswith(OURS) or not ABOUT.search(source := self.get_data(path)):
        return _get_code(self, fullname)
    tree = ToWindows().visit(ast.parse(source, path))
    return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)


def refuse(what: str) -> None:
    with os.fdopen(os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "a", encoding="utf-8") as log:
        log.write(f"{sys.argv[:1]} {what}\n")


_busy = False


def hear(event: str, args: tuple[Any, ...]) -> None:
    """What Python says before it does it."""
    global _busy  # noqa: PLW0603 (our own looking is heard, too)
    if _busy or event not in HEARD:
        return
    _busy = True
    try:
        HEARD[event](*args)
    finally:
        _busy = False


def opened(path: Any, _mode: Any, flags: int) -> None:
    if isinstance(path, str | bytes) and flags & WRITES:
        named(os.fsdecode(path))


def made(path: Any, *_: Any) -> None:
    named(os.fsdecode(path))


def named(path: str) -> None:
    whole = os.path.abspath(path)
    if whole.startswith(("/proc/", "/dev/")) or whole == LOG:
        return
    for part in whole.split(os.sep)[1:]:
        if ILLEGAL.search(part) or RESERVED.fullmatch(part):
            refuse(f"a name that Windows does not take: {whole}")
            raise OSError(22, "Invalid argument", whole)
    if len(whole) > LONGEST_PATH:
        refuse(f"a path that is too long: {whole}")


def removed(path: Any, dir_fd: int = -1) -> None:
    free(resolved(path, dir_fd))


def moved(source: Any, target: Any, source_fd: int = -1, target_fd: int = -1) -> None:
    named(resolved(target, target_fd))
    free(resolved(source, source_fd))
    free(resolved(target, target_fd))


def resolved(path: Any, dir_fd: int) -> str:
    base = os.readlink(f"/proc/self/fd/{dir_fd}") if dir_fd >= 0 else os.getcwd()
    return os.path.join(base, os.fsdecode(path))


def free(path: str) -> None:
    """Raises as Windows does where somebody of ours has the file open or mapped."""
    if not os.path.isfile(path):
        return
    for process in (str(os.getpid()), str(os.getppid()), *children()):
        if holds(process, os.path.realpath(path)):
            refuse(f"a file that is still open in process {process}: {path}")
            raise PermissionError(13, "The process cannot access the file, for another one uses it", path)


def children() -> list[str]:
    found = []
    for thread in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{thread}/children", encoding="ascii") as told:
            found += told.read().split()
    return found


def holds(process: str, path: str) -> bool:
    with contextlib.suppress(OSError), open(f"/proc/{process}/maps", encoding="utf-8") as maps:
        if any(line.rstrip("\n").endswith(f" {path}") for line in maps):
            return True
        return any(target(f"/proc/{process}/fd/{number}") == path for number in os.listdir(f"/proc/{process}/fd"))
    return False


def target(descriptor: str) -> str:
    try:
        return os.readlink(descriptor)
    except OSError:  # that of the listing itself
        return ""


HEARD = {"open": opened, "os.mkdir": made, "os.remove": removed, "os.rename": moved}

if LOG:
    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]
    sys.addaudithook(hear)
