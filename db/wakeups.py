"""NOTIFY and LISTEN: how a submit or an ending wakes the conductors, and those who follow a task.

A NOTIFY serialises commits, so only submits, endings and hand-backs notify; steps, beats and events never
(ADMISSION.md).
"""

from collections.abc import Mapping

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.settings import get_settings
from db.database import ALIVE, libpq_url

CHANNEL = "agensium_tasks"
NOTIFY = f"pg_notify('{CHANNEL}', '')"
_NOTIFY = text(f"SELECT {NOTIFY}")


def notify(session: Session) -> None:
    """Wake every conductor when this transaction commits."""
    session.execute(_NOTIFY)


class Listener:
    """A connection of its own that waits for wake-ups. Raises `psycopg.OperationalError` when the database goes."""

    def __init__(self, application_name: str = "agensium-listener", limits: Mapping[str, str] | None = None) -> None:
        settings = get_settings()
        options = " ".join(f"-c {name}={value}" for name, value in (limits or {}).items())
        self._connection = psycopg.connect(
            libpq_url(settings.database_url.get_secret_value()),
            autocommit=True,
            connect_timeout=settings.database_connect_timeout,
            application_name=application_name,
            options=f"-c TimeZone=UTC -c jit=off {options}",
            **ALIVE,  # type: ignore[arg-type]
        )
        self._connection.execute(f"LISTEN {CHANNEL}")

    def wait(self, seconds: float) -> bool:
        """True when somebody notified within `seconds`."""
        return any(True for _ in self._connection.notifies(timeout=seconds, stop_after=1))

    def close(self) -> None:
        self._connection.close()
