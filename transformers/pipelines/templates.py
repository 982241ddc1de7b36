"""A customer's template: what it names, how long its text can get, and the text itself.

Read once and kept, for the same one is looked at when it is submitted, claimed and filled in.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from jinja2 import Template as Compiled
from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError, nodes

from transformers.pipelines.filters import MOST_TEXT
from transformers.pipelines.grammar import MOST_PARTS, TemplateFault, check
from transformers.pipelines.sandbox import SPENT, Sandbox, Spent, sandbox, watched
from transformers.pipelines.uses import Use, literal_in, loops_in, uses_in

LONGEST_TEMPLATE = 200_000  # characters
LOOPS = 4  # a loop over an answer writes so many times what it reads at most, for that is what was held
_KEPT = 128  # templates; a pipeline has at most 50 steps
_KEPT_LENGTH = 4_000  # characters; what is compiled takes some fifty times as much memory

# Python's own compiler, on what is nested too deep or too long for it.
_UNREADABLE = (SyntaxError, RecursionError, MemoryError, ValueError, OverflowError)
# A comparison of a text with a number, a key that is a list …
_AT_ODDS = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Template:
    """`literal` is the weight of its own text, `loops` how many loops are nested in each other.

    `parts` are its words and marks: the work of reading it.
    """

    names: frozenset[str]
    uses: tuple[Use, ...]
    literal: int
    loops: int
    parts: int
    _compiled: Compiled

    def longest(self, size: Callable[[Use], int], turns: int = 0) -> int:
        """The most that it can write, where a value is as long as `size` says and a loop turns so often."""
        values = sum(size(use) for use in self.uses)
        return self.literal * max(turns, LOOPS) + values * LOOPS if self.loops else self.literal + values

    def fill(self, values: Mapping[str, Any], longest: int = MOST_TEXT, spent: Spent | None = None) -> str:
        """The text, of so many bytes at most, on the account of `spent`.

        Values are data: whatever they hold, they are not read as templates.

        Raises:
            TemplateFault: something undefined, at odds, or too much.
        """
        try:
            return "".join(self._pieces(values, longest, spent or Spent()))
        except UndefinedError as error:
            raise TemplateFault(self._undefined(error, values)) from None
        except TemplateError as error:
            raise TemplateFault(str(error)) from None
        except TemplateFault:
            raise
        except _AT_ODDS as error:
            raise TemplateFault(f"its values do not fit: {error}") from None

    def _pieces(self, values: Mapping[str, Any], longest: int, spent: Spent) -> Iterator[str]:
        written = 0
        for piece in self._compiled.generate({**values, SPENT: spent}):
            spent.take()
            written += len(piece.encode(errors="replace"))
            if written > longest:
                raise TemplateFault(f"it writes more than the {longest:,} bytes that it may, by what it reads")
            yield piece

    def _undefined(self, error: UndefinedError, values: Mapping[str, Any]) -> str:
        """Jinja2 knows the last word of a path, the customer wrote all of it."""
        missing = [use.missing_in(values) for use in self.uses if use.root in values]
        named = next((path for path in missing if path and repr(path.path[-1]) in str(error)), None)
        return f"there is no {named}" if named else str(error)


def template(source: str) -> Template:
    """Raises TemplateFault: it is no template, or one that does more than fill in."""
    return _kept(source) if len(source) <= _KEPT_LENGTH else _read(source)


@lru_cache(maxsize=_KEPT)
def _kept(source: str) -> Template:
    return _read(source)


def _read(source: str) -> Template:
    if len(source) > LONGEST_TEMPLATE:
        raise TemplateFault(f"it is longer than {LONGEST_TEMPLATE:,} characters")
    try:
        parts = _parts(source)
        tree = _sandbox().parse(source)
        check(tree)
        uses, literal, loops = tuple(uses_in(tree)), literal_in(tree), loops_in(tree)
        return Template(frozenset(use.root for use in uses), uses, literal, loops, parts, _compiled(watched(tree)))
    except TemplateSyntaxError as error:
        raise TemplateFault(f"line {error.lineno}: {error.message}") from None
    except TemplateFault:
        raise
    except _UNREADABLE:
        raise TemplateFault("it is nested too deep or too long to be read") from None


@lru_cache(maxsize=1)
def _sandbox() -> Sandbox:
    return sandbox()


def _parts(source: str) -> int:
    """Raises TemplateFault: there are so many that it is not read."""
    parts = sum(1 for _ in islice(_sandbox().lex(source), MOST_PARTS + 1))
    if parts > MOST_PARTS:
        raise TemplateFault(f"it has more than {MOST_PARTS:,} parts")
    return parts


def _compiled(tree: nodes.Template) -> Compiled:
    code: Any = _sandbox().compile(tree)
    return Compiled.from_code(_sandbox(), code, {})
