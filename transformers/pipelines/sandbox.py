"""Where a customer's template runs: a Jinja2 sandbox in which a value is plain JSON and a dot reads an object's key.

No Python attribute is ever read, nothing is called, and time and size are bounded: whoever writes a template knows
nothing of the house and cannot keep it busy.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from backend.clock import monotonic
from transformers.pipelines.filters import FILTERS, MOST_TEXT, TESTS, written
from transformers.pipelines.grammar import TemplateFault

SECONDS = 1.0  # a usual prompt takes less than a millisecond
MOST_TURNS = 100_000  # of all loops together
MOST_WORK = 4 * MOST_TEXT  # characters that its filters make on the way, entries that its slices copy
SPENT = "0"  # under this name the template's own account lies among its variables; no template can name it

_OF_A_LOOP = frozenset({"index", "index0", "first", "last", "length"})


@dataclass
class Spent:
    """What filling in one template has cost so far."""

    deadline: float = field(default_factory=lambda: monotonic() + SECONDS)
    turns: int = 0
    characters: int = 0

    def take(self, turns: int = 0, characters: int = 0) -> None:
        """Raises TemplateFault."""
        self.turns += turns
        self.characters += characters
        if self.turns > MOST_TURNS:
            raise TemplateFault(f"its loops turn more than {MOST_TURNS:,} times")
        if self.characters > MOST_WORK:
            raise TemplateFault(f"its filters and slices make more than {MOST_WORK:,} characters")
        if monotonic() > self.deadline:
            raise TemplateFault(f"it takes more than {SECONDS:g} seconds")


class Sandbox(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        """`a.b` is `a["b"]`, and of the loop its place; never an attribute."""
        if isinstance(obj, LoopContext) and attribute in _OF_A_LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj[argument]  # says what is undefined
        if type(obj) is dict and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if type(obj) in (list, tuple, str) and type(argument) is int and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)

    def call(self, _context: Context, _called: Any, /, *_: Any, **__: Any) -> Any:
        raise SecurityError("nothing can be called in a template")


def sandbox() -> Sandbox:
    made = Sandbox(undefined=StrictUndefined, finalize=written, keep_trailing_newline=True, cache_size=0)
    made.globals.clear()
    made.filters = {name: _of_plain_values(do) for name, do in FILTERS.items()} | _INTERNAL
    made.tests = {name: test for name, test in made.tests.items() if name in TESTS}
    return made


def watched(tree: nodes.Template) -> nodes.Template:
    """Each loop, condition, comparison and slice is put on the account: a template's time is spent there."""
    for node in tree.find_all((nodes.For, nodes.If, nodes.CondExpr)):
        assert isinstance(node, nodes.For | nodes.If | nodes.CondExpr)
        if isinstance(node, nodes.For):
            node.iter = _through("looped", node.iter)
        if node.test is not None:
            node.test = _through("asked", node.test)
    _Within().visit(tree)
    return tree


class _Within(NodeTransformer):
    """What stands within an expression; a list may hold thousands of either."""

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 (by the name of the node)
        self.generic_visit(node)
        return _through("asked", node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through("cut", node) if isinstance(node.arg, nodes.Slice) else node


def _through(name: str, node: nodes.Node) -> nodes.Filter:
    assert isinstance(node, nodes.Expr)
    return nodes.Filter(node, f" {name}", [], [], None, None, lineno=node.lineno)


@pass_context
def _looped(context: Context, value: Any) -> list[Any]:
    if isinstance(value, Undefined):
        return list(value)  # raises UndefinedError
    if not isinstance(value, dict | list | tuple):
        raise TemplateFault("only a list or an object can be looped over")
    _account(context).take(turns=len(value))
    return list(value)


@pass_context
def _asked(context: Context, value: Any) -> Any:
    _account(context).take()
    return value


@pass_context
def _cut(context: Context, value: Any) -> Any:
    _account(context).take(characters=len(value))
    return value


# No template can name them.
_INTERNAL: dict[str, Callable[..., Any]] = {" looped": _looped, " asked": _asked, " cut": _cut}


def _of_plain_values(do: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose result is put on the account."""

    @pass_context
    def counted(context: Context, *values: Any) -> Any:
        _account(context).take()
        result = do(*values)
        _account(context).take(characters=len(result) if isinstance(result, str) else 0)
        return result

    return counted


def _account(context: Context) -> Spent:
    spent = context[SPENT]
    assert isinstance(spent, Spent)
    return spent
