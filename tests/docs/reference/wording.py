"""How the reference is written: tables, and what Markdown would take for its own."""

import re
from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(heads), ["---"] * len(heads), *([cell(one) for one in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(words: str) -> str:
    """One line, no bar that would end it, and no tag but an anchor."""
    return re.sub(r"<(?!/?a\b)", "&lt;", " ".join(words.split()).replace("|", "\\|"))


def code(words: object) -> str:
    """As it is typed; nothing where there is nothing."""
    text = str(words)
    return f"`{text}`" if text else ""


def megabytes(size: int) -> str:
    """Bytes, as people say them."""
    mebibytes = size / 2**20
    return f"{mebibytes:g} MiB"
