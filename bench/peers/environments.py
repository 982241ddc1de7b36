"""An environment for each peer, made once by uv from `requirements/<peer>.txt`: nobody's versions are bent to ours."""

import subprocess
import sys
from pathlib import Path

from backend.product import ROOT

REQUIREMENTS = Path(__file__).parent / "requirements"
FOLDER = ROOT / ".venv-bench"
PATIENCE = 180.0  # seconds for one peer's packages
UV = Path(sys.executable).parent / "uv"


class PeerMissing(Exception):
    """A peer that cannot be measured here; the message says why."""


def interpreter(peer: str) -> Path:
    """Its Python. Raises PeerMissing: it could not be installed."""
    wanted, home = REQUIREMENTS / f"{peer}.txt", FOLDER / peer
    python, stamp = home / "bin" / "python", home / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted.read_text():
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(home))
        _uv("pip", "install", "--quiet", "--python", str(python), "--requirement", str(wanted))
        stamp.write_text(wanted.read_text())
    return python


def version(peer: str) -> str:
    """The one that is pinned."""
    lines = (REQUIREMENTS / f"{peer}.txt").read_text().splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{peer}=="))


def _uv(*arguments: str) -> None:
    try:
        subprocess.run([UV, *arguments], check=True, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.CalledProcessError as error:
        raise PeerMissing(f"not installed: {error.stderr.strip().splitlines()[-1][:300]}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise PeerMissing(f"not installed: {error}") from error
