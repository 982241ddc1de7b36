"""Who a shell's customer is: an address and an API key, from the environment or from the file that `login` wrote."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path

import typer

from backend.client import AgensiumClient, TaskTimedOut
from backend.errors import AgensiumError, ErrorClass

LOCAL = "http://127.0.0.1:8000"  # where `make dev` is
FILE = "credentials.json"


class Exit(IntEnum):
    """What a script learns from a command; 2 is wrong usage, 130 Ctrl+C."""

    DONE = 0
    NOT_COMPLETED = 1  # the task failed, was cancelled or expired
    REFUSED = 3  # the API said no
    UNREACHABLE = 4  # nobody answered
    TIMED_OUT = 5  # the task goes on


@dataclass(frozen=True, slots=True)
class SignedIn:
    url: str
    api_key: str
    key_id: str = ""


def where(environment: Mapping[str, str] = os.environ) -> Path:
    """The file of this user on this machine; AGENSIUM_CONFIG_DIR names another folder."""
    return Path(environment.get("AGENSIUM_CONFIG_DIR") or typer.get_app_dir("agensium")) / FILE


def remember(who: SignedIn) -> Path:
    """In a file that only its owner can read."""
    path = where()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(who)), encoding="utf-8")
    return path


def remembered() -> SignedIn | None:
    try:
        return SignedIn(**json.loads(where().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def forget() -> None:
    where().unlink(missing_ok=True)


def signed_in(environment: Mapping[str, str] = os.environ) -> SignedIn:
    """AGENSIUM_URL and AGENSIUM_API_KEY go before the file; without either it says what to do and ends."""
    kept = remembered()
    url = environment.get("AGENSIUM_URL") or (kept.url if kept else LOCAL)
    key = environment.get("AGENSIUM_API_KEY") or (kept.api_key if kept and kept.url == url else "")
    if not key:
        say(
            f"You are not signed in at {url}. `agensium login EMAIL` does it; or set AGENSIUM_URL and AGENSIUM_API_KEY."
        )
        raise typer.Exit(Exit.REFUSED)
    return SignedIn(url, key, kept.key_id if kept else "")


@contextmanager
def customer() -> Iterator[AgensiumClient]:
    """A signed-in client. What goes wrong inside is said in a sentence, and is the exit code."""
    who = signed_in()
    with ending_well(), AgensiumClient(who.url, who.api_key) as client:
        yield client


@contextmanager
def ending_well() -> Iterator[None]:
    try:
        yield
    except AgensiumError as error:
        say(f"{error} {error.next_action}".strip())
        raise typer.Exit(_exit_of(error)) from None
    except KeyboardInterrupt:
        say("Stopped looking; what was asked for goes on.")
        raise typer.Exit(130) from None
    except OSError as error:
        say(f"{error}")
        raise typer.Exit(Exit.REFUSED) from None


def _exit_of(error: AgensiumError) -> Exit:
    if isinstance(error, TaskTimedOut):
        return Exit.TIMED_OUT
    return Exit.UNREACHABLE if error.error_class is ErrorClass.TRANSIENT else Exit.REFUSED


def say(words: str) -> None:
    """To people; standard output is for what was asked for."""
    print(words, file=sys.stderr)  # noqa: T201 (a command prints)
