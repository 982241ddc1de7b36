"""One measure in this process: `python -m bench.alone P1 quick` (or `whole`, `long`). Prints its figures as JSON.

The stack is this process' own, and its settings are this process' environment before the product is imported.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from backend.devstack import embedded_stack
from backend.product import ROOT, product_environment
from bench.families import MEASURES
from bench.measure import Surroundings


def main(measure_id: str, size: str) -> None:
    measure = next(one for one in MEASURES if one.id == measure_id)
    with redirect_stdout(sys.stderr), surroundings(quick=size == "quick", long=size == "long") as given:
        found = [figure.as_json() for figure in measure.run(given)]
    print(json.dumps(found))


@contextmanager
def surroundings(*, quick: bool = False, long: bool = False) -> Iterator[Surroundings]:
    """A stack as `make demo` has it: PostgreSQL with fsync, Redis with its append-only file, S3 in memory."""
    with tempfile.TemporaryDirectory(prefix="agensium-bench-") as directory:
        scratch = Path(directory) / "measure"
        scratch.mkdir()
        with embedded_stack(Path(directory)) as stack:
            from bench.tools import EXTRA_TOOLS

            own = {"AGENSIUM_NO_ENV_FILE": "1", "PYTHONPATH": str(ROOT), "EXTRA_TOOLS": EXTRA_TOOLS}
            os.environ.update(product_environment(stack) | own)
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as in the Makefile: a start compiles nothing anew
            from db.schema import migrate

            migrate(stack.database_url)
            yield Surroundings(stack, quick, scratch, long)


if __name__ == "__main__":
    main(*sys.argv[1:])
