"""The memory: PostgreSQL restarts, is killed, cuts connections, has none left."""

import threading

from backend.chaos.fault import Fault
from backend.chaos.stage import Stage
from backend.clock import monotonic

CUT_EVERY = 0.3  # seconds


def restart_postgres(stage: Stage) -> str:
    postgres = stage.deployment.stack.postgres
    began = monotonic()
    postgres.stop()
    postgres.start()
    postgres.ready()
    return f"away for {monotonic() - began:.1f} s; leases were not held against anybody"


def kill_postgres(stage: Stage) -> str:
    postgres = stage.deployment.stack.postgres
    began = monotonic()
    postgres.kill()
    postgres.start()
    postgres.ready()
    return f"away for {monotonic() - began:.1f} s and recovered; nothing that was committed was lost"


def postgres_away(stage: Stage) -> str:
    """Longer than a lease: nobody can beat, and nobody may be punished for it."""
    postgres = stage.deployment.stack.postgres
    away = stage.form.lease + stage.form.outage
    postgres.stop()
    threading.Event().wait(away)
    postgres.start()
    postgres.ready()
    return f"away for {away:g} s, longer than a lease of {stage.form.lease:g} s"


def cut_connections(stage: Stage) -> str:
    postgres, cut = stage.deployment.stack.postgres, 0
    began, pause = monotonic(), threading.Event()
    while monotonic() - began < stage.form.outage:
        cut += postgres.cut_connections(stage.deployment.database)
        pause.wait(CUT_EVERY)
    return f"{cut} connections were cut within {stage.form.outage:g} s"


def exhaust_connections(stage: Stage) -> str:
    postgres = stage.deployment.stack.postgres
    with postgres.occupied(stage.deployment.database) as taken:
        threading.Event().wait(stage.form.outage)
    return f"{taken} connections were taken by others for {stage.form.outage:g} s, ours among them"


DATABASE_FAULTS = (
    Fault("PostgreSQL restarted", "fast shutdown and start", restart_postgres),
    Fault("PostgreSQL killed", "SIGKILL of the postmaster and its backends, then crash recovery", kill_postgres),
    Fault("PostgreSQL away", "stopped for longer than a lease", postgres_away),
    Fault("connections cut", "pg_terminate_backend of all our connections, again and again", cut_connections),
    Fault("connections exhausted", "every connection PostgreSQL has is taken by others", exhaust_connections),
)
