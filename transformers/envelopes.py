"""How the supervisor and its child write to each other: lines of JSON, of at most 8 KB (asyncio's pipes break at 64).

A body that is longer goes by a file on scratch, and whoever opens it removes the file. Standard library only.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LONGEST = 8 * 1024  # bytes of a line

Envelope = Mapping[str, Any]


def sealed(envelope: Envelope, name: str, body: str, path: str) -> bytes:
    """A line that brings the body under `name`, or null where it lies at `path`."""
    if len(body) < LONGEST:
        line = _line({**envelope, name: body})
        if len(line) <= LONGEST:
            return line
    Path(path).write_text(body, encoding="utf-8")
    return _line({**envelope, name: None})


def opened(envelope: Envelope, name: str, path: str) -> str | bytes:
    """The body."""
    body: str | None = envelope[name]
    if body is not None:
        return body
    file = Path(path)
    found = file.read_bytes()
    file.unlink()
    return found


def _line(envelope: Envelope) -> bytes:
    return json.dumps(envelope).encode() + b"\n"
