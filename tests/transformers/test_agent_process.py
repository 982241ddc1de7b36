"""The supervisor against a real child: every way a call can end."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from supervising import WarmChild, a_table, call, request, run, run_warm

from backend.clock import monotonic
from backend.errors import (
    AgentCrashed,
    AgentFailed,
    ClaimLost,
    ErrorClass,
    HandBack,
    MemoryLimit,
    NoProgress,
    TimeLimit,
)
from tests.probe_tools import Act
from transformers.agent_process import AgentProcess, Limits
from transformers.agent_stderr import CAP
from transformers.stop_signal import StopReason, StopSignal
from transformers.tables import Table

SLACK = 1.5  # seconds; this machine runs other tests too


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return a_table(tmp_path)


def test_the_same_child_answers_one_call_after_another(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        pid = process.pid
        for _ in range(3):
            result = await call(process, request(table))
            assert result.summary_metrics["rows"] == 2
            assert result.parameters["act"] == "deliver"
        assert process.pid == pid

    run_warm(story, warm_child)


def test_a_light_call_is_a_line_there_and_a_line_back_and_no_file(
    table: Table, warm_child: WarmChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, written, process_heard = [], [], AgentProcess._heard
    monkeypatch.setattr(AgentProcess, "_heard", lambda *word: heard.append(word[1]) or process_heard(*word))

    async def story(process: AgentProcess) -> None:
        await call(process, request(table))  # warm
        heard.clear()
        monkeypatch.setattr(Path, "write_text", lambda path, *_text, **_how: written.append(path))
        result = await call(process, request(table))
        assert result.parameters["act"] == "deliver"
        assert (len(heard), written) == (1, [])
        assert process.peak_bytes > 0

    run_warm(story, warm_child)


def test_a_call_begins_one_task_of_the_loop_which_reads_the_answer(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))  # warm
        begun: list[str] = []

        def noted(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
            begun.append(work.__qualname__)
            return asyncio.Task(work, loop=loop)

        asyncio.get_running_loop().set_task_factory(noted)  # type: ignore[arg-type]
        try:
            await call(process, request(table))
        finally:
            asyncio.get_running_loop().set_task_factory(None)
        assert begun == ["StreamReader.readline"]

    run_warm(story, warm_child)


def test_of_light_calls_in_a_row_the_guard_is_told_once(
    table: Table, warm_child: WarmChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))  # warm
        assert process._child is not None
        told: list[bytes] = []
        guard = process._child.leash._guard.stdin
        assert guard is not None
        monkeypatch.setattr(guard, "write", told.append)
        monkeypatch.setattr("transformers.agent_leash.PING_SECONDS", 60.0)
        for _ in range(3):
            await call(process, request(table), in_a_row=True)
        assert told == [b"a"]
        await process.end_task()
        assert told == [b"a", b"i"], "whoever is idle may be silent for as long as it likes"
        await process.kill()  # its guard has heard nothing of all this

    run_warm(story, warm_child)


def test_what_is_too_long_for_a_line_goes_by_a_file_that_is_gone_afterwards(
    table: Table, warm_child: WarmChild
) -> None:
    async def story(process: AgentProcess) -> None:
        result = await call(process, request(table, marker="x" * 100_000))
        assert result.parameters["marker"] == "x" * 100_000
        assert list(table.path.parent.glob("*.json")) == []

    run_warm(story, warm_child)


def test_past_its_deadline_no_call_begins(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        with pytest.raises(TimeLimit):
            await call(process, request(table), Limits(monotonic() - 1, 60, 2**31))

    run_warm(story, warm_child)


def test_the_child_knows_no_address_and_no_key_of_ours(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "SECRET_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "plain to see")

    async def story(process: AgentProcess) -> None:
        seen = (await call(process, request(table))).summary_metrics["environment"]
        assert "PATH" in seen
        assert not {"DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "SECRET_KEY", "OPENAI_API_KEY"} & set(seen)

    run(story, tmp_path)


def test_progress_is_passed_on_and_rises(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        seen: list[float] = []
        await call(process, request(table, act=Act.WAIT, seconds=0.4), on_progress=seen.append)
        assert len(seen) > 3
        assert seen == sorted(seen)

    run_warm(story, warm_child)


@pytest.mark.parametrize("act", [Act.SPIN, Act.STALL, Act.WAIT])
def test_at_the_deadline_the_child_is_killed_whatever_it_does(act: Act, table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        pid = process.pid
        assert pid is not None
        await call(process, request(table))  # warm
        began = monotonic()
        with pytest.raises(TimeLimit):
            await call(process, request(table, act=act, seconds=30), Limits(began + 0.3, 60, 2**31))
        assert monotonic() - began < 3
        assert not psutil.pid_exists(pid)
        assert (await call(process, request(table))).status == "success", "the next call finds a new child"

    run_warm(story, warm_child)


def test_a_child_over_its_memory_is_killed(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))
        limit = process.memory_bytes() + 64 * 2**20
        with pytest.raises(MemoryLimit) as caught:
            await call(process, request(table, act=Act.HOARD, seconds=30), Limits(float("inf"), 60, limit))
        assert caught.value.context["limit_mib"] == limit >> 20
        assert process.pid is None

    run_warm(story, warm_child)


def test_a_memory_error_is_a_verdict_and_the_child_lives(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        pid = process.pid
        with pytest.raises(AgentFailed) as caught:
            await call(process, request(table, act=Act.EXHAUST))
        assert caught.value.verdict.error_code == "MEMORY_LIMIT"
        assert process.pid == pid

    run_warm(story, warm_child)


def test_without_a_word_for_too_long_the_stacks_are_kept_and_the_child_killed(
    table: Table, warm_child: WarmChild
) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))
        with pytest.raises(NoProgress) as caught:
            await call(process, request(table, act=Act.STALL, seconds=30), Limits(float("inf"), 0.3, 2**31))
        assert "_stall" in caught.value.detail

    run_warm(story, warm_child)


def test_where_there_are_no_signals_the_stacks_are_asked_for_by_an_envelope(
    table: Table, warm_child: WarmChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))
        monkeypatch.setattr("transformers.agent_body.sys", SimpleNamespace(platform="win32"))
        with pytest.raises(NoProgress) as caught:
            await call(process, request(table, act=Act.STALL, seconds=30), Limits(float("inf"), 0.3, 2**31))
        assert "_stall" in caught.value.detail

    run_warm(story, warm_child)


def test_the_stacks_are_kept_also_of_an_agent_whose_c_code_keeps_the_interpreters_lock(
    table: Table, warm_child: WarmChild
) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))
        with pytest.raises(NoProgress) as caught:
            await call(process, request(table, act=Act.GRIND, seconds=30), Limits(float("inf"), 0.3, 2**31))
        assert "_grind" in caught.value.detail

    run_warm(story, warm_child)


def test_a_long_stack_is_kept_whole_and_without_what_the_agent_printed(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))
        with pytest.raises(NoProgress) as caught:
            await call(process, request(table, act=Act.DIVE, seconds=30), Limits(float("inf"), 0.6, 2**31))
        detail = caught.value.detail
        assert detail.startswith(("Thread 0x", "Current thread 0x"))
        assert detail.count("_dive") > 80, "of a hundred frames that faulthandler shows"
        assert "in listen" in detail, "and the other thread"
        assert len(detail) > 4000

    run_warm(story, warm_child)


@pytest.mark.parametrize("act", [Act.STALL, Act.GRIND])
def test_where_the_agent_was_at_its_deadline_is_kept(act: Act, table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))
        with pytest.raises(TimeLimit) as caught:
            await call(process, request(table, act=act, seconds=30), Limits(monotonic() + 0.3, 60, 2**31))
        assert f"_{act}" in caught.value.detail

    run_warm(story, warm_child)


def test_a_cancel_does_not_wait_for_the_stacks(
    table: Table, warm_child: WarmChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transformers.agent_stderr.DUMP_SECONDS", 30.0)
    monkeypatch.setattr("transformers.agent_stderr.STILL_LOOKS", 1000)

    async def story(process: AgentProcess) -> None:
        await call(process, request(table))
        stop = StopSignal(drain_seconds=9)
        stop.attach()
        limits = Limits(monotonic() + 0.2, 60, 2**31)
        running = asyncio.ensure_future(call(process, request(table, act=Act.STALL, seconds=60), limits, stop))
        await asyncio.sleep(0.5)
        began = monotonic()
        stop.stop(StopReason.CANCELLED)
        with pytest.raises(ClaimLost):
            await running
        assert monotonic() - began < 1 + SLACK

    run_warm(story, warm_child)


def test_signs_of_life_hold_off_the_no_progress_limit(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))
        result = await call(process, request(table, act=Act.WAIT, seconds=1.2), Limits(float("inf"), 0.6, 2**31))
        assert result.status == "success"

    run_warm(story, warm_child)


def test_a_dead_child_is_a_crash(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        with pytest.raises(AgentCrashed):
            await call(process, request(table, act=Act.CRASH))
        assert (await call(process, request(table))).status == "success"

    run_warm(story, warm_child)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_child_that_the_system_killed_is_a_crash(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))
        running = asyncio.ensure_future(call(process, request(table, act=Act.SPIN, seconds=30)))
        await asyncio.sleep(0.2)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(AgentCrashed):
            await running

    run_warm(story, warm_child)


def test_a_customers_fault_comes_over_with_its_sentence(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        with pytest.raises(AgentFailed, match="Row 3 cannot be read") as caught:
            await call(process, request(table, act=Act.BLAME))
        assert caught.value.verdict.error_class is ErrorClass.USER
        assert caught.value.verdict.error_code == "UNREADABLE_FILE"

    run_warm(story, warm_child)


def test_a_bug_keeps_its_trace_to_us_and_its_words_from_the_customer(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        with pytest.raises(AgentFailed) as caught:
            await call(process, request(table, act=Act.BUG))
        verdict = caught.value.verdict
        assert verdict.error_code == "INTERNAL_ERROR"
        assert "secret internals" not in verdict.message
        assert "secret internals" in verdict.detail
        assert "_bug" in verdict.detail

    run_warm(story, warm_child)


def test_an_agent_that_prints_without_end_breaks_neither_protocol_nor_disk(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        result = await call(process, request(table, act=Act.SHOUT, seconds=0.5))
        assert result.status == "success"
        await process.end_task()
        assert (process._scratch / "agent.stderr").stat().st_size < CAP

    run_warm(story, warm_child)


@pytest.mark.parametrize("reason", [StopReason.LOST, StopReason.CANCELLED])
def test_a_lost_or_cancelled_claim_kills_the_child_at_once(
    reason: StopReason, table: Table, warm_child: WarmChild
) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))
        pid = process.pid
        assert pid is not None
        stop = StopSignal(drain_seconds=9)
        stop.attach()
        running = asyncio.ensure_future(call(process, request(table, act=Act.SPIN, seconds=30), stop=stop))
        await asyncio.sleep(0.2)
        began = monotonic()
        await asyncio.to_thread(stop.stop, reason)
        with pytest.raises(ClaimLost):
            await running
        assert monotonic() - began < 1 + SLACK
        assert not psutil.pid_exists(pid)

    run_warm(story, warm_child)


def test_a_drain_gives_the_step_its_grace_and_then_hands_back(table: Table, warm_child: WarmChild) -> None:
    async def story(process: AgentProcess) -> None:
        await call(process, request(table))
        stop = StopSignal(drain_seconds=0.6)
        stop.attach()
        stop.stop(StopReason.DRAIN)
        assert (await call(process, request(table, act=Act.WAIT, seconds=0.2), stop=stop)).status == "success"
        with pytest.raises(HandBack):
            await call(process, request(table, act=Act.WAIT, seconds=30), stop=stop)
        with pytest.raises(HandBack):
            stop.check_between_steps()

    run_warm(story, warm_child)


def test_the_child_ends_with_its_supervisor(tmp_path: Path) -> None:
    async def story(process: AgentProcess) -> None:
        assert process._child is not None
        assert process._child.process.stdin is not None
        process._child.process.stdin.close()  # what the system does when the supervisor is killed
        assert await asyncio.wait_for(process._child.process.wait(), 10) == 0

    run(story, tmp_path)


def test_no_child_is_worn_by_a_hundred_light_tasks(table: Table, tmp_path: Path) -> None:
    async def story(process: AgentProcess) -> None:
        first = process.pid
        await call(process, request(table))
        for _ in range(100):
            await process.end_task()
        assert process.pid == first

    run(story, tmp_path)


def test_a_worn_child_is_replaced_after_its_task(table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transformers.agent_process.WORN_TASKS", 2)

    async def story(process: AgentProcess) -> None:
        first = process.pid
        await call(process, request(table))
        await process.end_task()
        assert process.pid == first
        await process.end_task()
        assert process.pid not in {None, first}

    run(story, tmp_path)
