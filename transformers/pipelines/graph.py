"""A pipeline's steps as a graph: who comes after whom, and what is wrong with it, in words for its writer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

INPUT = "input"
STEPS = "steps"  # in a template: all that a step comes after, by name
RESERVED = frozenset({INPUT, STEPS, "pipeline", "self", "loop"})

After = Mapping[str, Sequence[str]]  # each step and the steps it comes after, in the customer's order


def check_names(names: Sequence[str]) -> None:
    """Raises ValueError: a name is there twice, or means something else in a template."""
    for name, count in Counter(names).items():
        if name in RESERVED:
            raise ValueError(f"a step cannot be called {name!r}: the name is taken")
        if count > 1:
            raise ValueError(f"two steps are called {name!r}")


def check_order(after: After) -> None:
    """Raises ValueError: a step comes after itself, after one that is not there, or after one that waits for it."""
    for name, earlier in after.items():
        if name in earlier:
            raise ValueError(f"the step {name!r} comes after itself")
        for other in earlier:
            if other not in after:
                raise ValueError(f"the step {name!r} comes after {other!r}, and there is no such step")
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        ring = " → ".join(reversed(error.args[1]))
        raise ValueError(f"the steps wait for each other in a circle: {ring}") from None


def check_read(name: str, reads: frozenset[str], after: After) -> None:
    """Raises ValueError: the templates of the step `name` read something that it cannot know."""
    for other in sorted(reads - {INPUT, STEPS, *after[name]}):
        if other == name:
            raise ValueError(f"the template of the step {name!r} reads its own result")
        if other in after:
            raise ValueError(
                f"the template of the step {name!r} reads the result of {other!r}: add {other!r} to its `after`"
            )
        raise ValueError(f"the template of the step {name!r} reads {other!r}, which is neither `input` nor a step")


def in_order(after: After) -> list[str]:
    """The steps, none before one that it comes after; else as the customer has them."""
    sorter, place = TopologicalSorter(after), {name: number for number, name in enumerate(after)}
    sorter.prepare()
    found: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place.__getitem__)
        found += ready
        sorter.done(*ready)
    return found
