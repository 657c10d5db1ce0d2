"""Whether two sets lie apart in a space: classifiers that are tested on runs that they never saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from zoo.errors import DataError

#: Parts of the cross-validation, at most.
FOLDS = 5
#: Resamplings of runs.
DRAWS = 200


@dataclass(frozen=True)
class Separation:
    """How well a classifier tells two sets apart.

    Args:
        auc: share of pairs, one of each set, that are put in the right order; ½ by chance.
        auc_error: bootstrap over runs.
        accuracy: mean of the shares of both sets that are named rightly; ½ by chance.
        accuracy_error: bootstrap over runs.
        score: `[n]` of each row, from a classifier that did not see its run; above 0 for the second set.
    """

    auc: float
    auc_error: float
    accuracy: float
    accuracy_error: float
    score: np.ndarray


def separation(
    values: np.ndarray, second: np.ndarray, run: np.ndarray, *, seed: int = 0
) -> dict[str, Separation]:
    """Cross-validate a linear classifier and one with a Gaussian kernel on two sets.

    Logistic regression, and a support vector machine; columns are standardised. Whole runs are held out, so
    that a frame is never named by its neighbour in time.

    Args:
        values: `[n, d]`.
        second: `[n]` whether a row is of the second set.
        run: `[n]` independent run of each row; those of the two sets have numbers of their own.
        seed: of the parts and resamplings.

    Returns:
        By classifier: `linear`, `kernel`.

    Raises:
        DataError: a set has fewer than two runs.
    """
    x, label = np.asarray(values, np.float64), np.asarray(second, bool)
    runs = [np.unique(run[label == side]) for side in (False, True)]
    folds = min(FOLDS, *(len(r) for r in runs))
    if folds < 2:
        raise DataError("to tell two sets apart takes two independent runs of each, or more")
    kinds = {
        "linear": LogisticRegression(C=0.1, max_iter=2000, class_weight="balanced"),
        "kernel": SVC(class_weight="balanced"),
    }
    splits = list(StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(x, label, run))
    out = {}
    for name, kind in kinds.items():
        model, score = make_pipeline(StandardScaler(), kind), np.full(len(x), np.nan)
        for train, test in splits:
            score[test] = model.fit(x[train], label[train]).decision_function(x[test])
        out[name] = _scored(score, label, run, runs, seed)
    return out


def area(second: np.ndarray, score: np.ndarray) -> float:
    """Return the share of pairs, one of each set, whose scores are in the right order; ties count half."""
    ranks, n = rankdata(score), int(second.sum())
    return float((ranks[second].sum() - n * (n + 1) / 2) / (n * (len(score) - n)))


def _scored(
    score: np.ndarray, label: np.ndarray, run: np.ndarray, runs: list[np.ndarray], seed: int
) -> Separation:
    rng = np.random.default_rng(seed)
    rows = {int(r): np.flatnonzero(run == r) for r in np.unique(run)}
    drawn = []
    for _ in range(DRAWS):
        picked = np.concatenate([rows[int(r)] for side in runs for r in rng.choice(side, len(side))])
        drawn.append(_both(label[picked], score[picked]))
    error = np.std(drawn, axis=0, ddof=1)
    auc, accuracy = _both(label, score)
    return Separation(auc, float(error[0]), accuracy, float(error[1]), score)


def _both(label: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    named = score > 0
    return area(label, score), float((named[label].mean() + (~named[~label]).mean()) / 2)
