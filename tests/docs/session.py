"""A page's commands in one shell session, as somebody types them who has just made a clone.

The shell gets a folder that looks like the clone. What a page writes there stays there: a room that it writes into is
copied first, the others are links.
"""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from backend.ports import free_port
from backend.processes import Process
from backend.settings import Settings
from tests.docs.pages import ROOT, Block, Page

PATIENCE = 400.0  # seconds for a page; some 5 when idle
AWAITED = 45.0  # seconds until a server says that it is up
ANSWER = "a long and private sentence\n"  # to whatever asks: `agensium login`
ADDRESS = "http://127.0.0.1:8000"  # in the pages; where `make dev` is
AT = "@example.com"  # the customers of all pages share one deployment: each page's have a domain of their own
UNSEEN = (".agensium", ".git", ".env", ".venv-bench", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
MARK = "-- block "

# `until`: a group of its own in the background, ended with the page. What comes after it waits for its words.
PRELUDE = f"""
exec 2>&1
set -euo pipefail -m
behind=()
at_the_end() {{ for group in "${{behind[@]}}"; do kill -TERM -- "-$group" 2>/dev/null || true; done; wait; }}
trap at_the_end EXIT
await() {{
  local deadline=$((SECONDS + {AWAITED:.0f}))
  until grep -qF -- "$2" "$1"; do
    if ! kill -0 -- "-$3" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      cat "$1"; echo "never said: $2"; exit 1
    fi
    sleep 0.1
  done
}}
"""


@dataclass(frozen=True)
class Said:
    """What a page's session ended with, and what was to be seen after each block's command, by the block's line."""

    code: int
    by_line: Mapping[int, str]
    last_line: int  # of the block that ran last


def run(page: Page, place: Path, environment: Mapping[str, str], address: str) -> Said:
    """All of the page's blocks, in order. Whatever they started is ended."""
    clone = place / "clone"
    _lay_out(page, clone)
    script, answers = place / "page.sh", place / "answers"
    answers.write_text(ANSWER, encoding="utf-8")
    script.write_text(_own(_script(page, answers, place), page, address), encoding="utf-8")
    home = place / "home"
    home.mkdir()
    with _shell(script, clone, {**environment, "HOME": str(home), "PYTHONPATH": str(clone)}) as shell:
        shell.ends_within(PATIENCE)
        code = shell.exit_code
    said = shell.log.read_text(encoding="utf-8", errors="replace")
    return Said(1 if code is None else code, *_by_line(_as_written(said, page, address)))


def _own(text: str, page: Page, address: str) -> str:
    """Whose addresses: the page's, the house that is there, and for a second server any port that is free."""
    text = re.sub(r"\b8001\b", str(free_port()), text)
    return text.replace(ADDRESS, address).replace(AT, _at(page))


def _as_written(said: str, page: Page, address: str) -> str:
    return said.replace(_at(page), AT).replace(address, ADDRESS)


def _at(page: Page) -> str:
    return f"@{re.sub(r'[^a-z0-9]+', '-', Path(page.name).stem.lower())}.example.com"


def _lay_out(page: Page, clone: Path) -> None:
    clone.mkdir()
    written = {Path(block.directives["file"]).parts[0] for block in page.blocks if "file" in block.directives}
    for one in ROOT.iterdir():
        if one.name in UNSEEN or one.suffix == ".egg-info":
            continue
        if one.name in written and one.is_dir():
            shutil.copytree(one, clone / one.name)
        else:
            (clone / one.name).symlink_to(one)


def _script(page: Page, answers: Path, place: Path) -> str:
    parts = [PRELUDE]
    for block in page.blocks:
        if "file" in block.directives:
            parts.append(_writes(block))
        elif block.is_run:
            parts.append(f"printf '\\n%s%s\\n' {shlex.quote(MARK)} {block.line}\nexec 0<{shlex.quote(str(answers))}\n")
            parts.append(_typed(block, place))
    return "\n".join(parts)


def _writes(block: Block) -> str:
    path = shlex.quote(block.directives["file"])
    return f"mkdir -p \"$(dirname {path})\"\ncat >{path} <<'END-OF-FILE'\n{block.text}END-OF-FILE\n"


def _typed(block: Block, place: Path) -> str:
    text = block.text if block.language == "console" else f"python - <<'END-OF-PYTHON'\n{block.text}END-OF-PYTHON\n"
    if words := block.directives.get("until"):
        log = shlex.quote(str(place / f"behind-{block.line}.log"))
        started = f"{{\n{text}}} >{log} 2>&1 </dev/null &\nbehind+=($!)\n"
        return f"{started}await {log} {shlex.quote(words)} $!\ncat {log}\n"
    if code := block.directives.get("exit"):
        return f"set +e\n(set -e\n{text})\ncode=$?\nset -e\n[ $code = {code} ]\n"
    return text


@contextmanager
def _shell(script: Path, clone: Path, environment: Mapping[str, str]) -> Iterator[Process]:
    bash = shutil.which("bash") or "/bin/bash"
    command = [bash, "-c", f"cd {shlex.quote(str(clone))} && exec bash {shlex.quote(str(script))}"]
    shell = Process("shell", command, script.with_suffix(".log"), environment=environment)
    shell.start()
    try:
        yield shell
    finally:
        shell.stop(grace=20)  # a worker drains
        for one in _left_in(clone):
            with suppress(psutil.NoSuchProcess):
                one.kill()


def _left_in(clone: Path) -> list[psutil.Process]:
    """Processes that were started in the folder, and are there still: whoever was not ended with the shell."""
    return [one for one in psutil.process_iter(["cwd"]) if (one.info["cwd"] or "").startswith(str(clone))]


def _by_line(said: str) -> tuple[dict[int, str], int]:
    parts = re.split(rf"(?m)^{re.escape(MARK)}(\d+)$", said)
    found = {0: parts[0]} | {int(line): text for line, text in zip(parts[1::2], parts[2::2], strict=True)}
    return found, max(found)


def environment_of(house: Mapping[str, str], address: str, binaries: list[Path]) -> dict[str, str]:
    """A newcomer's: the house's settings, our commands and those of the embedded services on the PATH, little else."""
    path = os.pathsep.join(
        [str(Path(sys.executable).parent), *map(str, binaries), "/usr/local/bin", "/usr/bin", "/bin"]
    )
    kept = {name: os.environ[name] for name in ("TMPDIR", "LANG", "LC_ALL") if name in os.environ}
    known = Settings.model_fields.keys() - {"extra_tools"}  # the house's own affair
    settings = {name: value for name, value in house.items() if name.lower() in known}
    rest = {"AGENSIUM_URL": address, "COLUMNS": "100", "LINES": "50", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return {**settings, **kept, **rest, "PATH": path}
