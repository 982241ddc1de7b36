"""What a run prints: a table of the faults and what was seen, the campaign's figures, and one last line."""

from collections.abc import Sequence
from dataclasses import replace

from rich import box
from rich.console import Console
from rich.table import Table

from backend.chaos.campaign import Campaign
from backend.chaos.fault import Outcome
from backend.chaos.invariants import Tally
from backend.chaos.strikes import Kind, percentile

WIDTH = 170  # a table that is read later in a log
SHOWN = 20  # breaches


def table_of(outcomes: Sequence[Outcome]) -> Table:
    table = Table("Fault", "What is done", "What was seen", "Seconds", "Tasks", "Held", box=box.SIMPLE)
    for one in outcomes:
        held = "-" if one.skipped else "yes" if one.held else "NO"
        cells = (one.fault.name, one.fault.what, one.seen, f"{one.seconds:.1f}", str(one.tally.tasks), held)
        table.add_row(*cells)
    return table


def markdown_of(outcomes: Sequence[Outcome]) -> str:
    """The same table as docs/RELIABILITY.md has it."""
    rows = ["| fault | what is done | what was seen | seconds | tasks |", "|---|---|---|---|---|"]
    for one in outcomes:
        seen = one.seen if one.skipped or one.held else f"**did not hold**: {one.tally.breaches[0]}"
        rows.append(f"| {one.fault.name} | {one.fault.what} | {seen} | {one.seconds:.1f} | {one.tally.tasks} |")
    return "\n".join(rows) + "\n"


def figures_of(campaign: Campaign) -> list[str]:
    """The campaign in sentences."""
    spare, busy = campaign.rescued(spare=True), campaign.rescued(spare=False)
    agents = campaign.rescued(spare=True, kinds=[Kind.AGENT])
    killed = {kind: sum(one.kind is kind for one in campaign.strikes) for kind in Kind}
    victims = ", ".join(f"{count} {kind}s" for kind, count in killed.items() if count)
    waited = _spread(campaign.waits, "service times", 0.95)
    return [
        f"campaign: {campaign.seconds:.0f} s; killed {victims}; the broker restarted {campaign.broker_restarts} times",
        f"rescue after a worker's or slot's death, a slot being free: {_spread(spare)}",
        f"rescue after a worker's or slot's death, all slots busy:   {_spread(busy)}",
        f"running again after an agent's death, a slot being free:   {_spread(agents)}",
        f"one at a time behind many, all slots busy: {waited}; a service time is {campaign.service_seconds:.2f} s",
    ]


def _spread(values: Sequence[float], unit: str = "s", high: float = 0.99) -> str:
    if not values:
        return "not measured"
    spread = f"p50 {percentile(values, 0.5):.2f} p{high * 100:.0f} {percentile(values, high):.2f} max {max(values):.2f}"
    return f"{spread} {unit}, {len(values)} samples"


def under_faults(outcomes: Sequence[Outcome]) -> str:
    """What became of the faults' own tasks."""
    tally = _sum([one.tally for one in outcomes])
    return (
        f"under the faults: {tally.tasks} tasks, {tally.completed} completed, {tally.ended_otherwise} ended otherwise "
        f"as they were to, {tally.lost} lost"
    )


def whole(outcomes: Sequence[Outcome], campaign: Campaign | None) -> Tally:
    """The last line's counts: the tasks are the campaign's where there was one, the harm is that of everything."""
    faults = _sum([one.tally for one in outcomes])
    if campaign is None:
        return faults
    everything = _sum([faults, campaign.tally])
    return replace(everything, tasks=campaign.tally.tasks, completed=campaign.tally.completed)


def _sum(tallies: Sequence[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def last_line(tally: Tally, kills: int, rescue_seconds: Sequence[float]) -> str:
    """Counted, never assumed; a dash where nothing was measured."""
    p50, p99 = ("-", "-")
    if rescue_seconds:
        p50, p99 = (f"{percentile(rescue_seconds, share):.1f}" for share in (0.5, 0.99))
    return (
        f"chaos: {tally.tasks} tasks, {tally.completed} completed, {kills} kills, {tally.lost} lost, "
        f"{tally.double_charges} double charges, {tally.duplicate_outputs} duplicate outputs, "
        f"rescue p50 {p50} s p99 {p99} s"
    )


def print_breaches(console: Console, breaches: Sequence[str]) -> None:
    """What did not hold, each once."""
    for breach in list(dict.fromkeys(breaches))[:SHOWN]:
        console.print(f"It did not hold: {breach}", markup=False, highlight=False, soft_wrap=True)
    if len(breaches) > SHOWN:
        console.print(f"… and {len(breaches) - SHOWN} more.")
