"""How many rows a Parquet file has, by its footer alone, without a heavy library: for whoever asks before the work.

The footer is a Thrift structure in the compact protocol; the rows are its third field, behind the schema.
"""

from typing import IO

TAIL = 8  # the footer's length, little-endian, and PAR1
MOST_BYTES = 1 << 20  # of a footer, up to the rows: the schema of 2,000 columns has about 100 KB
ROWS_FIELD = 3
_STOP, _TRUE, _FALSE, _BYTE, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12
_INTEGERS = (4, 5, _I64)  # i16, i32, i64
_DEEPEST = 32
_MOST_VALUES = 250_000  # up to the rows; 20,000 columns have 160,000
_LONGEST_NUMBER = 10  # bytes, of seven bits each: 64 bits
_LONG = 15  # a list that is longer says so in a number of its own


def rows_of(file: IO[bytes]) -> int | None:
    """None where the footer is not understood: intake says what is wrong with it."""
    size = file.seek(0, 2)
    if size <= 2 * TAIL:
        return None
    file.seek(size - TAIL)
    length = int.from_bytes(file.read(4), "little")
    if length > size - TAIL:
        return None
    file.seek(size - TAIL - length)
    try:
        return _Footer(file.read(min(length, MOST_BYTES))).rows()
    except (IndexError, ValueError):
        return None


class _Footer:
    """Raises IndexError or ValueError where it is cut or is none."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0
        self._values_left = _MOST_VALUES

    def rows(self) -> int | None:
        field = 0
        while True:
            field, kind = self._field_after(field)
            if kind == _STOP:
                return None
            if field == ROWS_FIELD:
                return self._signed() if kind == _I64 else None
            self._skip(kind, 0)

    def _field_after(self, before: int) -> tuple[int, int]:
        """Its number and type: a short step from the one before, or a number of its own."""
        byte = self._byte()
        step, kind = byte >> 4, byte & 0x0F
        return (before + step if step or kind == _STOP else self._signed()), kind

    def _skip(self, kind: int, depth: int) -> None:
        self._values_left -= 1
        if depth > _DEEPEST or not self._values_left:
            raise ValueError("nested too deeply, or endless")
        if kind in _INTEGERS:
            self._unsigned()
        elif kind in (_BYTE, _DOUBLE):
            self._forward(1 if kind == _BYTE else 8)
        elif kind == _BINARY:
            self._forward(self._unsigned())
        elif kind in (_LIST, _SET):
            self._skip_list(depth)
        elif kind == _STRUCT:
            self._skip_struct(depth)
        elif kind not in (_TRUE, _FALSE):
            raise ValueError("a type that no footer has")

    def _skip_list(self, depth: int) -> None:
        byte = self._byte()
        count = byte >> 4 if byte >> 4 < _LONG else self._unsigned()
        for _ in range(count):
            kind = byte & 0x0F
            self._skip(_BYTE if kind in (_TRUE, _FALSE) else kind, depth + 1)  # a truth in a list takes a byte

    def _skip_struct(self, depth: int) -> None:
        field, kind = self._field_after(0)
        while kind != _STOP:
            self._skip(kind, depth + 1)
            field, kind = self._field_after(field)

    def _byte(self) -> int:
        byte = self._body[self._at]
        self._at += 1
        return byte

    def _forward(self, length: int) -> None:
        self._at += length
        if self._at > len(self._body):
            raise IndexError("cut")

    def _unsigned(self) -> int:
        value = 0
        for place in range(_LONGEST_NUMBER):
            byte = self._byte()
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:  # noqa: PLR2004 (the last seven bits)
                return value
        raise ValueError("a number that is too long")

    def _signed(self) -> int:
        """Zigzag: 0, -1, 1, -2 …"""
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)
