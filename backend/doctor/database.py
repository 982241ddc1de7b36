"""PostgreSQL: whether it is the one that Agensium needs, kept as it must be kept, and reached as it should be."""

from collections.abc import Iterator
from datetime import timedelta

from backend.doctor.clocks import compared
from backend.doctor.finding import Area, Finding, Ward
from backend.doctor.places import is_public
from backend.settings import Settings
from db import examination, overview
from db.database import DATABASE_ERRORS, transaction
from db.examination import Faults, Server

WARD = Ward(Area.DATABASE)
OLDEST = 17
NEWEST_LIMIT = "transaction_timeout"  # it brought this one
TOO_OLD = f"Upgrade it to {OLDEST} or newer: stations need its time-outs."
IDLE_TOO_LONG = timedelta(minutes=1)  # a station's own limit is two seconds
HEARD_SECONDS = 2.0  # a notification takes milliseconds
SMALL_CACHE = 128 * 2**20  # bytes: shared_buffers as PostgreSQL comes, a start for any machine
NEARLY_ALL = 0.9  # of the connections
MUST_BE_ON = {
    "fsync": "a crash of its machine may leave the whole database unreadable",
    "full_page_writes": "a crash of its machine may leave pages half written",
    "synchronous_commit": "a crash forgets what was committed: a charge without its checkpoint's file, or the reverse",
    "autovacuum": "tables grow without end, and one day it refuses to write",
}


def look(settings: Settings) -> Iterator[Finding]:
    url = settings.database_url.get_secret_value()
    try:
        with transaction() as session:
            server = examination.server(session)
            faults = examination.faults(session, IDLE_TOO_LONG)
            workers = overview.workers_seen(session) if server.revision else ()
        heard = examination.hears_itself(HEARD_SECONDS)
    except DATABASE_ERRORS as error:
        yield _no_answer(examination.reason(error))
        return
    yield from _server(server)
    yield from _schema(server)
    yield from _way_there(server, url)
    yield from _pooler(server, heard=heard)
    processes = [worker.slots + 1 if worker.pool == "prefork" else 1 for worker in workers]
    yield from _connections(server, sum(processes) + server.api_processes, settings.database_pool_size)
    yield from _kept(faults)
    yield compared(WARD, "the database's", server.ahead_seconds)


def _no_answer(said: str) -> Finding:
    if f'"{NEWEST_LIMIT}"' in said:  # an older one refuses the connection, which asks for it
        return WARD.wrong(f"It is older than PostgreSQL {OLDEST}: {said}", TOO_OLD)
    return WARD.wrong(
        f"PostgreSQL does not answer: {said}",
        "Look whether it runs, whether DATABASE_URL names it, and whether this machine may reach it.",
    )


def _server(server: Server) -> Iterator[Finding]:
    major = server.version // 10_000
    if major < OLDEST:
        yield WARD.wrong(f"It is PostgreSQL {major}.", TOO_OLD)
    else:
        yield WARD.ok(f"It is PostgreSQL {major}.{server.version % 10_000}.")
    if server.is_standby or server.settings.get("default_transaction_read_only") == "on":
        yield WARD.wrong("It can only be read.", "Name the primary in DATABASE_URL, not a standby.")
    for name, harm in MUST_BE_ON.items():
        if server.settings.get(name) == "off":
            yield WARD.wrong(f"{name} is off: {harm}.", f"Set {name} = on in its configuration.")
    if int(server.settings.get("shared_buffers", SMALL_CACHE)) < SMALL_CACHE:
        yield WARD.advice("shared_buffers is below 128 MB.", "Set shared_buffers to a quarter of its machine's memory.")


