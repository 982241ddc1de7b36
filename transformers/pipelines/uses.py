"""What a template reads, where, and how much of it is its own text: seen in its parsed form, before anything runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from transformers.inference.bounds import TOKENS_AROUND, tokens_of


@dataclass(frozen=True)
class Use:
    """One place where a template reads a variable: `a.b[0]` is the root `a` and the path ("b", 0)."""

    root: str
    path: tuple[str | int, ...]

    def missing_in(self, values: Mapping[str, Any]) -> "Use | None":
        """As much of it as leads nowhere; None where all is there."""
        found: Any = values
        for length, part in enumerate((self.root, *self.path)):
            try:
                found = found[part]
            except (LookupError, TypeError):
                return Use(self.root, self.path[:length])
        return None

    def __str__(self) -> str:
        return self.root + "".join(f".{part}" if isinstance(part, str) else f"[{part}]" for part in self.path)


def literal_in(tree: nodes.Template) -> int:
    own = [data.data for data in tree.find_all(nodes.TemplateData)]
    own += [const.value for const in tree.find_all(nodes.Const) if isinstance(const.value, str)]
    return sum(weight(text) for text in own)


def weight(text: str) -> int:
    """The most tokens that it is read as: its bytes, and those that the door may put in."""
    return tokens_of(text) - TOKENS_AROUND


def loops_in(node: nodes.Node) -> int:
    """How many loops stand in each other; join is one, too."""
    inner = max((loops_in(child) for child in node.iter_child_nodes()), default=0)
    return inner + (isinstance(node, nodes.For) or (isinstance(node, nodes.Filter) and node.name == "join"))


def uses_in(node: nodes.Node, bound: frozenset[str] = frozenset()) -> Iterator[Use]:
    """Each variable's every use; of a path only the whole. A loop's own variables are none."""
    use = _use(node)
    if use is not None:
        if use.root not in bound:
            yield use
    elif isinstance(node, nodes.For):
        inner = bound | {"loop"} | {name.name for name in _names(node.target)}
        for child in node.iter_child_nodes(exclude=("target", "body", "test")):
            yield from uses_in(child, bound)
        for child in [*node.body, *([node.test] if node.test else [])]:
            yield from uses_in(child, inner)
    else:
        for child in node.iter_child_nodes():
            yield from uses_in(child, bound)


def _names(node: nodes.Node) -> Iterator[nodes.Name]:
    if isinstance(node, nodes.Name):
        yield node
    yield from node.find_all(nodes.Name)


def _use(node: nodes.Node) -> Use | None:
    path: list[str | int] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getattr):
            path.append(node.attr)
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str | int):
            path.append(node.arg.value)
        else:
            return None  # by a variable: the whole of what is before it
        node = node.node
    if isinstance(node, nodes.Name) and node.ctx == "load":
        return Use(node.name, tuple(reversed(path)))
    return None
