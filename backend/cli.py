"""The `agensium` command. Each command imports what it needs, so that `--help` is quick."""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from backend import cli_customer, cli_models, cli_serving
from backend.cli_doctor import doctor
from backend.cli_replay import replay
from backend.errors import AgensiumError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
verify = typer.Typer(
    no_args_is_help=True, help="Prove it right; exit 1 and name what is not, 2 where it could not be proven."
)
app.add_typer(verify, name="verify")
CUSTOMER = "For customers"
Email = Annotated[str, typer.Argument(help="The account's address.")]


@app.callback()
def agensium() -> None:
    """Runs customers' analysis tasks: honest progress, credits charged once."""


@app.command()
def demo(
    url: Annotated[str, typer.Option(help="A deployment whose operator you are; else all is started for it.")] = "",
    file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A table of your own.")] = None,
) -> None:
    """Profile a real file end to end, on this machine with everything stopped after it, or at --url."""
    from backend.demo import EXAMPLE, run_demo

    sys.exit(run_demo(url, file or EXAMPLE))


@app.command()
def dev() -> None:
    """Keep the whole stack running with code reload; Ctrl+C stops it."""
    from backend.dev import run_dev

    sys.exit(run_dev())


@app.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
def worker(options: Annotated[list[str] | None, typer.Argument(metavar="[OPTIONS]")] = None) -> None:
    """Run customers' tasks until a signal ends it; --help shows its options."""
    from celery_queue.worker import run

    sys.exit(run(options or ()))


app.command()(cli_serving.api)
app.command()(cli_serving.flower)


@app.command()
def migrate(
    *, make_bucket: Annotated[bool, typer.Option("--make-bucket", help="Make S3_BUCKET too, if it is missing.")] = False
) -> None:
    """Bring the database at DATABASE_URL to the newest migration."""
    from backend.settings import get_settings
    from db.schema import migrate

    with _saying_what_failed():
        migrate(get_settings().database_url.get_secret_value())
    print("The database is at the newest migration.")
    if make_bucket:
        from backend import administration

        with _saying_what_failed():
            print(f"The bucket {administration.make_bucket()} is there.")


@app.command()
def make_admin(email: Email) -> None:
    """Let an account grant credits."""
    from backend import administration

    with _saying_what_failed():
        administration.make_admin(email)
    print(f"{email} is an administrator now.")


@app.command()
def grant(
    email: Email,
    amount: Annotated[int, typer.Argument(min=1, help="Credits.")],
    note: Annotated[str, typer.Option(help="Why; shown in the customer's ledger.")] = "",
) -> None:
    """Give credits to an account."""
    from backend import administration

    with _saying_what_failed():
        balance = administration.grant(email, amount, note)
    print(f"{email} has {balance} credits now.")


@app.command()
def lane(
    email: Email,
    weight: Annotated[float | None, typer.Option(min=0.01, max=1000, help="Share of the slots; usually 1.")] = None,
    cap: Annotated[int | None, typer.Option(min=0, help="The most tasks at once; 0 pauses the customer.")] = None,
) -> None:
    """Show or change a customer's share of the workers."""
    from backend import administration

    with _saying_what_failed():
        now_weight, now_cap = administration.shape_lane(email, weight, cap)
    print(f"{email} has weight {now_weight:g} and at most {now_cap} tasks at once.")


@app.command()
def task(task_id: Annotated[uuid.UUID, typer.Argument(help="The task's id.")]) -> None:
    """Show all that is known of a task, with our own details of its failures; for your eyes, not the customer's."""
    from backend import administration

    with _saying_what_failed():
        print(administration.task_shown(task_id))


@verify.command()
def ledger() -> None:
    """Charged = delivered, balance = sum of entries, for the whole table."""
    _prove("ledger")


@verify.command()
def states() -> None:
    """No row in an impossible state."""
    _prove("states")


def _prove(what: str) -> None:
    from backend import administration

    count, more = 0, False
    try:
        for finding in administration.verify(what):
            for breach in finding.breaches:
                print(f"{breach.subject}: it does not hold that {breach.rule}")
            count, more = count + len(finding.breaches), more or finding.more
    except AgensiumError as error:
        print(f"verify {what}: it could not be proven. {error} {error.detail}".strip(), file=sys.stderr)
        sys.exit(2)
    print(f"verify {what}: {'at least ' if more else ''}{count} breaches")
    sys.exit(1 if count else 0)