def _schema(server: Server) -> Iterator[Finding]:
    newest = examination.newest_revision()
    if server.revision is None:
        yield WARD.wrong(f"No migration was run; this code needs {newest}.", "Run agensium migrate.")
    elif server.revision == newest:
        yield WARD.ok(f"It is at the newest migration, {newest}.")
    elif examination.knows_revision(server.revision):
        yield WARD.wrong(f"It is at migration {server.revision}; this code needs {newest}.", "Run agensium migrate.")
    else:
        yield WARD.advice(
            f"It is at migration {server.revision}, which this code does not know: newer code migrated it.",
            "Finish the deploy: run the newer code here, too.",
        )
    if server.pgvector:
        yield WARD.ok(f"pgvector {server.pgvector} is there.")
    elif server.pgvector_available:
        yield WARD.wrong("pgvector is installed and not made.", "Run agensium migrate, or CREATE EXTENSION vector.")
    else:
        yield WARD.wrong("pgvector is not installed.", "Install the extension on the server, then agensium migrate.")


def _way_there(server: Server, url: str) -> Iterator[Finding]:
    mode, hosts = examination.sslmode(url), examination.hosts(url)
    if server.encrypted and mode in {"verify-full", "verify-ca"}:
        yield WARD.ok(f"The connection is encrypted and the server proven (sslmode={mode}).")
    elif server.encrypted:
        yield WARD.advice(
            f"The connection is encrypted, and the server's certificate is not looked at (sslmode={mode}).",
            "Take sslmode out of DATABASE_URL, or say verify-full, with sslrootcert=FILE for a private authority.",
        )
    elif any(is_public(host) for host in hosts):
        yield WARD.wrong(
            "The connection is not encrypted and crosses the Internet.", "Take sslmode out of DATABASE_URL."
        )
    elif mode != "prefer":  # on the loopback nobody says a word of it
        yield WARD.advice(
            f"The connection is not encrypted (sslmode={mode}).",
            "Right for a network that is yours alone; else take sslmode out of DATABASE_URL.",
        )


def _pooler(server: Server, *, heard: bool) -> Iterator[Finding]:
    if server.limits:
        yield WARD.wrong(
            f"Sessions do not get the limits that they ask for ({', '.join(server.limits)}): a pooler drops them.",
            "Connect to PostgreSQL itself, or have the pooler pass startup options on.",
        )
    if heard:
        yield WARD.ok("What is notified is heard.")
    else:
        yield WARD.wrong(
            "NOTIFY is not heard: a pooler lends connections by the transaction. Each task begins up to a second late.",
            "Connect to PostgreSQL itself, or to a pooler in session mode.",
        )


def _connections(server: Server, processes: int, pool_size: int) -> Iterator[Finding]:
    """A process opens up to twice its pool, and two of its own: for beats, and to listen."""
    most = int(server.settings["max_connections"]) - int(server.settings["superuser_reserved_connections"])
    wanted = processes * (2 * pool_size + 2)
    change = "Raise max_connections, lower DATABASE_POOL_SIZE, or run fewer processes."
    seen = f"{server.connections} of {most} connections are taken"
    if server.connections >= NEARLY_ALL * most:
        yield WARD.wrong(f"{seen}: soon one is refused.", change)
    elif wanted > most:
        yield WARD.advice(f"{seen}; the {processes} processes that are here may open up to {wanted}.", change)
    else:
        yield WARD.ok(f"{seen}; the {processes} processes that are here open {wanted} at the most.")


def _kept(faults: Faults) -> Iterator[Finding]:
    for index in faults.invalid_indexes:
        yield WARD.wrong(
            f"The index {index} is not valid: it is written, and never read.", f"REINDEX INDEX CONCURRENTLY {index};"
        )
    for table in faults.unvacuumed:
        yield WARD.wrong(f"Autovacuum is off for {table}.", f"ALTER TABLE {table} RESET (autovacuum_enabled);")
    if faults.idle:
        yield WARD.advice(
            f"{faults.idle} sessions hold a transaction and do nothing, the longest for {faults.idle_seconds:.0f} s: "
            "no dead row can be removed meanwhile. None of them is Agensium's, which lets go after two seconds.",
            "Find whose they are in pg_stat_activity and end them.",
        )
