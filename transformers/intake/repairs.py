"""The log of what had to be mended: counted over all rows, the first of them named."""

from dataclasses import dataclass, field

from transformers.tables import Repair

ROWS_NAMED = 100  # enough to find the pattern; the count says how many there are

SENTENCES = {
    "ragged_short": "Rows with fewer cells than the table has columns: {count}. Their missing cells are null.",
    "ragged_long": "Rows with extra empty cells at the end: {count}. The extra cells were left out.",
    "rejected": "Rows set aside because they do not fit the table: {count}. The rejects file holds them.",
    "foreign_delimiter": "Rows separated by another character than the table's: {count}. They were read by it.",
    "repeated_header": "Rows that repeat the header: {count}. They were set aside; the rejects file holds them.",
    "below_table": "Lines below the table that are not part of it: {count}. They were set aside; the rejects file "
    "holds them.",
    "broken_quote": "Rows with a quotation mark out of place: {count}. They were read line by line.",
    "mixed_encoding": "Rows with bytes that are not UTF-8: {count}. Those bytes were read as Windows-1252.",
    "nul_removed": "Rows with NUL characters: {count}. The NUL characters were removed.",
    "duplicate_key": "Rows in which one object names the same key twice: {count}. The last value was kept.",
    "broken_character": "Rows with half of a surrogate pair: {count}. It was replaced by the character U+FFFD.",
}


@dataclass
class RepairLog:
    """Kinds in the order in which they were first met."""

    _counts: dict[str, int] = field(default_factory=dict)
    _rows: dict[str, list[int]] = field(default_factory=dict)
    _told: list[Repair] = field(default_factory=list)

    def note(self, kind: str, row: int) -> None:
        """One row of a kind in SENTENCES."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        rows = self._rows.setdefault(kind, [])
        if len(rows) < ROWS_NAMED:
            rows.append(row)

    def tell(self, kind: str, message: str, count: int = 1) -> None:
        """Something about the file as a whole."""
        self._told.append(Repair(kind=kind, message=message, count=count))

    def repairs(self) -> tuple[Repair, ...]:
        noted = (
            Repair(kind=kind, message=SENTENCES[kind].format(count=count), count=count, rows=tuple(self._rows[kind]))
            for kind, count in self._counts.items()
        )
        return (*self._told, *noted)
