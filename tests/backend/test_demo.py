from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from backend import demo
from backend.client import CreditEntry, Step
from backend.demo import CREDITS, DemoFailed, check_bill, run_demo
from backend.processes import ProcessFailed

STEPS = [Step("unified-profiler", "", "delivered", 30), Step("score-risk", "", "failed", 35)]


def captured(*agents: str) -> list[CreditEntry]:
    prices = {step.agent_id: step.price for step in STEPS}
    return [CreditEntry(0, "CAPTURE", prices[agent], agent) for agent in agents]


def test_what_was_delivered_was_charged() -> None:
    held = [CreditEntry(0, "HOLD", 35, "score-risk")]
    check_bill([*held, *captured("unified-profiler")], STEPS, CREDITS, CREDITS - 30)


@pytest.mark.parametrize(
    ("entries", "balance"),
    [
        (captured("unified-profiler", "unified-profiler"), CREDITS - 60),
        (captured("unified-profiler", "score-risk"), CREDITS - 65),
        (captured(), CREDITS),
        (captured("unified-profiler"), CREDITS - 31),
    ],
    ids=["charged twice", "charged for a failure", "not charged", "a wrong balance"],
)
def test_a_wrong_bill_fails_the_demo(entries: list[CreditEntry], balance: int) -> None:
    with pytest.raises(DemoFailed, match="the bill is wrong"):
        check_bill(entries, STEPS, CREDITS, balance)


def test_a_failure_says_what_to_do_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    @contextmanager
    def broken_stack(_directory: Path, **_wishes: object) -> NoReturn:
        raise ProcessFailed("postgres ended at once.")

    monkeypatch.setattr(demo, "embedded_stack", broken_stack)
    assert run_demo() == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "postgres ended at once." in said
    assert "run it again with: make demo" in said
