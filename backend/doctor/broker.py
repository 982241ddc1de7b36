"""Redis: whether it keeps what it is told, who else speaks on it, and what an idle house costs there."""

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlsplit

from backend.doctor.clocks import compared
from backend.doctor.finding import Area, Finding, Ward
from backend.doctor.places import is_public
from backend.settings import Settings
from backend.tls import REDIS_TLS, stays_here
from celery_queue import examination
from celery_queue.examination import BROKER_ERRORS, FORBIDDEN, Chatter, Consumer, Server, Strangers
from db import overview
from db.database import DATABASE_ERRORS, transaction

WARD = Ward(Area.BROKER)
REDIS = ("redis", REDIS_TLS)
OLDEST = (6, 2)  # what it was tried on
FULL = 0.8  # of maxmemory
LISTENED_SECONDS = 4.0
MANY_PER_MINUTE = 240  # an idle worker's are about 100 as Agensium comes
DEFAULT_VISIBILITY = 3600  # Celery's own, where an app says nothing


def look(settings: Settings) -> Iterator[Finding]:
    if not settings.redis_url:
        yield WARD.ok("There is no Redis: the broker is a directory of files, for one machine.")
        return
    parts = urlsplit(settings.redis_url)
    if parts.scheme not in REDIS:
        yield WARD.unknown(f"It is reached by {parts.scheme}://.", "Only Redis is examined. Look at it yourself.")
        return
    yield from _way_there(settings.redis_url)
    try:
        server = examination.server(settings)
        yield from _server(server)
        yield compared(WARD, "Redis'", server.ahead_seconds)
        yield from _strangers(examination.strangers(settings))
        yield from _consumers(examination.consumers(settings), settings)
        yield _idle_cost(examination.chatter(settings, LISTENED_SECONDS), _live_workers(settings))
    except FORBIDDEN as error:
        yield WARD.unknown(
            f"Redis does not let this account ask: {error}",
            "Allow it +info, +time and +scan, or ask as another account.",
        )
    except BROKER_ERRORS as error:
        yield _no_answer(error)


def _no_answer(error: Exception) -> Finding:
    said = f"{type(error).__name__}: {error}"
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return WARD.wrong(
            f"Redis' certificate proves nothing here: {said}",
            "Name its authority: REDIS_URL=rediss://…?ssl_ca_certs=FILE, and the host as the certificate calls it.",
        )
    return WARD.wrong(
        f"Redis does not answer: {said}",
        "Look whether it runs, whether REDIS_URL names it, and whether this machine may reach it.",
    )


