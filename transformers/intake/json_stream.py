"""A long JSON document, one item of a list or one field of an object after another, in the memory of a few of them."""

import json
from collections.abc import Iterator
from typing import Any

from backend.errors import UnreadableFile

PIECE = 2**20
LONGEST_VALUE = 16 * 2**20  # characters; Python holds a parsed value in up to fourteen times its text (measured)
CUT_OFF = 64  # an error this near the end of what was read may only be a token cut in two
SPACE = " \t\r\n"


class JsonStream:
    """A window over the text; it moves on with each item and keeps count of the lines left behind."""

    def __init__(self, pieces: Iterator[str], decoder: json.JSONDecoder) -> None:
        self._pieces = pieces
        self._decoder = decoder
        self._window = ""
        self._at = 0
        self._ended = False
        self._lines = 0  # in the text before the window
        self._column = 0  # characters before the window on its first line

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            while self._at < len(self._window) and self._window[self._at] in SPACE:
                self._at += 1
            if self._at < len(self._window) or not self._read_on():
                return self._window[self._at : self._at + 1]

    def items(self) -> Iterator[tuple[Any, int]]:
        """Each value with its length in characters. The stream stands at `[`."""
        self._at += 1
        more = self.peek() != "]" or self._goes_on("]")
        while more:
            yield self.value()
            more = self._goes_on("]")

    def fields(self) -> Iterator[str]:
        """Each key; its value is to be read before the next one is asked for. The stream stands at `{`."""
        self._at += 1
        more = self.peek() != "}" or self._goes_on("}")
        while more:
            if self.peek() != '"':
                raise self._broken("a key in double quotes is missing", self._at)
            key, _ = self.value()
            if self.peek() != ":":
                raise self._broken("a colon is missing", self._at)
            self._at += 1
            yield key
            more = self._goes_on("}")

    def _goes_on(self, end: str) -> bool:
        found = self.peek()
        if found not in (",", end):
            raise self._broken(f"a comma or “{end}” is missing", self._at)
        self._at += 1
        return found == ","

    def value(self) -> tuple[Any, int]:
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._window, self._at)
            except json.JSONDecodeError as error:
                if self._is_genuine(error) or not self._read_on():
                    raise self._broken(error.msg, error.pos) from error
            except RecursionError as error:
                raise UnreadableFile("The JSON is nested too deeply to be a table.") from error
            else:
                if end < len(self._window) or not self._read_on():
                    length, self._at = end - self._at, end
                    return value, length

    def expect_end(self) -> None:
        if self.peek():
            raise self._broken("there is more text after the end of the JSON", self._at)

    def _is_genuine(self, error: json.JSONDecodeError) -> bool:
        """Or is only the rest of the item missing from the window?"""
        whole = len(self._window) - self._at
        open_string = error.msg.startswith("Unterminated string")
        return whole > LONGEST_VALUE or (not open_string and error.pos < len(self._window) - CUT_OFF)

    def _read_on(self) -> bool:
        """Twice the window, so that a long item is not decoded again and again."""
        if self._ended:
            return False
        self._forget()
        wanted = max(PIECE, len(self._window))
        added: list[str] = []
        while wanted > 0 and (piece := next(self._pieces, "")):
            added.append(piece)
            wanted -= len(piece)
        self._ended = wanted > 0
        self._window += "".join(added)
        return bool(added)

    def _forget(self) -> None:
        self._lines, self._column = self._position(self._at)
        self._window, self._at = self._window[self._at :], 0

    def _position(self, at: int) -> tuple[int, int]:
        """Lines before a place in the window, and characters before it on its line."""
        newlines = self._window.count("\n", 0, at)
        if not newlines:
            return self._lines, self._column + at
        return self._lines + newlines, at - self._window.rfind("\n", 0, at) - 1

    def _broken(self, why: str, at: int) -> UnreadableFile:
        line, column = (place + 1 for place in self._position(at))
        why = why[:1].lower() + why[1:]
        return UnreadableFile(
            f"The JSON is broken at line {line:,}, column {column:,}: {why}.", line=line, column=column
        )
