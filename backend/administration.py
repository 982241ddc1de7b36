"""What an operator does on the machine itself: name an administrator, grant credits, look into a task.

No HTTP route makes a role, and none shows what is ours to know of a failure.
"""

import uuid
from collections.abc import Iterator

from backend.doors import get_doors
from backend.errors import DatabaseUnavailable, StorageUnavailable
from backend.settings import get_settings
from backend.storage.faults import StorageError
from backend.task_file import shown
from db import accounts, admission, ledger
from db.database import DATABASE_ERRORS, transaction
from db.inspection import look_at
from db.verification import Finding, proven


def make_admin(email: str) -> None:
    """Raises UserNotFound."""
    with transaction() as session:
        accounts.make_admin(session, accounts.named(session, email=email).id)


def grant(email: str, amount: int, note: str) -> int:
    """The customer's new balance. Raises UserNotFound."""
    with transaction() as session:
        return ledger.grant(session, accounts.named(session, email=email).id, amount, note)


def shape_lane(email: str, weight: float | None, cap: int | None) -> tuple[float, int]:
    """The customer's weight and cap, after the change. Raises UserNotFound."""
    with transaction() as session:
        lane = admission.shape_lane(session, accounts.named(session, email=email).id, weight, cap)
        return lane.weight, lane.cap


def make_bucket() -> str:
    """The bucket's name, once it is there. Raises StorageUnavailable, with what the store said."""
    name = get_settings().s3_bucket
    try:
        get_doors().storage.ensure_bucket()
    except StorageError as error:
        raise StorageUnavailable(f"The bucket {name} could not be made: {error}") from error
    return name


def verify(what: str) -> Iterator[Finding]:
    """What breaks the rules of the ledger or of the states, rule by rule, each in a transaction of its own.

    Raises:
        DatabaseUnavailable: it could not be proven; its detail is the database's own first line.
    """
    try:
        yield from proven(what)
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(detail=next(iter(str(error).splitlines()), "")) from error


def task_shown(task_id: uuid.UUID) -> str:
    """Everything the rows say about a task, for a terminal. Raises TaskNotFound."""
    with transaction() as session:
        return shown(look_at(session, task_id))
