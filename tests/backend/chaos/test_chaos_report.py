import io
import re

from rich.console import Console

from backend.chaos.campaign import Campaign
from backend.chaos.fault import Fault, Outcome
from backend.chaos.invariants import Tally
from backend.chaos.report import figures_of, last_line, markdown_of, print_breaches, table_of

LAST_LINE = re.compile(
    r"chaos: \d+ tasks, \d+ completed, \d+ kills, \d+ lost, \d+ double charges, \d+ duplicate outputs, "
    r"rescue p50 (\d+\.\d|-) s p99 (\d+\.\d|-) s"
)


def test_the_last_line_says_what_was_counted() -> None:
    tally = Tally(tasks=1000, completed=998, lost=2, double_charges=3, duplicate_outputs=4)
    line = last_line(tally, 52, [3.0, 3.2, 5.04])
    assert line == (
        "chaos: 1000 tasks, 998 completed, 52 kills, 2 lost, 3 double charges, 4 duplicate outputs, "
        "rescue p50 3.2 s p99 5.0 s"
    )
    assert LAST_LINE.fullmatch(line)
    assert LAST_LINE.fullmatch(last_line(tally, 0, [])), "nothing measured is a dash, in the same form"


def test_the_table_says_of_each_fault_whether_it_held() -> None:
    fault = Fault("agent killed", "SIGKILL", lambda _: "")
    broken = Outcome(fault, "half", 2.0, Tally(breaches=["a task was lost"]))
    outcomes = [Outcome(fault, "it went on", 1.0, Tally()), broken, Outcome(fault, "no", 0, Tally(), skipped=True)]
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(table_of(outcomes))
    print_breaches(console, ["a task was lost"])
    shown = console.export_text()
    assert re.search(r"it went on .* yes", shown)
    assert re.search(r"half .* NO", shown)
    assert re.search(r"no .* -", shown)
    assert "It did not hold: a task was lost" in shown
    *_, held, did_not, skipped = markdown_of(outcomes).splitlines()
    assert held == "| agent killed | SIGKILL | it went on | 1.0 | 0 |"
    assert "**did not hold**: a task was lost" in did_not
    assert "| no |" in skipped


def test_a_campaign_without_kills_says_that_nothing_was_measured() -> None:
    assert "not measured" in " ".join(figures_of(Campaign()))
