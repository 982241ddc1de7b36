"""`agensium replay`: what an operator types, and the table they read."""

import re
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from backend.clock import now
from backend.errors import AgensiumError

if TYPE_CHECKING:
    from db.retries import Wanted
    from transformers.replay import Replayed

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_COLUMNS = "{:36}  {:16}  {:20}  {:19}  {:>5}  {:>7}  {}"
_HEADINGS = _COLUMNS.format("task", "tool", "error", "ended", "taken", "credits", "").rstrip()


class Ended(StrEnum):
    FAILED = "failed"
    CANCELLED = "cancelled"


def moment(words: str) -> datetime:
    """`30m`, `2h` or `7d` ago, or a time after ISO 8601; without a zone it is UTC."""
    if ago := re.fullmatch(r"(\d{1,5})([mhd])", words):
        return now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        at = datetime.fromisoformat(words)
    except ValueError:
        raise typer.BadParameter(f"{words!r} is neither 30m, 2h, 7d nor a time such as 2025-11-21T09:30.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def replay(
    *,
    status: Annotated[Ended | None, typer.Option(help="How they ended; failed unless said.")] = None,
    error_code: Annotated[str | None, typer.Option(help="Such as WORKER_LOST.")] = None,
    tool: Annotated[str | None, typer.Option(help="A tool's id.")] = None,
    user: Annotated[str | None, typer.Option(help="An account's address.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=moment, help="Ended 2h ago at most, or since a time.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(parser=moment, help="Ended before.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The most tasks; those that ended first.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")] = False,
) -> None:
    """Retry ended tasks in bulk, those that have no retry yet: each as its customer could, at the customer's cost.

    Name at least one of --error-code, --user, --tool and --since. Finished agents are neither run nor paid again. What
    failed by its customer's fault is left out, unless --error-code names it. Exit 1: all were skipped.
    """
    if not any((error_code, user, tool, since)):
        sys.exit("Name at least one of --error-code, --user, --tool and --since.")
    from db.models import TaskStatus
    from db.retries import Wanted
    from transformers.replay import user_of

    try:
        user_id = user_of(user) if user else None
        ended = TaskStatus((status or Ended.FAILED).upper())
        wanted = Wanted(ended, error_code, tool, user_id, since, until)
        made, skipped = _tell(wanted, limit=limit, dry_run=dry_run)
    except AgensiumError as error:
        sys.exit(f"{error} {error.next_action}")
    sys.exit(1 if skipped and not made else 0)


def _tell(wanted: "Wanted", *, limit: int | None, dry_run: bool) -> tuple[int, int]:
    """How many were made, and skipped. Each task as soon as it is done with; the counts also when the store or the
    database goes away in between.
    """
    from backend.doors import get_doors
    from transformers.replay import replay

    typer.echo(_HEADINGS)
    made = skipped = 0
    try:
        for done in replay(get_doors().storage, wanted, limit=limit, dry_run=dry_run):
            made, skipped = made + (done.refused is None), skipped + (done.refused is not None)
            typer.echo(_line(done))
    finally:
        said = "dry run, nothing changed: {} would be made" if dry_run else "{} made"
        typer.echo(f"replay: {made + skipped} tasks, {said.format(made)}, {skipped} skipped")
    return made, skipped


def _line(done: "Replayed") -> str:
    task, asked = done.task, done.asked
    ended = f"{task.finished_at:%Y-%m-%d %H:%M:%S}"
    taken, credits_to_hold = (len(asked.taken_over), asked.credits_to_hold) if asked else ("", "")
    return _COLUMNS.format(
        str(task.id), task.tool_id, task.error_code or "", ended, taken, credits_to_hold, _became(done)
    )


def _became(done: "Replayed") -> str:
    if done.refused is not None:
        return f"skipped: {done.refused.error_code}: {done.refused}"
    return "would be made" if done.made is None else f"made: {done.made}"
