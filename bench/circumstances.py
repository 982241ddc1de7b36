"""What a reader of the page must know to judge a figure and to repeat it: machine, commands, and who the others are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.families import TABLES
from bench.peers import environments
from bench.peers.about import OTHERS
from bench.slow_store import MILLISECONDS

Run = Mapping[str, Any]
HOW_TO_REPEAT = """
<!-- not run: it takes twenty minutes -->
```sh
make bench                      # everything, twenty minutes at most; writes this page
make bench ONLY="P1 P5"         # some; the others' figures stay, with the date of their run
make bench-quick                # the short form of the short measures, two minutes; writes .agensium/bench
make bench-long                 # tables of ten million rows too
```

It needs what `make demo` needs, and an index of Python packages for the others. Those are installed once, before the
clock starts, each into an environment of its own (`.venv-bench`) from pinned versions (`bench/peers/requirements`); one
that cannot be installed is named as missing. Each measure is a process with a stack of its own: PostgreSQL that waits
for its disk (`fsync`), Redis with an append-only file synced every second, S3 in memory. The others use the same
servers, with databases of their own, through their public interfaces, in turn with us, warm. Nothing is left behind.
""".strip()
ABOUT_THE_STORE = (
    f"P1, P2 and P5 keep their files in a stub of S3 (`bench/slow_store.py`) that answers each call from memory after "
    f"{MILLISECONDS:g} ms, since the embedded store would be what is measured; the other measures use that one."
)


def told(runs: Sequence[Run]) -> Iterator[str]:
    yield from ("## The machine, and how to repeat it", "")
    days: dict[str, list[Run]] = {}
    for run in runs:
        servers = f", {run['servers']}" if "servers" in run else ""
        days.setdefault(f"{run['date']}: {run['machine']}{servers}", []).append(run)
    for machine, of_it in days.items():
        took = f"{sum(run['seconds'] for run in of_it):.0f} s{', the short form' if of_it[0]['quick'] else ''}"
        yield f"- {machine}. {', '.join(run['id'] for run in of_it)}: {took}."
    yield from ("", "Load is the average of one minute, before → after a measure, whose own work is in the second.", "")
    yield from (HOW_TO_REPEAT, "", ABOUT_THE_STORE, "")


def others() -> Iterator[str]:
    yield from ("## The others: versions, and what they keep", "")
    yield "Each is set to lose nothing, as far as it can be, and each of its settings stands in its script in"
    yield "`bench/peers`. What is in Redis survives the death of any process; of the machine, all but the last second."
    yield from ("", "| | version | what it keeps | in P5 | what it leaves out |", "|---|---|---|---|---|")
    for one in OTHERS:
        version = environments.version(one.environment)
        yield f"| {one.environment} | {version} | {one.keeps} | {one.runs} | {one.leaves_out} |"
    tables = ", ".join(f"{name} {environments.version(name)}" for name in TABLES)
    yield from ("", f"Beside P9: {tables}. What each does there is said with its figures.", "")
