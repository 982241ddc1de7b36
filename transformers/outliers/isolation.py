"""Rows that stand alone though no single cell does: an isolation forest (Liu, Ting and Zhou 2008), in NumPy.

Grown on a hash-chosen sample with a fixed seed, so the same table gives the same scores. Rows are scored as they
stream by: what is held is a forest of some hundred kilobytes and one batch.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

SEED = 20081215  # the month of the paper; any number would do
TREES, ROWS_A_TREE, DEPTH = 100, 256, 8  # the paper's: more of either changes little
NODES = 2 ** (DEPTH + 1) - 1
EULER = 0.5772156649


@dataclass(frozen=True)
class Forest:
    """Complete binary trees in arrays: `column` -1 is a leaf, `length` its path."""

    column: "NDArray[np.int64]"  # trees x nodes
    cut: "Matrix"
    length: "Matrix"
    usual: float  # the mean path of a search that finds nothing

    def scores(self, matrix: "Matrix") -> "Matrix":
        """0.5 is ordinary, towards 1 alone. One a row."""
        import numpy as np

        rows = np.arange(len(matrix))
        total = np.zeros(len(matrix))
        for column, cut, length in zip(self.column, self.cut, self.length, strict=True):
            node = np.zeros(len(matrix), dtype=np.int64)
            for _ in range(DEPTH):
                asked = column[node]
                down = 2 * node + 1 + (matrix[rows, np.maximum(asked, 0)] >= cut[node])
                node = np.where(asked >= 0, down, node)
            total += length[node]
        scores: Matrix = 2.0 ** (-total / TREES / self.usual)
        return scores


def grown(sample: "Matrix") -> Forest:
    """On complete rows of finite numbers, two of them at least."""
    import numpy as np

    chance = np.random.default_rng(SEED)
    size = min(ROWS_A_TREE, len(sample))
    forest = Forest(
        column=np.full((TREES, NODES), -1, dtype=np.int64),
        cut=np.zeros((TREES, NODES)),
        length=np.zeros((TREES, NODES)),
        usual=_mean_path(size),
    )
    for tree in range(TREES):
        chosen = sample[chance.choice(len(sample), size, replace=False)]
        _grow(forest, tree, chosen, chance)
    return forest


def _grow(forest: Forest, tree: int, rows: "Matrix", chance: "np.random.Generator") -> None:
    waiting = [(0, 0, rows)]
    while waiting:
        node, depth, here = waiting.pop()
        low, high = (here.min(axis=0), here.max(axis=0)) if len(here) else (here.sum(axis=0), here.sum(axis=0))
        able = (high > low).nonzero()[0]
        if depth == DEPTH or len(here) <= 1 or not len(able):
            forest.length[tree, node] = depth + _mean_path(len(here))
            continue
        column = able[chance.integers(len(able))]
        cut = chance.uniform(low[column], high[column])
        forest.column[tree, node], forest.cut[tree, node] = column, cut
        above = here[:, column] >= cut
        waiting += [(2 * node + 2, depth + 1, here[above]), (2 * node + 1, depth + 1, here[~above])]


def _mean_path(n: int) -> float:
    """Of an unsuccessful search in a binary tree of n."""
    import math

    if n <= 1:
        return 0.0
    return 2 * (math.log(n - 1) + EULER) - 2 * (n - 1) / n if n > 2 else 1.0  # noqa: PLR2004  two have one cut
