"""Where a customer's template runs: a Jinja2 sandbox in which a value is plain JSON and a dot reads an object's key.

No Python attribute is ever read, nothing is called, and time and size are bounded: whoever writes a template knows
nothing of the house and cannot keep it busy.
"""

import json
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, field
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from backend.clock import monotonic
from transformers.pipelines.grammar import TemplateFault

SECONDS = 1.0  # a usual prompt takes less than a millisecond
MOST_TURNS = 100_000  # of all loops together
MOST_TEXT = 1_000_000  # bytes of a step's prompt
MOST_WORK = 4 * MOST_TEXT  # characters that its filters make on the way
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
            raise TemplateFault(f"its filters make more than {MOST_WORK:,} characters")
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
    made.filters = {name: _of_plain_values(do) for name, do in _FILTERS.items()} | _INTERNAL
    made.tests = {name: test for name, test in made.tests.items() if name in _TESTS}
    return made


def written(value: Any) -> str:
    """A value as it stands in a prompt: text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, Undefined):
        return str(value)  # raises UndefinedError
    if not isinstance(value, dict | list | tuple | int | float | None):
        raise TemplateFault("it writes something that is no value")
    return json.dumps(value, ensure_ascii=False)


def watched(tree: nodes.Template) -> nodes.Template:
    """Each loop and each condition is put on the account: a template's time is spent there."""
    for node in tree.find_all((nodes.For, nodes.If, nodes.CondExpr)):
        assert isinstance(node, nodes.For | nodes.If | nodes.CondExpr)
        if isinstance(node, nodes.For):
            node.iter = _through("looped", node.iter)
        if node.test is not None:
            node.test = _through("asked", node.test)
    return tree


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


_INTERNAL: dict[str, Callable[..., Any]] = {" looped": _looped, " asked": _asked}  # no template can name them


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


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TemplateFault("upper, lower, trim and truncate take text")
    return value


def _sized(value: Any) -> Sized:
    if not isinstance(value, str | list | tuple | dict):
        raise TemplateFault("length, first and last take text, a list or an object")
    return value


def _join(values: Any, between: str = "") -> str:
    if not isinstance(values, list | tuple):
        raise TemplateFault("join takes a list")
    if len(_text(between)) * len(values) > MOST_TEXT:
        raise TemplateFault(f"it makes more than {MOST_TEXT:,} characters")
    return between.join(written(value) for value in values)


def _end(values: Any, place: int) -> Any:
    some = list(values) if isinstance(_sized(values), dict) else values
    return some[place] if some else ""


def _default(value: Any, instead: Any = "") -> Any:
    return instead if isinstance(value, Undefined) else value


def _to_json(value: Any) -> str:
    if isinstance(value, Undefined):
        str(value)  # raises UndefinedError
    return json.dumps(value, ensure_ascii=False)


_FILTERS: Mapping[str, Callable[..., Any]] = {
    "tojson": _to_json,
    "join": _join,
    "length": lambda value: len(_sized(value)),
    "upper": lambda value: _text(value).upper(),
    "lower": lambda value: _text(value).lower(),
    "trim": lambda value: _text(value).strip(),
    "truncate": lambda value, longest=255: _text(value)[:longest],
    "first": lambda value: _end(value, 0),
    "last": lambda value: _end(value, -1),
    "default": _default,
}
_TESTS = frozenset({"defined", "undefined", "none", "string", "number", "mapping", "sequence"})
