"""JSON values as cells: text as it stands in the file, objects flattened to dotted names, lists as JSON text."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

FLATTENED_LEVELS = 5  # a.b.c.d.e; what lies deeper stays JSON text, or one odd row makes a thousand columns
LONE_SURROGATE = re.compile("[\ud800-\udfff]")

Cells = dict[str, str | None]


class Number(str):
    """A number's text in the source: 1.10 stays 1.10 and a long integer keeps all its digits."""

    __slots__ = ()


@dataclass
class JsonRows:
    """Decodes and flattens. `trouble` gathers the repairs of the row in hand, for whoever numbers the rows."""

    trouble: set[str] = field(default_factory=set)

    def decoder(self) -> json.JSONDecoder:
        return json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=Number, parse_int=Number, parse_constant=Number, strict=False
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            self.trouble.add("duplicate_key")
        return found

    def cells(self, row: dict[str, Any]) -> Cells:
        flat: Cells = {}
        self._flatten(row, "", FLATTENED_LEVELS, flat)
        return flat

    def _flatten(self, values: dict[str, Any], prefix: str, levels: int, flat: Cells) -> None:
        for key, value in values.items():
            name = prefix + self._clean(key)
            if isinstance(value, dict) and value and levels > 1:
                self._flatten(value, f"{name}.", levels - 1, flat)
            else:
                flat[_free(name, flat)] = self.cell(value)

    def cell(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, str):
            return self._clean(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        return self._clean(json_text(value))

    def _clean(self, text: str) -> str:
        r"""Half a surrogate pair (`"\ud83d"`) is valid JSON, but no text."""
        if text.isascii() or not LONE_SURROGATE.search(text):
            return text
        self.trouble.add("broken_character")
        return LONE_SURROGATE.sub("\ufffd", text)


def json_text(value: Any) -> str:
    """json.dumps for values whose numbers are still text."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json_text(key)}: {json_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _free(name: str, taken: Cells) -> str:
    """{"a.b": 1, "a": {"b": 2}} has two cells of one name; both stay."""
    candidate, suffix = name, 1
    while candidate in taken:
        suffix += 1
        candidate = f"{name}_{suffix}"
    return candidate
