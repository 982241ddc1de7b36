"""The whole outside world of Agensium on one machine: what `make demo`, `make dev` and the tests run against.

    with embedded_stack(Path(".agensium")) as stack:
        subprocess.run([...], env={**os.environ, **stack.environment()})

Where there is no Redis for this platform, `redis_url` is empty and the broker is a directory of files, which is
safe because the row, not the message, is the truth.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.embedded import EmbeddedPostgres, EmbeddedRedis, EmbeddedStorage
from backend.processes import ending_on_signals

ACCESS_KEY = "development-only"  # moto accepts any; no word of a sentence, for secrets are struck out of what is told
SECRET_KEY = "not-a-secret-only-for-development"  # noqa: S105 (the same)


@dataclass(frozen=True)
class Stack:
    """A running stack: the services to break and mend, and the addresses everything else is given."""

    directory: Path
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis | None
    storage: EmbeddedStorage

    @property
    def database_url(self) -> str:
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        return self.redis.url if self.redis else ""

    @property
    def s3_endpoint_url(self) -> str:
        return self.storage.url

    @property
    def bucket(self) -> str:
        return self.storage.bucket

    def environment(self) -> dict[str, str]:
        """What backend/settings.py reads, and nothing else."""
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "BROKER_DIR": str(self.directory / "broker"),
            "SCRATCH_DIR": str(self.directory / "scratch"),
            "S3_ENDPOINT_URL": self.s3_endpoint_url,
            "S3_PUBLIC_ENDPOINT_URL": "",
            "S3_BUCKET": self.bucket,
            "S3_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }


@contextmanager
def embedded_stack(
    directory: Path,
    *,
    fast: bool = False,
    broker_in_files: bool = False,
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[Stack]:
    """Start all three, hand them over, stop all three whatever happens; on Linux even when we are killed.

    Data stays in the directory, except what S3 holds. `fast` is for the tests and the demo, whose directory goes too:
    nothing is written for a crash of the machine. `meanwhile` is called while they start. Call it from the main thread
    (backend/processes.py says why).
    """
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    with ending_on_signals(), ExitStack() as cleanup:
        storage = EmbeddedStorage(directory)
        postgres = EmbeddedPostgres(directory, fast=fast)
        redis = EmbeddedRedis(directory, persistent=not fast) if _redis_wanted(broker_in_files) else None
        services = [service for service in (storage, postgres, redis) if service]
        for service in services:  # the slowest first: its second passes while the others start
            cleanup.callback(service.stop)
            service.start()
        meanwhile()
        for service in reversed(services):
            service.ready()
        yield Stack(directory, postgres, redis, storage)


def _redis_wanted(broker_in_files: bool) -> bool:  # noqa: FBT001 (a private question)
    return EmbeddedRedis.exists_here() and not broker_in_files
