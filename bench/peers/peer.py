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

    @property
    def note(self) -> str:
        return " ".join(f"{name}: {reason}." for name, reason in self.missing.items())


class RunningPeer:
    """A script that waits for its next line."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log

    def run(self, **orders: Any) -> dict[str, Any]:
        """One run. Raises PeerMissing: it died, or said nothing in time."""
        return self.say(orders, RUN_SECONDS)

    def say(self, orders: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watch = Timer(seconds, _end, [self._process])
        watch.start()
        try:
            with suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps(dict(orders)) + "\n")
                self._process.stdin.flush()
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
    """The peer, ready. Raises PeerMissing: not installed, or it did not start."""
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
            [interpreter(peer.environment), "-m", f"bench.peers.{peer.script}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder,
            env=_environment(own), start_new_session=True,
        )  # fmt: skip
    try:
        it = RunningPeer(process, log)
        try:
            it.say({**own, **orders}, READY_SECONDS)
        except PeerMissing as error:
            raise PeerMissing(f"did not start: {error}") from error
        yield it
    finally:
        _end(process)


def side_by_side(
    given: Surroundings, peers: Sequence[Peer], ours: Callable[[], float], rounds: int, orders: Mapping[str, Any]
) -> Beside:
    """So many rounds, in each of them everybody once; each peer has had a run of one step before, as we have."""
    found = Beside([], {})
    seconds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        there: dict[str, RunningPeer] = {}
        for peer in peers:
            try:
                it = stack.enter_context(running(given, peer, orders))
                it.run(warm=True)
                there[peer.title] = it
            except PeerMissing as error:
                found.missing[peer.title] = str(error)
        for _ in range(rounds):
            found.ours.append(ours())
            for name, it in list(there.items()):
                try:
                    for what, value in it.run().items():
                        seconds.setdefault(name if what == "value" else f"{name}, {what}", []).append(value)
                except PeerMissing as error:
                    found.missing[name] = str(error)
                    del there[name]
    found.peers.update({name: median(values) for name, values in seconds.items()})
    found.details.update({name: [round(value, 4) for value in values] for name, values in seconds.items()})
    found.details["versions"] = {peer.environment: version(peer.environment) for peer in peers}
    return found


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
