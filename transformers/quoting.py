"""What a task would take and cost, said before anything is held. Pure: the caller brings what was seen and is known.

A quote refuses what the submit would refuse of parameters and files; of what is still missing it warns.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from db.durations import Basis, Span, expected
from db.paces import Pace, mebibytes
from transformers.forms import chosen_steps
from transformers.intake.estimates import Rows
from transformers.tool import PRIMARY, Forms, Step, Tool

NEAR = 0.8  # of a limit: runs differ from each other
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file that has arrived. `rows` None: only reading it will tell."""

    filename: str
    size: int
    format: str
    rows: Rows | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the house knows: of its agents, of this customer, of the workers that live now (None: there is none)."""

    paces: Mapping[str, Pace]
    balance: int
    memory_limit: int | None


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes at the peak of the greediest agent; `high` is reached by one run in twenty."""

    likely: int
    high: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class Quote:
    """`steps` are those that would run; of nothing that has no file yet, time and memory are not known."""

    steps: Sequence[Step]
    prices: Mapping[str, int]  # what would be held: for a step that is paid by use, the most
    files: Mapping[str, Sequence[SeenFile]]
    missing: Mapping[str, str]
    seconds: Span | None
    memory: Memory | None
    balance: int
    warnings: Sequence[str] = field(default=())

    @property
    def is_most(self) -> bool:
        """Something is paid by use: the prices are what is held, and less may be charged."""
        return any(step.tariff is not None for step in self.steps)

    @property
    def shortfall(self) -> int:
        return max(0, sum(self.prices.values()) - self.balance)

    @property
    def size(self) -> int:
        return sum(file.size for files in self.files.values() for file in files)

    @property
    def rows(self) -> Rows | None:
        return next((file.rows for file in self.files.get(PRIMARY, ())), None)


def quote(
    tool: Tool,
    agents: Sequence[str],
    forms: Forms,
    files: Mapping[str, Sequence[SeenFile]],
    *,
    not_arrived: Mapping[str, str],
    known: Known,
    held: Callable[[Step], int],
) -> Quote:
    """`files` and `not_arrived` are by role; the second says in a sentence what is amiss. `held`: a step's price, or
    the most that it may cost, which hangs on files: while one is missing it is not asked.

    Raises:
        UnknownAgent
    """
    chosen = chosen_steps(tool, agents, forms)
    needed = _needed_roles(tool, chosen, all_must_run=bool(agents))
    missing = {name: not_arrived.get(name, f"A file for the role {name!r} is missing.") for name in needed - set(files)}
    steps = [step for step in chosen if set(step.agent.roles) <= needed | set(files)]
    size = mebibytes(file.size for some in files.values() for file in some)
    made = Quote(
        steps=steps,
        prices={step.id: step.price if missing else held(step) for step in steps},
        files=files,
        missing=dict(sorted(missing.items())),
        seconds=_seconds(steps, size, known.paces) if files else None,
        memory=_memory(steps, size, known) if files else None,
        balance=known.balance,
    )
    return replace(made, warnings=tuple(_warnings(tool, chosen, made, not_arrived, known)))


def _needed_roles(tool: Tool, chosen: Iterable[Step], *, all_must_run: bool) -> set[str]:
    required = {role.name for role in tool.roles if role.required}
    return required.union(*(step.agent.roles for step in chosen if all_must_run or step.required))


def _seconds(steps: Sequence[Step], size: float, paces: Mapping[str, Pace]) -> Span:
    span = expected((step.id for step in steps), size, paces)
    return replace(span, based_on=Basis.DECLARED) if _is_beyond(steps, size, paces) else span


def _is_beyond(steps: Sequence[Step], size: float, paces: Mapping[str, Pace]) -> bool:
    return any(size > paces[step.id].largest for step in steps if step.id in paces)


def _memory(steps: Sequence[Step], size: float, known: Known) -> Memory | None:
    """No agent gets more than its limit, so none is expected to take more."""
    lines = [pace.memory for step in steps if (pace := known.paces.get(step.id)) is not None and pace.memory]
    if not lines:
        return None
    likely = max(line.likely(size) for line in lines)
    high = max(line.likely(size) + line.spread for line in lines)
    limit = known.memory_limit
    return Memory(round(min(likely, limit or likely)), round(high), limit)


def _warnings(
    tool: Tool, chosen: Sequence[Step], made: Quote, not_arrived: Mapping[str, str], known: Known
) -> Iterable[str]:
    yield from made.missing.values()
    yield from (sentence for role, sentence in not_arrived.items() if role not in made.missing)
    yield from _left_out(chosen, made)
    yield from _about_limits(tool, made, known)
    if made.shortfall:
        less = "ask for less" if made.is_most else "choose fewer agents"
        yield f"{made.shortfall:,} credits are missing; {less} or add credits."
    if known.memory_limit is None:
        yield "No worker is there at the moment; the task would wait for one."


def _left_out(chosen: Sequence[Step], made: Quote) -> Iterable[str]:
    """Agents that are not needed and have no file to work on."""
    for step in chosen:
        if step not in made.steps:
            role = next(role for role in step.agent.roles if role not in made.files)
            yield f"{step.agent.name} will not run: it needs a file for the role {role!r}."


def _about_limits(tool: Tool, made: Quote, known: Known) -> Iterable[str]:
    size = mebibytes([made.size])
    if made.files and _is_beyond(made.steps, size, known.paces):
        yield "No agent here has had so much data yet; time and memory may be well above what is said."
    if made.memory and made.memory.limit and made.memory.high > NEAR * made.memory.limit:
        high, limit = made.memory.high / MEGABYTE, made.memory.limit / MEGABYTE
        yield f"The task may need {high:,.0f} MB of memory, and an agent may use {limit:,.0f} MB; less data is safer."
    if made.seconds and made.seconds.high > NEAR * tool.time_limit.total_seconds():
        minutes = tool.time_limit.total_seconds() / 60
        yield f"The task may come near its time limit of {minutes:g} minutes; less data or fewer agents are safer."
