"""A run tells what it saw however it ends, and refuses to prove nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from backend.chaos import run
from backend.chaos.campaign import Campaign
from backend.chaos.deployment import GaveUp
from backend.chaos.fault import Fault, Outcome, rehearse
from backend.chaos.invariants import Tally
from backend.chaos.report import under_faults, whole

FAULT = Fault("agent killed", "SIGKILL", lambda _: "it went on")


class BrokenStage:
    """A stage on which a task is stuck for ever."""

    customer = None

    def rest(self) -> None:
        """Ready."""

    rest_workers = order = busy = rest

    def ended(self) -> None:
        raise GaveUp("after 120 s still not: all of 4 tasks ended")

    def judge(self, _customers: Any) -> Tally:
        return Tally(tasks=4, completed=3, lost=1, breaches=["task t: PROCESSING"])


def fails(_stage: Any) -> str:
    raise httpx.ConnectError("nobody there")


def test_a_task_that_is_stuck_is_counted_as_lost() -> None:
    outcome = rehearse(BrokenStage(), FAULT)  # type: ignore[arg-type]
    assert (outcome.tally.tasks, outcome.tally.lost) == (4, 1)
    assert any("still not" in breach for breach in outcome.tally.breaches)


def test_a_faults_own_failure_is_a_breach_and_its_tasks_are_looked_at_all_the_same() -> None:
    outcome = rehearse(BrokenStage(), Fault("API killed", "SIGKILL", fails))  # type: ignore[arg-type]
    assert "API killed: ConnectError: nobody there" in outcome.tally.breaches
    assert outcome.tally.lost == 1


def test_the_harm_of_the_faults_is_in_the_last_lines_counts() -> None:
    outcomes = [Outcome(FAULT, "", 1, Tally(tasks=8, completed=6, ended_otherwise=1, lost=1, double_charges=2))]
    total = whole(outcomes, Campaign(tally=Tally(tasks=1000, completed=999, lost=1, duplicate_outputs=3)))
    counts = (total.tasks, total.completed, total.lost, total.double_charges, total.duplicate_outputs)
    assert counts == (1000, 999, 2, 2, 3)
    assert whole(outcomes, None).tasks == 8
    assert under_faults(outcomes).endswith("8 tasks, 6 completed, 1 ended otherwise as they were to, 1 lost")


def test_words_are_found_whatever_their_case_and_a_slip_of_the_pen_proves_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert {fault.name for fault in run.chosen_faults("s3")} == {fault.name for fault in run.chosen_faults("S3")}
    assert run.chosen_faults("s3")
    assert run.run_chaos(long=False, pool="prefork", only="S4") == 2
    assert "No fault has these words in its name: S4" in capsys.readouterr().out


@pytest.mark.parametrize("ends", [GaveUp("not in time"), KeyboardInterrupt(), ZeroDivisionError()], ids=repr)
def test_table_and_last_line_are_told_however_it_ends(
    ends: BaseException, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def stack(_directory: Path) -> Iterator[Any]:
        yield SimpleNamespace(database_url="")

    @contextmanager
    def stage(*_all: Any) -> Iterator[BrokenStage]:
        yield BrokenStage()

    def campaign(*_all: Any) -> Campaign:
        raise ends

    nothing: Callable[[str], None] = lambda _url: None  # noqa: E731
    for name, value in {
        "embedded_stack": stack, "migrate": nothing, "open_stage": stage, "run_campaign": campaign,
        "FAULTS": [FAULT], "REPORT": tmp_path / "chaos.md",
    }.items():  # fmt: skip
        monkeypatch.setattr(run, name, value)
    try:
        assert run.run_chaos(long=False, pool="prefork") in {1, run.INTERRUPTED}
    except ZeroDivisionError:
        """A mistake of our own is a traceback, after the table."""
    told = capsys.readouterr().out
    assert "agent killed" in told
    assert told.splitlines()[-1].startswith("chaos: 4 tasks, 3 completed, 0 kills, 1 lost, ")
    assert "agent killed" in (tmp_path / "chaos.md").read_text()
