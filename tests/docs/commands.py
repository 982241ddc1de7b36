"""What a command that is not run here names: checked word by word against what there is."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer

from backend.cli import app
from tests.docs.pages import ROOT

OURS = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} | {".ci", ".env.example"}
PATH_LIKE = re.compile(r"(?:\./)?([\w.-]+(?:/[\w.{}*-]+)+/?|[\w-]+\.(?:md|yml|yaml|toml|lock|txt)|Makefile|Dockerfile)")
ASSIGNED = re.compile(r"(?:export )?([A-Z][A-Z0-9_]+)=")
# Variables that libraries read by themselves, by the files that name them.
THEIRS = {"opentelemetry": "sdk/environment_variables/__init__.py", "botocore": "configprovider.py"}
TEXTS = ("*.py", "*.yml", "*.yaml", "*.json", "*.toml", "*.service", "*.conf", "Dockerfile", "Makefile", ".env.example")
HOUSE = ("api", "backend", "bench", "celery_queue", "db", "deploy", "scores", "transformers", ".")
APPEARING = (".agensium", "results", "docs/pages")  # made by who follows the page


def faults(text: str) -> Iterator[str]:
    """What a shell block says that is not so; nothing where it may be typed as it is."""
    parsed = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    if parsed.returncode:
        yield parsed.stderr.strip()
        return
    yield from (f"no file {name}" for name in PATH_LIKE.findall(_uncommented(text)) if not _is_there(name))
    yield from (f"nobody reads {name}" for name in ASSIGNED.findall(text) if not _read(name, text))
    for words in simple_commands(text):
        yield from _faults_of(words)


def simple_commands(text: str) -> Iterator[list[str]]:
    """Words of each command; what is piped, chained or after `do` is one of its own."""
    for line in _uncommented(text).replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&()")
        lexer.whitespace_split = True
        words: list[str] = []
        try:
            for word in lexer:
                if set(word) <= set(";|&()") or word in {"do", "then"}:
                    yield words
                    words = []
                else:
                    words.append(word)
        except ValueError:  # a quotation of several lines: `bash -n` has seen it
            continue
        yield words


def _uncommented(text: str) -> str:
    return re.sub(r"(?m)(^|\s)#.*$", "", text)


def _is_there(name: str) -> bool:
    top = name.partition("/")[0]
    if "/" in name and top not in OURS:  # another's: an image, an address, a branch
        return True
    if name.startswith(APPEARING) or ("/" not in name and name.startswith("values")):
        return True
    return any(ROOT.glob(name.strip("/")))


def _read(name: str, text: str) -> bool:
    return name in code() or re.search(rf"\$\{{?{name}\b", text) is not None or name.startswith("PG")


@cache
def code() -> frozenset[str]:
    """Every word in capitals that the house's own files hold."""
    files = [
        path for room in HOUSE for text in TEXTS for path in (ROOT / room).glob(text if room == "." else f"**/{text}")
    ]
    found: set[str] = set()
    for path in (*files, *_theirs()):
        found.update(re.findall(r"\b[A-Z][A-Z0-9_]+\b", path.read_text(encoding="utf-8", errors="replace")))
    fields = re.findall(
        r"^    ([a-z0-9_]+): ", (ROOT / "backend" / "settings.py").read_text(encoding="utf-8"), re.MULTILINE
    )
    return frozenset(found | {name.upper() for name in fields})


def _theirs() -> Iterator[Path]:
    for package, file in THEIRS.items():
        spec = find_spec(package)
        yield from (Path(folder) / file for folder in (spec and spec.submodule_search_locations) or ())


def _faults_of(words: list[str]) -> Iterator[str]:
    if "agensium" in words:
        yield from unknown(words[words.index("agensium") + 1 :])
    elif words[1:3] == ["-m", "backend"]:
        yield from unknown(words[3:])
    elif words[:1] == ["make"]:
        known = targets()
        yield from (f"no make {word}" for word in words[1:] if "=" not in word and word[0] != "-" and word not in known)


@cache
def targets() -> frozenset[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def unknown(words: list[str]) -> Iterator[str]:
    """What of `agensium …` there is not."""
    command: Any = typer.main.get_command(app)  # click's, which typer brings along under a name of its own
    path, rest = ["agensium"], list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("-") and word != "-":
            option = next((one for one in command.params if word.partition("=")[0] in one.opts), None)
            if option is None and word != "--help" and not command.context_settings.get("ignore_unknown_options"):
                yield f"{' '.join(path)} has no {word}"
            if option is not None and "=" not in word and not getattr(option, "is_flag", False):
                rest[:1] = []
        elif hasattr(command, "commands"):
            if word not in command.commands:
                yield f"{' '.join(path)} has no {word}"
                return
            command, path = command.commands[word], [*path, word]
