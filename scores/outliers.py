"""Outliers on 21 sets of ADBench: how well the rows' scores of the outlier-remover rank what was labelled anomalous.

No labels are used. Rows are scored as the agent scores them: an isolation forest over all quantities, streamed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scores import workshop
from scores.measure import Measure, Score
from scores.public_data import data
from transformers.cells.columns import read_columns
from transformers.operations import DUCKDB_SHARE
from transformers.outliers.fences import Method, Rule, fences, quantities
from transformers.outliers.isolation import SEED
from transformers.outliers.rows import row_scores
from transformers.tables import database_over
from transformers.tool import PRIMARY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ranks = NDArray[np.float64]


def ranking() -> Iterator[Score]:
    areas, precisions, flagged, hits = [], [], 0, 0
    for path in sorted(data("outlier-adbench").glob("*.npz")):
        labels, scores, outside = _ranked(path)
        areas.append(_area(labels, scores))
        precisions.append(_precision(labels, scores))
        flagged, hits = flagged + int(outside.sum()), hits + int(labels[outside].sum())
        name = path.stem.split("_", 1)[1]
        yield Score(dataset=f"adbench {name}", metric="ROC-AUC of rows", ours=areas[-1], seed=SEED)
    mean = f"adbench, mean of {len(areas)}"
    yield Score(dataset=mean, metric="ROC-AUC of rows", ours=sum(areas) / len(areas), seed=SEED)
    yield Score(
        dataset=mean,
        metric="precision at n of rows (n: those labelled)",
        ours=sum(precisions) / len(precisions),
        seed=SEED,
    )
    yield Score(
        dataset="adbench, all rows",
        metric="precision of outside IQR 1.5",
        ours=hits / flagged,
        note=f"Why outliers are flagged and not removed: {flagged:,} rows have a cell outside.",
    )


def _ranked(path: Path) -> tuple[Any, "Ranks", Any]:
    """(labels, scores, whether a cell lies outside the fences), row by row."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as pc

    known = np.load(path)
    names = [f"m{i}" for i in range(known["X"].shape[1])]
    with workshop.scratch() as folder:
        file = folder / "data.csv"
        pc.write_csv(pa.table({name: known["X"][:, i] for i, name in enumerate(names)}), file)
        table = workshop.read(file, folder)
        with database_over({PRIMARY: table}, folder, int(workshop.CHILD_MEMORY * DUCKDB_SHARE)) as db:
            columns = quantities(read_columns(db, table))
            wide = fences(db, table.rows, columns, Rule(Method.PERCENTILE, lower=0, upper=100))
            scores = np.concatenate([scores for _, scores in row_scores(db, wide, table.rows)])
            narrow = fences(db, table.rows, columns, Rule(Method.IQR))
            either = " OR ".join(one.beyond(f"CAST({one.column.value} AS DOUBLE)") for one in narrow) or "false"
            outside = db.execute(f'SELECT {either} AS o FROM "primary" ORDER BY __source_row__').fetchnumpy()["o"]
    return known["y"].astype(int), scores, np.asarray(outside, dtype=bool)


def _area(labels: Any, scores: "Ranks") -> float:
    """Under the ROC curve: the chance that an anomaly ranks above another row, ties counted half."""
    import numpy as np

    _, places, times = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[places]
    positive = int(labels.sum())
    above = ranks[labels == 1].sum() - positive * (positive + 1) / 2
    return float(above / (positive * (len(labels) - positive)))


def _precision(labels: Any, scores: "Ranks") -> float:
    import numpy as np

    first = np.argsort(-scores, kind="stable")[: int(labels.sum())]
    return float(labels[first].mean())


MEASURES = (Measure("outliers-adbench", ranking),)
