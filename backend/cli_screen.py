"""A task on the screen, agent by agent, while it is followed; or line by line where there is no screen."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, is_dataclass, replace
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from backend.client import AgensiumClient, Step, Task, TaskEvent

MARKS = {"pending": "·", "delivered": "✓", "failed": "✗", "skipped": "–"}
COLOURS = {"delivered": "green", "failed": "red", "skipped": "dim", "pending": "dim"}
BAR = 40
MINUTE = 60


def watched(client: AgensiumClient, task_id: str, told: Callable[[TaskEvent], None]) -> Task:
    """The task at its end. `told` is called with each event."""
    task = None
    for event in client.follow(task_id):
        told(event)
        task = event.task or task
    return client.task(task_id) if task is None or not task.ended else task


def shown(client: AgensiumClient, task_id: str, console: Console) -> Task:
    """Follow the task before somebody's eyes."""
    if not console.is_terminal:
        return watched(client, task_id, lambda event: _line(console, event))
    with Live(console=console, refresh_per_second=10, transient=False) as live:
        for task in _states(client, task_id):
            live.update(picture(task))
    return task


def _states(client: AgensiumClient, task_id: str) -> Iterator[Task]:
    """The task anew at each of its events; between them only its progress."""
    task = client.task(task_id)
    yield task
    for event in client.follow(task_id):
        task = event.task or (client.task(task_id) if event.seq is not None and event.kind != "text" else task)
        if event.seq is None and event.task is None:
            task = _moved(task, event)
        yield task


def _moved(task: Task, event: TaskEvent) -> Task:
    progress = max(task.progress, event.progress)
    return replace(task, progress=progress, current_agent=event.current_agent, items=event.items or task.items)


def picture(task: Task) -> RenderableType:
    head = Table.grid(padding=(0, 1))
    head.add_row(
        Text(task.tool_id, style="bold"), ProgressBar(100, task.progress, width=BAR), f"{task.progress:.0f} %",
        Text(task.status.lower()), Text(_why(task), style="dim"),
    )  # fmt: skip
    steps = Table.grid(padding=(0, 1))
    for step in task.steps:
        steps.add_row(*_row(step))
    parts: list[RenderableType] = [head, steps]
    if task.error:
        parts.append(Text(f"{task.error.message} {task.error.next_action}", style="red"))
    return Group(*parts)


def _row(step: Step) -> tuple[RenderableType, ...]:
    running = step.state == "running"
    mark: RenderableType = Spinner("dots") if running else Text(MARKS.get(step.state, "?"), COLOURS.get(step.state, ""))
    took = "" if step.duration_ms is None else duration(step.duration_ms / 1000)
    words = step.message or ("" if step.state in {"delivered", "pending"} else step.state)
    return (
        mark, Text(step.agent_name or step.agent_id, style="bold" if running else ""), Text(took, justify="right"),
        Text(f"{step.price} credits", style="dim"), Text(words, style=COLOURS.get(step.state, "")),
    )  # fmt: skip


def _why(task: Task) -> str:
    said = task.waiting.message if task.waiting else ""
    if task.items is not None:
        failed = f", {task.items.failed:,} failed" if task.items.failed else ""
        said += f" {task.items.ok + task.items.failed:,} of {task.items.total:,} items{failed}"
    if task.eta is not None and not task.ended:
        said += f" about {duration(task.eta.likely)} left ({duration(task.eta.low)} to {duration(task.eta.high)})"
    return said.strip()


def duration(seconds: float) -> str:
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 (one digit is enough)
    minutes, rest = divmod(round(seconds), MINUTE)
    return f"{minutes} min {rest} s"


def _line(console: Console, event: TaskEvent) -> None:
    if event.kind in {"progress", "text"}:
        return
    agent = event.data.get("agent_id") or event.current_agent or ""
    said = str(event.data.get("message") or "")
    words = " ".join(part for part in (f"{event.progress:5.1f} %", event.kind, str(agent), said) if part)
    console.print(words, markup=False, highlight=False, soft_wrap=True)


def as_json(value: Any, indent: int | None = 2) -> str:
    """For programs: values, and lists of them."""

    def plain(one: Any) -> Any:
        if is_dataclass(one) and not isinstance(one, type):
            return asdict(one)
        return one.isoformat() if isinstance(one, datetime) else str(one)

    return json.dumps(value, default=plain, indent=indent, ensure_ascii=False)
