"""A run as people read it: two tables on the screen, and the same as a section of docs/RELIABILITY.md."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from backend.product import ROOT
from bench.soak.census import OURS
from bench.soak.course import Soak
from bench.soak.figures import KindFigures, figures

DOCS = ROOT / "docs" / "RELIABILITY.md"
BEGIN, END = "<!-- a soak begins -->\n", "<!-- a soak ends -->\n"
SHOWN = 20
HEAD = ("process", "lives", "judged", "MB", "MB/min, worst", "MB/min, all", "files", "threads")


def tell(console: Console, soak: Soak) -> None:
    """The table, what was missed, and one last line: always."""
    table = Table(*HEAD, box=box.SIMPLE)
    for one in figures(soak.recorded):
        table.add_row(*_cells(one))
    console.print(table)
    others = Table("what", "seen", "at most", "note", box=box.SIMPLE)
    for verdict in soak.verdicts:
        if not verdict.what.startswith(("memory of", "open files of", "threads of")) or not verdict.held:
            held = "" if verdict.held else "MISSED: "
            others.add_row(held + verdict.what, f"{verdict.seen:.3g} {verdict.unit}", f"{verdict.bar:g}", verdict.note)
    console.print(others)
    for line in list(dict.fromkeys(soak.served.wrong))[:SHOWN]:
        console.print(f"It went wrong: {line}", markup=False, highlight=False, soft_wrap=True)
    console.print("\n".join(_circumstances(soak)), highlight=False, soft_wrap=True)
    console.print(last_line(soak), highlight=False, soft_wrap=True, markup=False)


def last_line(soak: Soak) -> str:
    missed = "; ".join(f"{one.what} ({one.seen:.3g} {one.unit}, at most {one.bar:g})" for one in soak.missed)
    return (
        f"soak: {soak.seconds:.0f} s, {soak.served.tasks.total()} tasks, {len(soak.disturbed)} disturbances, "
        f"{len(soak.served.wrong)} wrong, {len(soak.missed)} of {len(soak.verdicts)} bars missed"
        + (f": {missed}" if missed else "")
    )


def write(soak: Soak, path: Path = DOCS) -> None:
    """Into the page, between the two marks."""
    text = path.read_text(encoding="utf-8")
    before, mark, rest = text.partition(BEGIN)
    assert mark, f"{path.name} has no {BEGIN.strip()}"
    path.write_text(f"{before}{BEGIN}{markdown(soak)}{END}{rest.partition(END)[2]}", encoding="utf-8")


def markdown(soak: Soak) -> str:
    rows = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    rows += [f"| {' | '.join(_cells(one))} |" for one in figures(soak.recorded)]
    return "\n".join([*rows, "", *_circumstances(soak), "", "```text", last_line(soak), "```", ""])


def _cells(one: KindFigures) -> Sequence[str]:
    name = str(one.kind) if one.kind in OURS else f"({one.kind})"
    return (
        name, str(one.lives), str(one.judged), _from_to(one.memory), _slope(one.memory_slope),
        _slope(one.total_slope.median if one.total_slope else None),
        _from_to(one.files), _from_to(one.threads),
    )  # fmt: skip


def _from_to(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.0f} → {ends[1]:.0f}"


def _slope(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


def _circumstances(soak: Soak) -> Iterator[str]:
    began, ended = soak.recorded.judged
    orders = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in sorted(soak.served.orders.items()))
    acts = ", ".join(f"{soak.disturbed.count(act)} × {act}" for act in sorted(set(soak.disturbed)))
    ends = ", ".join(f"{number} {status.lower()}" for status, number in sorted(soak.served.tasks.items()))
    rows = ", ".join(f"{live:,} {name}" for name, (live, _) in sorted(soak.rows.items()) if live)
    yield f"Judged from second {began:.0f} to {ended:.0f}. {soak.served.customers} customers; orders: {orders}."
    yield f"Tasks: {ends}. Disturbances: {acts}."
    yield f"Rows in the end: {rows}."
    yield f"Machine: {soak.machine}."
