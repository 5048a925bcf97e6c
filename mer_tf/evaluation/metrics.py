"""Metrics of a predictions table. Accuracy never stands alone: UF1, UAR, n, intervals and the majority rate beside it.

UF1 is the unweighted mean of the classes' F1 and UAR the unweighted mean of their recalls, both from counts pooled
over folds (See et al., MEGC 2019, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from mer_tf.evaluation.statistics import cluster_bootstrap, permutation_p

SCORES = ("accuracy", "UAR", "UF1")


def class_names(frame: pd.DataFrame) -> list[str]:
    """Class order: that of the p_ columns, which follow the label protocol; else alphabetical."""
    columns = [c[2:] for c in frame.columns if c.startswith("p_")]
    seen = sorted(set(frame["y_true"]) | set(frame["y_pred"]))
    return columns if set(seen) <= set(columns) else seen


def confusion(frame: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Counts (classes, classes): row = true class, column = predicted class."""
    return confusion_matrix(frame["y_true"], frame["y_pred"], labels=list(classes))


def scores(counts: np.ndarray) -> np.ndarray:
    """(accuracy, UAR, UF1) of confusion counts (..., classes, classes), over the classes that occur as truth.

    A class that is never true has no recall; it is left out of both means.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1).astype(float)
    support, predicted = counts.sum(-1), counts.sum(-2)
    present = support > 0
    recall = np.divide(hits, support, out=np.zeros_like(hits), where=present)
    f1 = np.divide(2 * hits, support + predicted, out=np.zeros_like(hits), where=support + predicted > 0)
    number = np.maximum(present.sum(-1), 1)
    accuracy = hits.sum(-1) / np.maximum(support.sum(-1), 1)
    return np.stack([accuracy, (recall * present).sum(-1) / number, (f1 * present).sum(-1) / number], axis=-1)


def per_class(frame: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Precision, recall, F1 and support of each class, in class order."""
    names = ["precision", "recall", "F1", "support"]
    values = precision_recall_fscore_support(frame["y_true"], frame["y_pred"], labels=list(classes), zero_division=0)
    return pd.DataFrame(dict(zip(names, values, strict=True)), index=pd.Index(classes, name="class"))


def evaluate(frame: pd.DataFrame, *, bootstrap: int = 2000, permutations: int = 9999, seed: int = 0) -> dict[str, Any]:
    """Pooled metrics with 95 % intervals over subjects, majority rate and within-subject permutation p of the UAR.

    `frame` is a predictions table. Without a `subject` column each clip is its own cluster, and the result says so.
    """
    classes = class_names(frame)
    grouped = "subject" in frame.columns
    clusters = frame["subject"] if grouped else frame["clip_id"]
    index = {name: k for k, name in enumerate(classes)}
    true, predicted = frame["y_true"].map(index).to_numpy(), frame["y_pred"].map(index).to_numpy()
    low, high = cluster_bootstrap(true, predicted, clusters, len(classes), scores, draws=bootstrap, seed=seed)
    p_value = permutation_p(true, predicted, clusters if grouped else None, len(classes), draws=permutations, seed=seed)
    values = scores(confusion(frame, classes))
    result: dict[str, Any] = {
        name: {"pooled": _short(v), "ci95": [_short(a), _short(b)]}
        for name, v, a, b in zip(SCORES, values, low, high, strict=True)
    }
    result |= {
        "n": len(frame),
        "subjects": int(clusters.nunique()) if grouped else None,
        "interval_over": "subjects" if grouped else "clips (no subject column)",
        "classes": classes,
        "majority_rate": _short(frame["y_true"].value_counts(normalize=True).iloc[0]),
        "chance_UAR": _short(1 / max(frame["y_true"].nunique(), 1)),
        "permutation_p_UAR": p_value,
        "per_class": per_class(frame, classes).round(6).to_dict("index"),
    }
    if "fold" in frame.columns:
        by_fold = [scores(confusion(part, classes)) for _, part in frame.groupby("fold")]
        result["mean_of_folds"] = {name: _short(v) for name, v in zip(SCORES, np.mean(by_fold, axis=0), strict=True)}
    return result


def _short(value: float) -> float:
    return round(float(value), 6)
