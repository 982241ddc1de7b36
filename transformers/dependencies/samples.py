"""The rows that dependencies are looked for in, as codes: all of them, or a sample by a rule that can be said.

A sample of rows tears groups apart, so that a left side with many values is sampled by value: every row of one
value in `step` (by its hash), which keeps each group whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.dependencies.agreement import coded
from transformers.tables import SOURCE_ROW, quoted

if TYPE_CHECKING:
    import duckdb

    from transformers.dependencies.agreement import Codes

FEW_VALUES = 2000  # a left side with fewer has groups so large that a sample of rows leaves them their say


@dataclass(frozen=True)
class Sample:
    """`values`: SQL for each column, NULL where there is no cell. One row, or one value, in `step` is read."""

    relation: str
    values: Mapping[str, str]
    rows: int
    most_rows: int

    @property
    def step(self) -> int:
        return max(1, -(-self.rows // self.most_rows))

    def of_rows(self, db: "duckdb.DuckDBPyConnection") -> "dict[str, Codes]":
        return self._read(db, f"hash({SOURCE_ROW}) % {self.step} = 0")

    def of_groups(
        self, db: "duckdb.DuckDBPyConnection", name: str, wanted: Sequence[str] | None = None
    ) -> "dict[str, Codes]":
        """`wanted`: the columns that are read; all of them, where none is named."""
        return self._read(db, f"hash({self.values[name]}) % {self.step} = 0", wanted)

    def _read(
        self, db: "duckdb.DuckDBPyConnection", chosen: str, wanted: Sequence[str] | None = None
    ) -> "dict[str, Codes]":
        import numpy as np

        values = {name: self.values[name] for name in wanted or self.values}
        cells = ", ".join(
            f"CASE WHEN ({sql}) IS NULL THEN 0 ELSE hash({sql}) END AS c{place}"
            for place, sql in enumerate(values.values())
        )
        where = f"WHERE {chosen}" if self.step > 1 else ""
        most = 2 * self.most_rows  # one value with most of the rows is not read whole
        read = db.execute(
            f"SELECT {cells} FROM {quoted(self.relation)} {where} ORDER BY {SOURCE_ROW} LIMIT {most}"
        ).fetchnumpy()
        return {name: coded(np.asarray(read[f"c{place}"])) for place, name in enumerate(values)}
