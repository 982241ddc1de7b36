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

import psycopg
import redis

from backend.devstack import Stack, embedded_stack
from backend.product import ROOT, product_environment
from bench.budget import Size
from bench.families import MEASURES
from bench.measure import Surroundings


def main(measure_id: str, size: str, path: str = "") -> None:
    """To `path`, or for a reader."""
    measure = next(one for one in MEASURES if one.id == measure_id)
    quick, long = size == Size.QUICK, size == Size.LONG
    with redirect_stdout(sys.stderr), surroundings(quick=quick, long=long) as given:
        servers = _servers(given.stack)
        found = {"servers": servers, "figures": [figure.as_json() for figure in measure.run(given)]}
    if path:
        Path(path).write_text(json.dumps(found), encoding="utf-8")
    else:
        print(json.dumps(found, indent=1))


@contextmanager
def surroundings(*, quick: bool = False, long: bool = False) -> Iterator[Surroundings]:
    """A stack as `make dev` has it: PostgreSQL with fsync, Redis with its append-only file, S3 in memory."""
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
            _written_down()
            try:
                yield Surroundings(stack, quick, scratch, long)
            finally:
                _drop(stack)


def _written_down() -> None:
    """A new database is 80 MB that the system writes when it likes: the first commits would wait for the disk."""
    if hasattr(os, "sync"):
        os.sync()


def _drop(stack: Stack) -> None:
    """Nobody reads what they kept: no checkpoint is written, nothing is saved."""
    for service in (stack.postgres, stack.redis, stack.storage):
        if service is not None:
            service.kill()


def _servers(stack: Stack) -> str:
    """Their versions, asked of themselves."""
    with psycopg.connect(stack.database_url) as connection:
        versions = [f"PostgreSQL {connection.info.parameter_status('server_version')}"]
    if stack.redis_url:
        with redis.Redis.from_url(stack.redis_url) as client:
            versions.append(f"Redis {client.info('server')['redis_version']}")
    return ", ".join(versions)


if __name__ == "__main__":
    main(*sys.argv[1:])
