"""Who does what with a table, and by which command: our tools and agents, and the peers whose own work it is."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backend.product import ROOT
from bench.apart import Limits, Ran, run_apart
from bench.peers.environments import interpreter
from bench.tables import customers

CLEANERS = ("type-fixer", "field-standardization", "duplicate-resolver", "null-handler", "outlier-remover")


@dataclass(frozen=True)
class Ours:
    """Agents of a tool; none named: all of them that need no second table."""

    tool: str
    agents: tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def command(self, source: Path, folder: Path) -> list[str | Path]:
        order = {
            "tool": self.tool, "agents": self.agents, "parameters": self.parameters,
            "source": str(source), "folder": str(folder),
        }  # fmt: skip
        return [sys.executable, "-m", "bench.own_tables", json.dumps(order)]

    def environment(self) -> dict[str, str]:
        return dict(os.environ)


@dataclass(frozen=True)
class Theirs:
    """A script of `bench.peers` in the environment of a peer; `until`: the most rows in the twenty minutes.

    `floor`: it does so little that it is no yardstick.
    """

    peer: str
    script: str
    how: tuple[str, ...] = ()
    floor: bool = False
    until: int = 1_000_000

    def command(self, source: Path, folder: Path) -> list[str | Path]:
        """Raises PeerMissing."""
        return [interpreter(self.peer), "-m", f"bench.peers.{self.script}", *self.how, source, folder / "result"]

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return kept | {"PYTHONPATH": str(ROOT), "YDATA_PROFILING_NO_ANALYTICS": "1", "MPLBACKEND": "agg"}


@dataclass(frozen=True)
class TableWork:
    """One piece of work, ours beside theirs. `links`: it finds which rows are one person.

    `sure` is the size up to which no forecast keeps ours from it: likely duplicates are looked for in small tables
    only, so a larger one may be quicker. `until`: the largest size of ours in the twenty minutes.
    """

    title: str
    ours: Ours
    theirs: Mapping[str, Theirs] = field(default_factory=dict)
    links: bool = False
    sure: int = 10_000
    until: int = 1_000_000


WORKS: Sequence[TableWork] = (
    TableWork(
        "Profile",
        Ours("profile-my-data", ("unified-profiler",)),
        {
            "skrub": Theirs("skrub", "skrub_tables"),
            "ydata-profiling": Theirs("ydata-profiling", "ydata_tables", ("whole",), until=10_000),
            "ydata-profiling, minimal": Theirs("ydata-profiling", "ydata_tables", ("minimal",), until=100_000),
            "pandas, describe": Theirs("pandas", "pandas_tables", ("describe",), floor=True, until=100_000),
        },
    ),
    TableWork(
        "Clean",
        Ours("clean-my-data", (*CLEANERS, "cleanse-writeback"), {"duplicate-resolver": {"fuzzy": "off"}}),
        {"pandas, by hand": Theirs("pandas", "pandas_tables", ("clean",), floor=True)},
    ),
    TableWork(
        "Link",
        Ours("master-my-data", ("survivorship-resolver",)),
        {
            "splink": Theirs("splink", "splink_tables"),
            "pandas, drop_duplicates": Theirs(
                "pandas", "pandas_tables", ("drop_duplicates",), floor=True, until=100_000
            ),
        },
        links=True,
        sure=100_000,
    ),
)
TOOLS: Sequence[TableWork] = tuple(
    TableWork(tool, Ours(tool), sure=100_000, until=100_000)
    for tool in ("profile-my-data", "clean-my-data", "master-my-data")
)


def run_on(who: Ours | Theirs, rows: int, folder: Path, limits: Limits) -> Ran:
    """One run on the table of so many rows; its results stay in the folder. Raises PeerMissing."""
    folder.mkdir(parents=True)
    command = who.command(customers(rows).path, folder)
    return run_apart(command, folder / "log.txt", limits, who.environment(), ROOT)
