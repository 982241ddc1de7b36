"""The learned part: boosted trees over a column's figures and a linear reading of its name, evaluated with NumPy.

The file is written by `python -m scores.train_feature_types`. Trees are arrays of bytes: which figure a node asks
(`feature`), from which of the figure's bins on one goes right (`bin`), and where to; a leaf points at itself.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers.feature_types.features import figures, name_places
from transformers.feature_types.summaries import ColumnSummary

if TYPE_CHECKING:
    import numpy as np

FILE = Path(__file__).with_name("model.npz")
COLUMNS_AT_ONCE = 128  # columns × trees × 8 bytes are held: some 3 MB
LEAST_CHANCE = 1e-3  # of the name's reading, before its logarithm


def probabilities(summaries: Sequence[ColumnSummary]) -> "np.ndarray[Any, Any]":
    """A row a column, a figure a feature type, in their order; each row adds up to 1."""
    import numpy as np

    some = [summaries[i : i + COLUMNS_AT_ONCE] for i in range(0, len(summaries), COLUMNS_AT_ONCE)]
    return np.concatenate([softmax(_raw(chunk)) for chunk in some])


@cache
def _model() -> dict[str, Any]:
    import numpy as np

    with np.load(FILE) as file:
        return {name: file[name] for name in file.files}


def _raw(summaries: Sequence[ColumnSummary]) -> "np.ndarray[Any, Any]":
    import numpy as np

    model = _model()
    named = name_chances(summaries, model["name_weights"], model["name_bias"])
    bins = _bins(np.hstack([figure_matrix(summaries), np.log(named + LEAST_CHANCE)]), model)
    nodes = np.zeros((len(summaries), len(model["feature"])), dtype=np.intp)
    trees, columns = np.arange(len(model["feature"])), np.arange(len(summaries))[:, None]
    for _ in range(int(model["depth"])):
        right = bins[columns, model["feature"][trees, nodes]] > model["bin"][trees, nodes]
        nodes = np.where(right, model["right"][trees, nodes], model["left"][trees, nodes]).astype(np.intp)
    leaves = model["value"][trees, nodes].astype(np.float64)
    classes = len(model["baseline"])
    return np.asarray(leaves.reshape(len(summaries), -1, classes).sum(axis=1) + model["baseline"])


def _bins(matrix: "np.ndarray[Any, Any]", model: dict[str, Any]) -> "np.ndarray[Any, Any]":
    import numpy as np

    ends = np.cumsum(model["thresholds_of"])
    edges = np.split(model["thresholds"], ends[:-1])
    return np.stack([np.searchsorted(edge, matrix[:, i]) for i, edge in enumerate(edges)], axis=1).astype(np.uint8)


def figure_matrix(summaries: Sequence[ColumnSummary]) -> "np.ndarray[Any, Any]":
    """Rounded to 32 bits, so that no machine's last bit moves a column to another bin."""
    import numpy as np

    return np.array([figures(summary) for summary in summaries], dtype=np.float32).astype(np.float64)


def name_chances(
    summaries: Sequence[ColumnSummary], weights: "np.ndarray[Any, Any]", bias: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    import numpy as np

    raw = [weights[name_places(summary)].astype(np.float64).sum(axis=0) + bias for summary in summaries]
    return softmax(np.array(raw))


def softmax(raw: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    import numpy as np

    powers = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
