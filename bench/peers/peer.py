"""A peer beside us: its script in an environment of its own, its own database on the same servers, runs in turn."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Timer
from typing import Any

from backend.product import ROOT
from bench.measure import Surroundings
from bench.peers.environments import PeerMissing, interpreter, version
from bench.peers.talk import leash

READY_SECONDS = 40.0
RUN_SECONDS = 90.0
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Peer:
    """`environment` names the requirements, `script` the module in this folder."""

    environment: str
    script: str
    name: str = ""

    @property
    def title(self) -> str:
        return self.name or self.environment


@dataclass(frozen=True)
class Beside:
    """What one run of the measure found: our figures, the peers' medians, and what is to be said of both."""

    ours: list[float]
    peers: dict[str, float]
    details: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


class RunningPeer:
    """A script that has its orders, and waits for its next line."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path, orders: Mapping[str, Any]) -> None:
        self._process = process
        self._log = log
        self._say(orders)

    def warm(self, **orders: Any) -> dict[str, Any]:
        """Its first run, of the least work, when it is ready. Raises PeerMissing: it did not start."""
        try:
            self._heard(READY_SECONDS)
        except PeerMissing as error:
            raise PeerMissing(f"did not start: {error}") from error
        return self.run(warm=True, **orders)

    def run(self, **orders: Any) -> dict[str, Any]:
        """One run. Raises PeerMissing: it died, or said nothing in time."""
        self._say(orders)
        return self._heard(RUN_SECONDS)

    def _say(self, orders: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(dict(orders)) + "\n")
            self._process.stdin.flush()

    def _heard(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        watch = Timer(seconds, _end, [self._process])
        watch.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watch.cancel()
        if not line:
            raise PeerMissing(f"it ended, or gave no answer in {seconds:g} s; {self._last_word()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_word(self) -> str:
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else "without a word"


@contextmanager
def running(given: Surroundings, peer: Peer, orders: Mapping[str, Any]) -> Iterator[RunningPeer]:
    """The peer, begun; `warm()` waits until it is ready. Raises PeerMissing: it is not installed."""
    number = next(_numbers)
    folder = given.scratch / f"{peer.script}{number}"
    folder.mkdir()
    log = folder / "log.txt"
    own = {
        "database_url": given.stack.postgres.create_database(f"{peer.script}{number}"),
        "redis_url": f"{given.stack.redis_url.rpartition('/')[0]}/{number % 15 + 1}",  # 0 is ours
        "directory": str(folder),
    }
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*leash(), interpreter(peer.environment), "-m", f"bench.peers.{peer.script}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder,
            env=_environment(own), start_new_session=True,
        )  # fmt: skip
    try:
        yield RunningPeer(process, log, {**own, **orders})
    finally:
        _end(process)


def side_by_side(
    given: Surroundings, peers: Sequence[Peer], ours: Callable[[], float], rounds: int, orders: Mapping[str, Any]
) -> Beside:
    """So many rounds, in each of them everybody once; each peer has had a run of one step before, as we have."""
    found = Beside([], {})
    seconds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        there = _there(stack, given, peers, orders, found.missing)
        for _ in range(rounds):
            found.ours.append(ours())
            for name, it in there.items():
                with _missed(name, found.missing):
                    for what, value in it.run().items():
                        seconds.setdefault(name if what == "value" else f"{name}, {what}", []).append(value)
            there = {name: it for name, it in there.items() if name not in found.missing}
    found.peers.update({name: median(values) for name, values in seconds.items()})
    found.details.update({name: [round(value, 4) for value in values] for name, values in seconds.items()})
    found.details["versions"] = {peer.environment: version(peer.environment) for peer in peers}
    return found


def _there(
    stack: ExitStack,
    given: Surroundings,
    peers: Sequence[Peer],
    orders: Mapping[str, Any],
    missing: dict[str, str],
) -> dict[str, RunningPeer]:
    """All of them, begun side by side, then warm."""
    begun: dict[str, RunningPeer] = {}
    for peer in peers:
        with _missed(peer.title, missing):
            begun[peer.title] = stack.enter_context(running(given, peer, orders))
    for name, it in begun.items():
        with _missed(name, missing):
            it.warm()
    return {name: it for name, it in begun.items() if name not in missing}


@contextmanager
def _missed(name: str, missing: dict[str, str]) -> Iterator[None]:
    try:
        yield
    except PeerMissing as error:
        missing[name] = str(error)


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """Nothing of ours but the folder in which the scripts lie."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    named = {f"PEER_{name.upper()}": value for name, value in own.items()}  # for the workers that a script starts
    return kept | named | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _end(process: "subprocess.Popen[str]") -> None:
    """It and all that it started."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
