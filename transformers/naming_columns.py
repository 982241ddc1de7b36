"""Columns that a customer's parameters name."""

from collections.abc import Iterable, Sequence

from backend.errors import BadParameters


def known(parameter: str, named: Iterable[str], columns: Sequence[str]) -> list[str]:
    """The names, each once, in the table's order.

    Raises:
        BadParameters: the table has no such column.
    """
    wanted = list(named)
    for name in wanted:
        if name not in columns:
            raise BadParameters(
                f"{parameter}: the table has no column called {name!r}.", field=parameter, columns=list(columns)[:100]
            )
    return [name for name in columns if name in wanted]