def _way_there(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == REDIS_TLS:
        asked = parse_qs(parts.query).get("ssl_cert_reqs", ["required"])[-1].lower()
        if asked in {"required", "cert_required"}:
            yield WARD.ok("The connection is encrypted and the server proven.")
        else:
            yield WARD.wrong(
                f"REDIS_URL says ssl_cert_reqs={asked}: who else reads it believes any server; Agensium does not.",
                "Take ssl_cert_reqs out; name a private authority by ssl_ca_certs=FILE.",
            )
    elif is_public(host):
        yield WARD.wrong("The connection is not encrypted and crosses the Internet.", "Use rediss:// in REDIS_URL.")
    elif not stays_here(host):
        yield WARD.advice(
            "The connection is not encrypted.", "Right for a network that is yours alone; else rediss://."
        )
    if not parts.password and not stays_here(host):
        yield WARD.wrong("REDIS_URL has no password.", "Set requirepass, or an ACL user, and name it in REDIS_URL.")


def _server(server: Server) -> Iterator[Finding]:
    version = server.text("redis_version")
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
        yield WARD.advice(f"It is Redis {version}.", "Upgrade it to 6.2 or newer; older ones were not tried.")
    else:
        yield WARD.ok(f"It is Redis {version}.")
    if server.text("role") == "slave":
        yield WARD.wrong("It is a replica, which takes no message.", "Name the primary in REDIS_URL.")
    if server.number("cluster_enabled"):
        yield WARD.wrong(
            "It is a Redis Cluster, which Celery cannot use.", "Name a single Redis, with replicas if wanted."
        )
    yield _eviction(server)
    yield from _memory(server)
    yield from _persistence(server)


def _eviction(server: Server) -> Finding:
    policy = server.text("maxmemory_policy")
    if policy == "noeviction":
        return WARD.ok("Nothing is evicted (maxmemory-policy noeviction).")
    change = "Set maxmemory-policy noeviction."
    if not policy:
        return WARD.unknown("It does not tell its maxmemory-policy.", f"Look at its provider's page. {change}")
    if policy.startswith("volatile-"):  # only what has a time to live: results for Flower, never a message
        return WARD.advice(f"maxmemory-policy is {policy}: results that Flower shows may be evicted.", change)
    return WARD.wrong(f"maxmemory-policy is {policy}: when memory is full, messages and bindings are evicted.", change)


def _memory(server: Server) -> Iterator[Finding]:
    most, used = server.number("maxmemory"), server.number("used_memory")
    if most and used > FULL * most:
        yield WARD.wrong(
            f"{used / most:.0%} of its memory is used; when it is full it takes no message.", "Give it more maxmemory."
        )
    if evicted := server.number("evicted_keys"):
        yield WARD.advice(f"It has evicted {evicted:,} keys since it started.", "Set maxmemory-policy noeviction.")


def _persistence(server: Server) -> Iterator[Finding]:
    if server.text("rdb_last_bgsave_status") == "err" or server.text("aof_last_write_status") == "err":
        yield WARD.wrong(
            "It cannot write to its disk, and may refuse messages for it.", "Look at its log and its disk."
        )
    if server.number("aof_enabled"):
        yield WARD.ok("It keeps an append-only file.")
    else:
        yield WARD.advice(
            "It keeps no append-only file: a restart forgets the messages. No task is lost by it, for the row is rung "
            "again, some seconds later.",
            "Set appendonly yes.",
        )


def _strangers(found: Strangers) -> Iterator[Finding]:
    if found.exchanges:
        yield WARD.wrong(
            f"Another Celery app uses the same keys: {', '.join(found.exchanges[:5])}. Its visibility time-out counts "
            "for our messages, and ours for its own.",
            "Give Agensium a Redis database of its own, or set CELERY_KEY_PREFIX.",
        )
    elif found.all_seen:
        yield WARD.ok("No other Celery app uses the same keys.")
    else:
        yield WARD.unknown(
            "There are too many keys to look at all of them for another Celery app's.",
            "Give Agensium a Redis database of its own.",
        )


def _consumers(found: Sequence[Consumer], settings: Settings) -> Iterator[Finding]:
    """The smallest visibility time-out among all consumers wins, for whose messages ever."""
    ours = settings.celery_visibility_timeout
    others = [f"{one.name} ({_visible(one)} s)" for one in found if _visible(one) != ours]
    strange = [one.name for one in found if not one.ours]
    if strange:
        yield WARD.wrong(
            f"Workers of another Celery app share the broker: {', '.join(strange[:5])}.",
            "Give Agensium a Redis database of its own, or set CELERY_KEY_PREFIX.",
        )
    if others:
        yield WARD.wrong(
            f"Not all who share the broker redeliver after {ours} s: {', '.join(others[:5])}. The smallest counts for "
            "all: messages of tasks that run longer come again, which the claim drops.",
            "Set the same CELERY_VISIBILITY_TIMEOUT everywhere.",
        )
    elif found:
        yield WARD.ok(f"All workers that answered ({len(found)}) have messages redelivered after {ours} s.")


def _visible(one: Consumer) -> int:
    return DEFAULT_VISIBILITY if one.visibility_seconds is None else one.visibility_seconds


def _idle_cost(heard: Chatter, workers: int) -> Finding:
    each = heard.per_minute / max(1, workers)
    seen = f"It carries out {heard.per_minute:,.0f} commands a minute; live workers: {workers}, {each:,.0f} for each."
    if each <= MANY_PER_MINUTE:
        return WARD.ok(seen)
    return WARD.advice(
        seen,
        "Much for an idle house, little for a busy one. Where each command is paid for: start workers by agensium "
        "worker (or with --without-gossip --without-mingle), and raise CELERY_POLLING_INTERVAL.",
    )


def _live_workers(settings: Settings) -> int:
    try:
        with transaction() as session:
            known = overview.workers_seen(session)
    except DATABASE_ERRORS:
        return 0
    return sum(worker.seen_seconds_ago < settings.lease_seconds for worker in known)
