"""`agensium verify chaos`: the list of faults and the campaign on an embedded stack; everything stopped after it."""

import _thread
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from backend.chaos.campaign import FULL, SMALL, Campaign, Scale, run_campaign
from backend.chaos.fault import EXPECTED, Fault, Outcome, rehearse
from backend.chaos.faults import FAULTS
from backend.chaos.report import (
    WIDTH,
    figures_of,
    last_line,
    markdown_of,
    print_breaches,
    table_of,
    under_faults,
    whole,
)
from backend.chaos.stage import LONG, SHORT, Form, Stage, open_stage
from backend.clock import monotonic
from backend.devstack import embedded_stack
from db.schema import migrate

DEADLINE_SECONDS = 45 * 60.0  # a run that takes longer hangs
NOTHING_CHOSEN = 2
INTERRUPTED = 130
REPORT = Path(".agensium") / "chaos.md"


class Overdue(Exception):
    """The whole run took longer than it may."""


@dataclass
class Found:
    """What a run has seen so far; told also when the run is cut short."""

    outcomes: list[Outcome] = field(default_factory=list)
    campaign: Campaign | None = None

    @property
    def breaches(self) -> list[str]:
        tallies = [one.tally for one in self.outcomes] + ([self.campaign.tally] if self.campaign else [])
        return [breach for tally in tallies for breach in tally.breaches]


def run_chaos(*, long: bool, pool: str, only: str = "") -> int:
    """The exit code: 0 only when every invariant held. `only`: faults whose name holds these words, no campaign."""
    console = Console(width=WIDTH, soft_wrap=False)
    chosen = chosen_faults(only)
    if not chosen:
        names = ", ".join(fault.name for fault in FAULTS)
        console.print(f"No fault has these words in its name: {only}. There are: {names}.", markup=False)
        return NOTHING_CHOSEN
    form, scale = (LONG, FULL) if long else (SHORT, SMALL)
    began, found, code = monotonic(), Found(), 1
    try:
        with deadline(DEADLINE_SECONDS):
            _run(console, form, pool, found, faults=chosen, scale=None if only else scale)
        code = 1 if found.breaches else 0
    except KeyboardInterrupt:
        console.print("Stopped half way; all that was started is stopped.")
        code = INTERRUPTED
    except (*EXPECTED, Overdue) as error:
        console.print(f"The proof failed: {error}", style="red", markup=False, highlight=False)
    finally:
        _tell(console, found, monotonic() - began)
    return code


def chosen_faults(only: str) -> list[Fault]:
    return [fault for fault in FAULTS if only.casefold() in fault.name.casefold()]


def _run(
    console: Console, form: Form, pool: str, found: Found, *, faults: Sequence[Fault], scale: Scale | None
) -> None:
    os.environ["AGENSIUM_NO_ENV_FILE"] = "1"
    with tempfile.TemporaryDirectory(prefix="agensium-chaos-") as folder, embedded_stack(Path(folder)) as stack:
        migrate(stack.database_url)
        with open_stage(stack, Path(folder) / "stage", stack.database_url, form, pool) as stage:
            console.print(f"A deployment of {form.workers} workers on {pool} is up; its faults, one after another:")
            for fault in faults:
                found.outcomes.append(_told(console, stage, fault))
            if scale is not None:
                found.campaign = run_campaign(stage, scale)


def _tell(console: Console, found: Found, seconds: float) -> None:
    """The table, the figures, what did not hold, and the last line: always."""
    console.print(table_of(found.outcomes))
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(markdown_of(found.outcomes), encoding="utf-8")
    console.print(f"The table as Markdown: {REPORT}", highlight=False)
    strikes, rescued = 0, list[float]()
    if found.campaign is not None:
        strikes, rescued = len(found.campaign.strikes), found.campaign.rescued(spare=True)
        for sentence in figures_of(found.campaign):
            console.print(sentence, highlight=False)
    console.print(under_faults(found.outcomes), highlight=False)
    print_breaches(console, found.breaches)
    console.print(f"{len(found.outcomes)} faults, {seconds:.0f} s in all", highlight=False)
    line = last_line(whole(found.outcomes, found.campaign), strikes, rescued)
    console.print(line, highlight=False, soft_wrap=True)


def _told(console: Console, stage: Stage, fault: Fault) -> Outcome:
    outcome = rehearse(stage, fault)
    said = "skipped" if outcome.skipped else "held" if outcome.held else "BROKEN"
    console.print(f"  {fault.name}: {said}, {outcome.seconds:.1f} s", highlight=False)
    print_breaches(console, outcome.tally.breaches)
    return outcome


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
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
