"""P11: from a worker's start to its first task's end, and `make demo` for the second time.

    python -m bench.start [quick]

The demo runs in a fresh clone whose environment is there already: a link to this one's, with stamps of its own, so that
nothing is installed and nothing here is touched.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from backend.clock import monotonic
from bench.alone import main
from bench.measure import Figure, Surroundings

WORKER_BAR_SECONDS = 3.0
DEMO_BAR_SECONDS = 15.0
PATIENCE = 60.0
DEMO_PATIENCE = 180.0
STAMPS = ("uv.stamp", "demo.stamp", "dev.stamp")


@dataclass(frozen=True)
class Start:
    """Until the first task's end: seconds, and CPU seconds of the worker and all that it started."""

    seconds: float
    busy: float

    def told(self) -> Mapping[str, float]:
        return {"s": round(self.seconds, 2), "cpu_s": round(self.busy, 2)}


def measure(given: Surroundings) -> Iterable[Figure]:
    first = [_first_task(given, "prefork", number) for number in range(1 if given.quick else 5)]
    solo = [_first_task(given, "solo", number) for number in range(1 if given.quick else 3)]
    yield Figure(
        id="P11",
        title="Worker's start to its first task's end",
        unit="s",
        ours=median(one.seconds for one in first),
        bar=WORKER_BAR_SECONDS,
        detail={"prefork": [one.told() for one in first], "solo": [one.told() for one in solo]},
        note="A task waits; a prefork worker of two slots is started. The tool's one agent does nothing."
        " CPU is of all its processes.",
    )
    if not given.quick:
        with _fresh_clone() as clone:
            before, again = _demo(clone), _demo(clone)
        yield Figure(
            id="P11 demo",
            title="make demo, the second time",
            unit="s",
            ours=again,
            bar=DEMO_BAR_SECONDS,
            detail={"the_first_time": round(before, 2)},
            note="A fresh clone with its environment kept: stack, API, worker and Flower up, a real file, all down.",
        )


def _first_task(given: Surroundings, pool: str, number: int) -> Start:
    from backend.chaos.deployment import Deployment
    from bench import house as rows

    directory = given.scratch / f"{pool}{number}"
    directory.mkdir()
    task = rows.submit(rows.customer(), "noop")
    deployment = Deployment(given.stack, pool, directory, given.stack.database_url)
    try:
        began = monotonic()
        deployment.begin_worker()
        rows.await_ended([task], PATIENCE)
        return Start(monotonic() - began, rows.busy_seconds(deployment.worker.pid))
    finally:
        deployment.close()


@contextmanager
def _fresh_clone() -> Iterator[Path]:
    """What is committed, with the environment that runs this; in a folder that PostgreSQL's user may enter."""
    from backend.product import ROOT

    with TemporaryDirectory(prefix="agensium-clone-") as parent:
        Path(parent).chmod(0o755)
        yield _clone(ROOT, Path(parent) / "agensium")


def _clone(source: Path, directory: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", source, directory], check=True)
    environment = directory / ".venv"
    environment.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name not in STAMPS:
            (environment / entry.name).symlink_to(entry)
    for stamp in STAMPS:  # younger than every lock file there
        (environment / stamp).touch()
    return directory


def _demo(clone: Path) -> float:
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    began = monotonic()
    run = subprocess.run(
        ["make", "demo"], cwd=clone, env=clean, capture_output=True, text=True, timeout=DEMO_PATIENCE, check=False
    )
    if run.returncode:
        raise SystemExit(f"make demo failed: {run.stdout[-2000:]}{run.stderr[-2000:]}")
    return monotonic() - began


if __name__ == "__main__":
    main("P11", *sys.argv[1:] or ["whole"])
