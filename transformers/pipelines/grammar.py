"""What a customer's template may be written with: text, variables, if, for, comparisons, a few filters and tests.

A list of what is allowed, never of what is not: no calls, no arithmetic, no assignments, macros, includes or imports.
It reads a parsed template and runs nothing.
"""

from collections.abc import Iterator

from jinja2 import nodes

DEEPEST = 30  # what is nested deeper, Python's own compiler may give up on
MOST_PARTS = 10_000  # of all templates of a pipeline; to read one takes some 40 µs

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.For,
    nodes.If,
    nodes.CondExpr,
    nodes.Name,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Filter,
    nodes.Test,
)
_JINJAS_OWN = frozenset({"self", "super", "caller", "varargs", "kwargs"})


class TemplateFault(ValueError):
    """Why a template is refused, or could not be filled in: a sentence for its writer, without the full stop."""


def check(tree: nodes.Template) -> None:
    """Raises TemplateFault."""
    for node, depth in _every(tree):
        if depth > DEEPEST:
            raise TemplateFault(f"line {node.lineno}: it is nested deeper than {DEEPEST} levels")
        if (fault := _fault_in(node)) is not None:
            raise TemplateFault(f"line {node.lineno}: {fault}")


def _every(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int]]:
    """Each node and its depth; by a stack, for the writer chooses how deep it goes."""
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in node.iter_child_nodes()]


def _fault_in(node: nodes.Node) -> str | None:
    if not isinstance(node, _ALLOWED) or type(node) not in _ALLOWED:
        return _SAID.get(type(node), f"{type(node).__name__.lower()} is not allowed in a template")
    if isinstance(node, nodes.Name) and node.name in _JINJAS_OWN:
        return f"{node.name!r} is not allowed in a template"
    if isinstance(node, nodes.For) and node.recursive:
        return "a loop must not be recursive"
    if isinstance(node, nodes.Filter) and node.node is None:
        return "a filter needs a value"
    if isinstance(node, nodes.Filter | nodes.Test) and (node.kwargs or node.dyn_args or node.dyn_kwargs):
        return f"{node.name!r} takes its arguments by their place only"
    return None


_ARITHMETIC = 'arithmetic is not allowed in a template; a step with a hyphen in its name is read as steps["its-name"]'
_SAID: dict[type[nodes.Node], str] = {
    **dict.fromkeys((nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow), _ARITHMETIC),
    nodes.Call: "nothing can be called in a template",
    nodes.Concat: "write values side by side, {{ a }}{{ b }}, instead of joining them with ~",
    nodes.Assign: "a template cannot set variables",
    nodes.AssignBlock: "a template cannot set variables",
}
