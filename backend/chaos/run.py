"""`agensium verify chaos`: the list of faults and the campaign on an embedded stack; everything stopped after it."""

import _thread
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from backend.chaos.campaign import FULL, SMALL, Scale, run_campaign
from backend.chaos.fault import EXPECTED, Fault, Outcome, rehearse
from backend.chaos.faults import FAULTS
from backend.chaos.report import WIDTH, figures_of, last_line, markdown_of, print_breaches, table_of
from backend.chaos.stage import LONG, SHORT, Form, Stage, open_stage
from backend.clock import monotonic
from backend.devstack import embedded_stack
from db.schema import migrate

DEADLINE_SECONDS = 45 * 60.0  # a run that takes longer hangs
INTERRUPTED = 130
REPORT = Path(".agensium") / "chaos.md"


class Overdue(Exception):
    """The whole run took longer than it may."""


def run_chaos(*, long: bool, pool: str, only: str = "") -> int:
    """The exit code: 0 only when every invariant held. `only`: faults whose name holds these words, no campaign."""
    console = Console(width=WIDTH, soft_wrap=False)
    form, scale = (LONG, FULL) if long else (SHORT, SMALL)
    try:
        with _deadline(DEADLINE_SECONDS):
            return _run(console, form, scale, pool, only)
    except KeyboardInterrupt:
        console.print("Stopped half way; all that was started is stopped.")
        return INTERRUPTED
    except (*EXPECTED, Overdue) as error:
        console.print(f"The proof failed: {error}", style="red", markup=False, highlight=False)
        return 1


def _run(console: Console, form: Form, scale: Scale, pool: str, only: str) -> int:
    began = monotonic()
    os.environ["AGENSIUM_NO_ENV_FILE"] = "1"
    with tempfile.TemporaryDirectory(prefix="agensium-chaos-") as folder, embedded_stack(Path(folder)) as stack:
        migrate(stack.database_url)
        with open_stage(stack, Path(folder) / "stage", stack.database_url, form, pool) as stage:
            console.print(f"A deployment of {form.workers} workers on {pool} is up; its faults, one after another:")
            outcomes = [_told(console, stage, fault) for fault in FAULTS if only in fault.name]
            campaign = None if only else run_campaign(stage, scale)
    console.print(table_of(outcomes))
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(markdown_of(outcomes), encoding="utf-8")
    console.print(f"The table as Markdown: {REPORT}", highlight=False)
    breaches = [breach for outcome in outcomes for breach in outcome.tally.breaches]
    if campaign is not None:
        breaches += campaign.tally.breaches
        for sentence in figures_of(campaign):
            console.print(sentence, highlight=False)
    print_breaches(console, breaches)
    console.print(f"{len(outcomes)} faults, {monotonic() - began:.0f} s in all", highlight=False)
    if campaign is not None:
        line = last_line(campaign.tally, len(campaign.strikes), campaign.rescued(spare=True))
        console.print(line, highlight=False, soft_wrap=True)
    return 1 if breaches else 0


def _told(console: Console, stage: Stage, fault: Fault) -> Outcome:
    outcome = rehearse(stage, fault)
    said = "skipped" if outcome.skipped else "held" if outcome.held else "BROKEN"
    console.print(f"  {fault.name}: {said}, {outcome.seconds:.1f} s", highlight=False)
    print_breaches(console, outcome.tally.breaches)
    return outcome


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Interrupt the main thread when the time is over, so that everything is unwound. Raises Overdue."""
    over = threading.Event()

    def strike() -> None:
        over.set()
        _thread.interrupt_main()

    timer = threading.Timer(seconds, strike)
    timer.daemon = True
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        if over.is_set():
            raise Overdue(f"not done after {seconds / 60:.0f} minutes") from None
        raise
    finally:
        timer.cancel()
