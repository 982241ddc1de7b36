"""An environment for each peer, made once by uv from `requirements/<peer>.txt`: nobody's versions are bent to ours.

They are made before the clock of a run starts. One that could not be made is remembered with its reason, and named as
missing where its figure would stand; the next run tries again.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from backend.product import ROOT

REQUIREMENTS = Path(__file__).parent / "requirements"
FOLDER = ROOT / ".venv-bench"
PATIENCE = 180.0  # seconds for one peer's packages
UV = Path(sys.executable).parent / "uv"


class PeerMissing(Exception):
    """A peer that cannot be measured here; the message says why."""


def make(peers: Iterable[str]) -> None:
    """Those that are not there yet. Raises nothing: who cannot be installed is missing."""
    for peer in peers:
        if _installed(peer):
            continue
        print(f"installing {peer} {version(peer)} …", end=" ", flush=True)
        _refusal(peer).unlink(missing_ok=True)
        try:
            interpreter(peer)
            print("done", flush=True)
        except PeerMissing as error:
            print(error, flush=True)


def interpreter(peer: str) -> Path:
    """Its Python; made now where nobody has tried before. Raises PeerMissing: it could not be installed."""
    if not _installed(peer):
        if _refusal(peer).exists():
            raise PeerMissing(_refusal(peer).read_text(encoding="utf-8"))
        try:
            _install(peer)
        except PeerMissing as error:
            FOLDER.mkdir(exist_ok=True)
            _refusal(peer).write_text(str(error), encoding="utf-8")
            raise
    return _python(peer)


def version(peer: str) -> str:
    """The one that is pinned."""
    lines = _wanted(peer).splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{peer}=="))


def _install(peer: str) -> None:
    _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER / peer))
    requirement = str(REQUIREMENTS / f"{peer}.txt")
    _uv("pip", "install", "--quiet", "--compile-bytecode", "--python", str(_python(peer)), "--requirement", requirement)
    _stamp(peer).write_text(_wanted(peer), encoding="utf-8")


def _installed(peer: str) -> bool:
    """As the requirements are now, by an interpreter that is still there."""
    stamp = _stamp(peer)
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _wanted(peer) and _python(peer).exists()


def _wanted(peer: str) -> str:
    return (REQUIREMENTS / f"{peer}.txt").read_text(encoding="utf-8")


def _python(peer: str) -> Path:
    scripts, suffix = ("Scripts", ".exe") if sys.platform == "win32" else ("bin", "")
    return FOLDER / peer / scripts / f"python{suffix}"


def _stamp(peer: str) -> Path:
    return FOLDER / peer / "installed.txt"


def _refusal(peer: str) -> Path:
    return FOLDER / f"{peer}.missing.txt"


def _uv(*arguments: str) -> None:
    try:
        subprocess.run([UV, *arguments], check=True, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["without a word"])[-1].strip()
        raise PeerMissing(f"not installed: {last[:300]}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise PeerMissing(f"not installed: {error}") from error
