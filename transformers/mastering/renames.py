"""What a column is called by now: the customer's parameters name columns as the file does."""

from collections.abc import Iterable, Sequence

from transformers.tool import Delivery

RENAMED = "renamed"  # in a result's data: new name by old, in one agent's turn


def current_names(earlier: Iterable[Delivery], columns: Sequence[str]) -> dict[str, str]:
    """The name now, by every name that a column had before; names that are still there mean themselves."""
    now: dict[str, str] = {}
    for delivery in earlier:
        renamed: dict[str, str] = delivery.result.data.get(RENAMED) or {}
        now = {old: renamed.get(name, name) for old, name in now.items()}
        now |= {old: new for old, new in renamed.items() if old not in now}
    return {old: new for old, new in now.items() if new in columns and old not in columns}