@verify.command()
def chaos(
    *,
    long: Annotated[bool, typer.Option("--long", help="1,000 tasks under 60 kills; some 20 minutes.")] = False,
    pool: Annotated[str, typer.Option(help="prefork, threads or solo.")] = "prefork",
    only: Annotated[str, typer.Option(help="Only the faults with these words in their name; no campaign.")] = "",
    url: Annotated[str, typer.Option(help="A deployment of yours, on this machine or through a forwarded port.")] = "",
    api_key_file: Annotated[Path | None, typer.Option(help="With --url: the key of an account made for this.")] = None,
    tool: Annotated[str, typer.Option(help="With --url: the tool to ask for.")] = "profile-my-data",
    file: Annotated[Path | None, typer.Option(help="With --url: the file to upload.")] = None,
    tasks: Annotated[int, typer.Option(min=1, help="With --url: how many.")] = 50,
    disturb: Annotated[str, typer.Option(help="With --url: a command of yours that breaks something.")] = "",
    every: Annotated[float, typer.Option(min=1, help="With --disturb: seconds between.")] = 10.0,
    minutes: Annotated[float, typer.Option(min=0.1, help="With --url: the most it may take.")] = 15.0,
    store_host: Annotated[
        list[str] | None, typer.Option(help="With --url: a file store elsewhere that may be spoken to; repeatable.")
    ] = None,
) -> None:
    """Break everything that can break, on an embedded stack or at --url, and prove that nothing is lost."""
    if not url:
        from backend.chaos.run import run_chaos

        sys.exit(run_chaos(long=long, pool=pool, only=only))
    from backend.chaos.by_url import Target, run_by_url
    from backend.demo import EXAMPLE

    if api_key_file is None:
        sys.exit("With --url, name the file that holds an API key: --api-key-file. POST /auth/api-keys makes one.")
    key = api_key_file.read_text(encoding="utf-8").strip()
    stores = tuple(store_host or ())
    sys.exit(run_by_url(Target(url, key, tool, file or EXAMPLE, tasks, disturb, every, 60 * minutes, stores)))


@app.command()
def clean() -> None:
    """Remove from storage what retention or a deletion says is due; a worker has it done once a minute."""
    from backend.cleaning import clean_now
    from backend.logs import configure_logs

    configure_logs()
    with _saying_what_failed():
        done = clean_now()
    print(", ".join(f"{stage.value}: {tasks} tasks" for stage, tasks in done.items() if tasks) or "Nothing was due.")


@app.command()
def deliver() -> None:
    """Bring what is due to customers' webhooks until nothing is; a worker has it done."""
    from backend import traces
    from backend.courier import deliver_until_idle
    from backend.logs import configure_logs

    configure_logs()
    traces.begin("agensium-courier")
    with _saying_what_failed():
        try:
            deliver_until_idle()
        finally:
            traces.end()


@app.command()
def orphans(
    *,
    mend: Annotated[bool, typer.Option("--mend", help="Remove what can be removed.")] = False,
    yes_remove: Annotated[
        int | None, typer.Option(min=1, help="With --mend: the objects of unknown tasks to lose, as it said.")
    ] = None,
) -> None:
    """Find objects that nothing names, and rows that name what is not there; exit 1 where something is left so."""
    from backend.orphan_report import tell

    with _saying_what_failed():
        left = tell(mend=mend, yes_remove=yes_remove)
    sys.exit(1 if left else 0)


@app.command()
def undo(
    archive: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The undo.zip of a clean-my-data task.")],
    target: Annotated[Path, typer.Argument(help="The file to write; it must not be there.")],
) -> None:
    """Take a cleaning back: write the file as it was sent (CSV, TSV), or its table as Parquet, and check it."""
    from transformers.cleaning.restoring import restore

    with _saying_what_failed():
        print(restore(archive, target))


app.command()(replay)
app.command()(doctor)
for command in (
    cli_customer.login, cli_customer.logout, cli_customer.submit, cli_customer.tasks, cli_customer.watch,
    cli_customer.wait, cli_customer.cancel, cli_customer.retry, cli_customer.download,
    cli_models.generate, cli_models.batch, cli_models.ingest, cli_models.search,
):  # fmt: skip
    app.command(rich_help_panel=CUSTOMER)(command)
app.command("credits", rich_help_panel=CUSTOMER)(cli_customer.credits_)
app.add_typer(cli_customer.keys, name="keys", rich_help_panel=CUSTOMER)


@contextmanager
def _saying_what_failed() -> Iterator[None]:
    try:
        yield
    except AgensiumError as error:
        sys.exit(f"{error} {error.next_action}")
