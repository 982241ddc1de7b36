"""The decisions for a part's clusters as arrays by cluster and column, and as the lines that are written of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from transformers.mastering.decision import Decision
from transformers.mastering.members import Part

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]


class Fields:
    """A place is that of the winning row within its cluster, -1 where the field stays empty."""

    def __init__(self, part: Part) -> None:
        import numpy as np

        shape = (len(part.clusters), len(part.cells))
        self._part = part
        self._place = np.full(shape, -1, np.int64)
        self._told, self._values = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        self._confidence = np.ones(shape)
        self._rule = np.zeros(shape, np.int64)
        self._rules: list[str] = []

    def put(self, cluster: int, column: int, made: Decision) -> None:
        self.put_all(
            cluster,
            column,
            made.rule,
            place=-1 if made.place is None else made.place,
            told=made.told,
            values=made.values,
            confidence=round(made.confidence, 4),
        )

    def put_all(self, at: Any, column: int, rule: str, *, place: Any, told: Any, values: Any, confidence: Any) -> None:
        """The same for one column of many clusters."""
        if rule not in self._rules:
            self._rules.append(rule)
        self._place[at, column] = place
        self._told[at, column] = told
        self._values[at, column] = values
        self._confidence[at, column] = confidence
        self._rule[at, column] = self._rules.index(rule)

    def get(self, cluster: int, column: int) -> Decision:
        at = cluster, column
        place = int(self._place[at])
        return Decision(
            place=None if place < 0 else place,
            rule=self._rules[self._rule[at]],
            confidence=float(self._confidence[at]),
            told=int(self._told[at]),
            values=int(self._values[at]),
        )

    def winners(self, column: int) -> "Numbers":
        """By cluster the code of the winning text, -1 where there is none."""
        return self._codes(column, self._rows()[:, column])

    def _rows(self) -> "Numbers":
        """By cluster and column the winning row's place in the part, -1 where there is none."""
        import numpy as np

        return np.where(self._place < 0, -1, self._part.starts[:, None] + self._place)

    def _codes(self, column: int, rows: "Numbers") -> "Numbers":
        import numpy as np

        return np.where(rows < 0, -1, self._part.cells[column].codes[rows])

    def lines(self, names: Sequence[str], schema: "pa.Schema") -> "pa.RecordBatch":
        """By cluster, then column, where some row has a value."""
        import numpy as np
        import pyarrow as pa

        cluster, column = np.nonzero(self._told)
        at = cluster, column
        row = self._rows()[at]
        arrays = [
            pa.array(self._part.clusters[cluster]),
            pa.array(names, pa.string()).take(pa.array(column)),
            self._texts(column, row),
            pa.array(self._part.rows[row], mask=row < 0),
            pa.array(self._rules, pa.string()).take(pa.array(self._rule[at])),
            pa.array(self._confidence[at]),
            pa.array(self._told[at].astype(np.int32)),
            pa.array(self._values[at].astype(np.int32)),
        ]
        return pa.record_batch(arrays, schema=schema)

    def _texts(self, column: "Numbers", row: "Numbers") -> "pa.Array":
        """Taken column by column, then laid in the order of the lines."""
        import numpy as np
        import pyarrow as pa

        lines = [np.flatnonzero(column == place) for place in range(len(self._part.cells))]
        taken = []
        for place, own in enumerate(lines):
            codes = self._codes(place, row[own])
            taken.append(self._part.cells[place].texts.take(pa.array(codes, mask=codes < 0)))
        order = np.argsort(np.concatenate(lines))
        return pa.concat_arrays(taken).take(pa.array(order))
