"""`python -m scores.train_feature_types`: learn the feature types anew, and write the product's model file.

On the benchmark's train part only; what was chosen (trees against forests, their number and size) was chosen by
cross-validation within it: `python -m scores.train_feature_types check` shows the figure of what is written here.
"""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from scores.sortinghat import labelled_columns
from transformers.feature_types import ColumnSummary, FeatureType
from transformers.feature_types.features import NAME_PLACES, name_places
from transformers.feature_types.model import FILE, LEAST_CHANCE, figure_matrix

SEED = 0
FOLDS = 4
Matrix = NDArray[Any]


def main() -> None:
    summaries, labels = labelled_columns("train")
    kinds = np.array([list(FeatureType).index(label) for label in labels])
    figures, pieces = figure_matrix(summaries), name_matrix(summaries)
    if sys.argv[1:] == ["check"]:
        print(f"{cross_validated(figures, pieces, kinds):.4f} of the train part's columns, each left out once")
        return
    names, trees = learned(figures, pieces, kinds)
    np.savez_compressed(FILE, allow_pickle=False, **as_arrays(names, trees))
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")


def name_matrix(summaries: Sequence[ColumnSummary]) -> Any:
    places = [name_places(summary) for summary in summaries]
    starts = np.cumsum([0, *map(len, places)])
    return csr_matrix(
        (np.ones(starts[-1]), np.concatenate([np.array(p, dtype=int) for p in places]), starts),
        shape=(len(places), NAME_PLACES),
    )


def learned(figures: Matrix, pieces: Any, kinds: Matrix) -> tuple[Any, Any]:
    """The trees see what a reader of names said who had not seen the name's column."""
    unseen = cross_val_predict(name_reader(), pieces, kinds, cv=folds(), method="predict_proba")
    names = name_reader().fit(pieces, kinds)
    return names, boosted_trees().fit(joined(figures, unseen), kinds)


def joined(figures: Matrix, named: Matrix) -> Matrix:
    return np.hstack([figures, np.log(named + LEAST_CHANCE)])


def cross_validated(figures: Matrix, pieces: Any, kinds: Matrix) -> float:
    right = 0
    for seen, left_out in folds().split(figures, kinds):
        names, trees = learned(figures[seen], pieces[seen], kinds[seen])
        told = trees.predict(joined(figures[left_out], names.predict_proba(pieces[left_out])))
        right += int((told == kinds[left_out]).sum())
    return right / len(kinds)


def folds() -> Any:
    return StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)


def name_reader() -> Any:
    return LogisticRegression(C=3.0, max_iter=300)


def boosted_trees() -> Any:
    return HistGradientBoostingClassifier(
        learning_rate=0.08,
        max_iter=200,
        max_leaf_nodes=15,
        l2_regularization=1.0,
        max_features=0.3,
        random_state=SEED,
        early_stopping=False,
    )


def as_arrays(names: Any, trees: Any) -> dict[str, Matrix]:
    grown = [predictor.nodes for turn in trees._predictors for predictor in turn]  # noqa: SLF001  no public view of them
    thresholds = trees._bin_mapper.bin_thresholds_  # noqa: SLF001  the same
    width = max(map(len, grown))
    arrays: dict[str, Matrix] = {
        name: np.zeros((len(grown), width), dtype=np.uint8) for name in ("feature", "bin", "left", "right")
    } | {"value": np.zeros((len(grown), width), dtype=np.float32)}
    for i, nodes in enumerate(grown):
        _write(arrays, i, nodes)
    return arrays | {
        "depth": np.array(max(int(nodes["depth"].max()) for nodes in grown)),
        "baseline": trees._baseline_prediction.ravel(),  # noqa: SLF001  the same
        "thresholds": np.concatenate(thresholds),
        "thresholds_of": np.array([len(edges) for edges in thresholds]),
        "name_weights": names.coef_.T.astype(np.float16),
        "name_bias": names.intercept_,
    }


def _write(arrays: dict[str, Matrix], tree: int, nodes: Any) -> None:
    leaf, own, used = nodes["is_leaf"].astype(bool), np.arange(len(nodes)), slice(len(nodes))
    arrays["feature"][tree, used] = nodes["feature_idx"]
    arrays["bin"][tree, used] = nodes["bin_threshold"]
    arrays["left"][tree, used] = np.where(leaf, own, nodes["left"])
    arrays["right"][tree, used] = np.where(leaf, own, nodes["right"])
    arrays["value"][tree, used] = np.where(leaf, nodes["value"], 0)


if __name__ == "__main__":
    main()
