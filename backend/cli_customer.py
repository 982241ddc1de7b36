"""The customer's commands: submit, watch, tasks, cancel, retry, download, credits, keys, login, logout.

What was asked for goes to standard output, as text or with --json as JSON; everything else to standard error. Exit
codes: 0 done; 1 the task did not complete; 2 wrong usage; 3 refused; 4 nobody answered; 5 timed out.
"""

import json
import socket
import sys
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.cli_screen import as_json as _as_json
from backend.cli_screen import picture, shown, watched
from backend.cli_session import LOCAL, Exit, SignedIn, customer, ending_well, forget, remember, say, signed_in
from backend.client import AgensiumClient, Task
from backend.client.options import PRIMARY
from backend.errors import CustomerError, NotFound, Unauthenticated

Json = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]
TaskIds = Annotated[list[str], typer.Argument(help="The task's id; several.")]
TaskId = Annotated[str, typer.Argument(help="The task's id.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Follow it to its end.")]
Into = Annotated[Path | None, typer.Option("--download", "-d", help="Then fetch its files into this folder.")]
ThroughApi = Annotated[bool, typer.Option("--through-api", help="For who cannot reach the file store.")]
keys = typer.Typer(invoke_without_command=True, help="API keys: list them, make one, revoke one.")


def login(
    email: Annotated[str, typer.Argument(help="The account's address.")],
    url: Annotated[str, typer.Option(envvar="AGENSIUM_URL", help="Where Agensium is.")] = LOCAL,
    *,
    new: Annotated[bool, typer.Option("--new", help="Open the account.")] = False,
) -> None:
    """Sign in; an API key of this machine's own is kept in a file that only you can read."""
    password = (
        typer.prompt("Password", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
    )
    with ending_well(), AgensiumClient(url) as client:
        (client.register if new else client.sign_in)(email, password)
        key = client.create_api_key(f"shell on {socket.gethostname()}"[:200])
        path = remember(SignedIn(url, key.key or "", key.id))
        say(f"Signed in at {url} as {email}; the key is in {path}. You have {client.balance()} credits.")


def logout() -> None:
    """Revoke this machine's key and forget it."""
    who = signed_in({})
    with ending_well(), AgensiumClient(who.url, who.api_key) as client, suppress(Unauthenticated, NotFound):
        client.revoke_api_key(who.key_id)  # it may be revoked already
    forget()
    say("Signed out.")


def submit(
    tool: Annotated[str, typer.Argument(help="Such as profile-my-data.")],
    file: Annotated[
        list[Path] | None,
        typer.Argument(exists=True, dir_okay=False, help="The data; some tools take several."),
    ] = None,
    *,
    role: Annotated[list[str] | None, typer.Option("--file", help="Another file, as role=path; repeatable.")] = None,
    agent: Annotated[list[str] | None, typer.Option(help="Only these agents; repeatable.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="agent.name=value, the value as JSON; repeatable.")
    ] = None,
    priority: Annotated[int, typer.Option(min=-10, max=10, help="Among your own waiting tasks.")] = 0,
    key: Annotated[str, typer.Option(help="An Idempotency-Key: the same command twice is done once.")] = "",
    watch: Watch = False,
    download_into: Into = None,
    through_api: ThroughApi = False,
    as_json: Json = False,
) -> None:
    """Upload files and have a tool work on them; prints the task's id."""
    further = [(name, Path(path)) for name, path in (_pair(one, "role=path") for one in role or ())]
    parameters = _parameters(parameter or ())
    with customer() as client:
        main = _main_role(client, tool) if file else ""
        files = _by_role([*((main, path) for path in file or ()), *further])
        task = client.submit(
            tool, files=files, agents=agent or (), parameters=parameters, priority=priority,
            key=key or uuid.uuid4().hex, through_api=through_api,
        )  # fmt: skip
        if watch or download_into:
            _end(client, task, download_into, through_api=through_api, as_json=as_json)
        else:
            print(_as_json(task) if as_json else task.task_id)


def tasks(
    *,
    status: Annotated[str | None, typer.Option(help="Such as failed.")] = None,
    tool: Annotated[str | None, typer.Option(help="A tool's id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most to show, newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """My tasks, newest first."""
    with customer() as client:
        found = client.tasks(status=status.upper() if status else None, tool_id=tool, limit=limit)
    if as_json:
        print(_as_json(found))
        return
    table = Table("task", "tool", "status", "progress", "created", box=None)
    for task in found:
        said = task.error.error_code if task.error else task.outcome or ""
        table.add_row(
            task.task_id, task.tool_id, f"{task.status.lower()} {said}".strip(), f"{task.progress:.0f} %", _when(task)
        )
    Console(soft_wrap=True).print(table)


def watch(
    task_id: TaskId, *, download_into: Into = None, through_api: ThroughApi = False, as_json: Json = False
) -> None:
    """Follow a task to its end; with --json one line for each event."""
    with customer() as client:
        _end(client, client.task(task_id), download_into, through_api=through_api, as_json=as_json)


def wait(
    task_id: TaskId,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds.")] = 3600.0,
    *,
    as_json: Json = False,
) -> None:
    """Wait in silence until a task has ended."""
    with customer() as client:
        task = client.wait(task_id, timeout)
    print(_as_json(task) if as_json else f"{task.task_id} {task.status.lower()}")
    raise typer.Exit(_exit_of(task))


def cancel(task_ids: TaskIds, *, as_json: Json = False) -> None:
    """Cancel tasks: what was delivered is paid, the rest is back at once."""
    found, refused = [], False
    with customer() as client:
        for task_id in task_ids:
            try:
                found.append(client.cancel(task_id))
            except CustomerError as error:
                say(f"{task_id}: {error}")
                refused = True
    _print_tasks(found, as_json=as_json)
    if refused:
        raise typer.Exit(Exit.REFUSED)


def retry(task_id: TaskId, *, watch: Watch = False, download_into: Into = None, as_json: Json = False) -> None:
    """Repeat a task that failed, from where it stopped; prints the new task's id."""
    with customer() as client:
        task = client.retry(task_id)
        if watch or download_into:
            _end(client, task, download_into, through_api=False, as_json=as_json)
        else:
            print(_as_json(task) if as_json else task.task_id)


def download(
    task_id: TaskId,
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where the files go.")] = Path(),
    *,
    name: Annotated[list[str] | None, typer.Option(help="Only these files; repeatable.")] = None,
    through_api: ThroughApi = False,
    as_json: Json = False,
) -> None:
    """Fetch a task's files; each is compared with its checksum."""
    with customer() as client:
        _fetch(client, task_id, folder, name, through_api=through_api, as_json=as_json)


def credits_(
    *, entries: Annotated[bool, typer.Option("--entries", help="Also each movement.")] = False, as_json: Json = False
) -> None:
    """What may still be spent."""
    with customer() as client:
        balance, found = client.balance(), client.entries() if entries else []
    if as_json:
        print(_as_json({"balance": balance, "entries": found} if entries else {"balance": balance}))
        return
    print(f"{balance} credits")
    table = Table("when", "kind", "credits", "agent", "task", "note", box=None)
    for one in found:
        when = "" if one.created_at is None else f"{one.created_at:%Y-%m-%d %H:%M}"
        table.add_row(when, one.kind.lower(), str(one.amount), one.agent_id or "", one.task_id or "", Text(one.note))
    if found:
        Console(soft_wrap=True).print(table)


@keys.callback()
def list_keys(context: typer.Context, *, as_json: Json = False) -> None:
    """API keys; without a further word: those that work."""
    if context.invoked_subcommand is not None:
        return
    with customer() as client:
        found = client.api_keys()
    if as_json:
        print(_as_json(found))
        return
    for key in found:
        until = "" if key.expires_at is None else f"  until {key.expires_at:%Y-%m-%d}"
        print(f"{key.id}  ag_{key.prefix}_…  {key.scope:<6}  {key.name}{until}")


@keys.command("new")
def new_key(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    scope: Annotated[str, typer.Option(help="read, run or manage; each may what those before it may.")] = "manage",
    days: Annotated[int | None, typer.Option(min=1, help="It ends after so many; without: when it is revoked.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key; it is shown this once."""
    with customer() as client:
        key = client.create_api_key(name, scope=scope, expires_in_days=days)
    print(_as_json(key) if as_json else key.key)


@keys.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="The key's id, as `agensium keys` shows it.")]) -> None:
    """The key stops working at once."""
    with customer() as client:
        client.revoke_api_key(key_id)
    say("Revoked.")


def _main_role(client: AgensiumClient, tool: str) -> str:
    """The role that a file without a word is for: the table, or else the tool's first."""
    roles = [str(one["role"]) for one in client.tool(tool).get("inputs", ())]
    return PRIMARY if PRIMARY in roles or not roles else roles[0]


def _by_role(given: list[tuple[str, Path]]) -> dict[str, Path | list[Path]]:
    """A role that is named more than once is given a list."""
    found: dict[str, list[Path]] = {}
    for name, path in given:
        found.setdefault(name, []).append(path)
    return {name: paths if len(paths) > 1 else paths[0] for name, paths in found.items()}


def _end(client: AgensiumClient, task: Task, into: Path | None, *, through_api: bool, as_json: bool) -> None:
    """Follow it, fetch its files, and leave with how it ended."""
    if as_json:
        ended = watched(client, task.task_id, lambda event: print(_as_json(event, indent=None), flush=True))
    else:
        say(f"Task {task.task_id}")
        console = Console(stderr=True)
        ended = shown(client, task.task_id, console)
        if not console.is_terminal:
            console.print(picture(ended))
    if into and ended.succeeded:
        _fetch(client, ended.task_id, into, None, through_api=through_api, as_json=as_json)
    raise typer.Exit(_exit_of(ended))


def _fetch(
    client: AgensiumClient, task_id: str, folder: Path, names: list[str] | None, *, through_api: bool, as_json: bool
) -> None:
    found = client.download(task_id, folder, names=names, through_api=through_api)
    if as_json:
        print(_as_json(found, indent=None))
        return
    for one in found:
        print(f"{one.path}  {one.size:,} bytes")


def _print_tasks(found: list[Task], *, as_json: bool) -> None:
    if as_json:
        print(_as_json(found))
        return
    for task in found:
        print(f"{task.task_id} {task.status.lower()}")


def _exit_of(task: Task) -> Exit:
    return Exit.DONE if task.succeeded else Exit.NOT_COMPLETED


def _parameters(said: "list[str] | tuple[()]") -> dict[str, dict[str, Any]]:
    """`agent.name=value`: JSON where it is JSON, text where it is not."""
    found: dict[str, dict[str, Any]] = {}
    for one in said:
        path, value = _pair(one, "agent.name=value")
        agent, dot, name = path.partition(".")
        if not dot:
            raise typer.BadParameter(f"{one!r} is not agent.name=value.")
        form = found.setdefault(agent, {})
        try:
            form[name] = json.loads(value)
        except ValueError:
            form[name] = value
    return found


def _pair(said: str, shape: str) -> tuple[str, str]:
    name, equals, value = said.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"{said!r} is not {shape}.")
    return name, value


def _when(task: Task) -> str:
    return "" if task.created_at is None else f"{task.created_at.astimezone():%Y-%m-%d %H:%M}"
