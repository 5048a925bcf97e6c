"""Metrics of a predictions table. Accuracy never stands alone: UF1, UAR, n, intervals and the majority rate beside it.

UF1 is the unweighted mean of the classes' F1 and UAR the unweighted mean of their recalls, both from counts pooled
over folds (See et al., MEGC 2019, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mer_tf.evaluation.outcomes import Outcomes, outcomes
from mer_tf.evaluation.resampling import cluster_interval, permutation_p

SCORES = ("accuracy", "UAR", "UF1")


def class_names(frame: pd.DataFrame) -> list[str]:
    """Class order: that of the p_ columns, which follow the label protocol; else alphabetical."""
    columns = [c[2:] for c in frame.columns if c.startswith("p_")]
    seen = sorted(set(frame["y_true"]) | set(frame["y_pred"]))
    return columns if set(seen) <= set(columns) else seen


def confusion(frame: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Counts (classes, classes): row = true class, column = predicted class."""
    index, counts = pd.Index(classes), np.zeros((len(classes), len(classes)), dtype=int)
    true, predicted = (index.get_indexer(pd.Index(frame[name])) for name in ("y_true", "y_pred"))
    known = (true >= 0) & (predicted >= 0)
    np.add.at(counts, (true[known], predicted[known]), 1)
    return counts


def row_shares(counts: np.ndarray) -> np.ndarray:
    """Each row of confusion counts as shares of its true class; zeros where the class has no clip."""
    support = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, support, out=np.zeros(counts.shape), where=support > 0)


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


def class_values(counts: np.ndarray) -> np.ndarray:
    """Precision, recall, F1 and support (4, classes) of confusion counts; 0 where there is nothing to divide by."""
    hits, support, predicted = np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)
    parts, wholes = np.stack([hits, hits, 2 * hits]), np.stack([predicted, support, support + predicted])
    shares = np.divide(parts, wholes, out=np.zeros(parts.shape), where=wholes > 0)
    return np.concatenate([shares, support[None]])


def seed_scores(counts: np.ndarray) -> np.ndarray:
    """Scores of counts (..., seeds, classes, classes), averaged over the seeds: (..., 3)."""
    return scores(counts).mean(axis=-2)


def per_class(frame: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Precision, recall, F1 and support (clips) of each class, in class order; the mean over seeds."""
    values = [class_values(confusion(part, classes)) for _, part in by_seed(frame)]
    names = ["precision", "recall", "F1", "support"]
    columns = np.mean(values, axis=0)
    return pd.DataFrame(dict(zip(names, columns, strict=True)), index=pd.Index(classes, name="class"))


def by_seed(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each seed, by its name; one part, named "", where there is no seed column."""
    if "seed" not in frame.columns:
        return [("", frame)]
    return [(str(name), part) for name, part in frame.groupby("seed", sort=True)]


def fold_counts(frame: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Confusion counts (folds, classes, classes) of each fold of each seed; the table must have a `fold` column."""
    keys = [c for c in ("seed", "fold") if c in frame.columns]
    index = {name: k for k, name in enumerate(classes)}
    folds = frame.groupby(keys, sort=True).ngroup().to_numpy()
    counts = np.zeros((folds.max() + 1, len(classes), len(classes)), dtype=int)
    np.add.at(counts, (folds, frame["y_true"].map(index).to_numpy(int), frame["y_pred"].map(index).to_numpy(int)), 1)
    return counts


def evaluate(frame: pd.DataFrame, *, bootstrap: int = 2000, permutations: int = 9999, seed: int = 0) -> dict[str, Any]:
    """Pooled metrics with 95 % intervals over subjects, majority rate and within-subject permutation p of the UAR.

    `frame` is a predictions table; the order of its rows does not matter. Several seeds (repeated trainings on the same
    clips) are averaged, in every bootstrap draw and shuffle as well, and their standard deviation is given. Without a
    `subject` column each clip is its own cluster, and the result says so. Intervals: `resampling.cluster_interval`.
    """
    classes = class_names(frame)
    found = outcomes(frame, classes)
    counts = found.counts()
    each = scores(counts.sum(axis=0))
    low, high = cluster_interval(counts, seed_scores, draws=bootstrap, seed=seed)
    result: dict[str, Any] = {
        name: {"pooled": _short(v), "ci95": [_short(a), _short(b)]}
        for name, v, a, b in zip(SCORES, each.mean(axis=0), low, high, strict=True)
    }
    result |= {"seeds": len(each)}
    if len(each) > 1:
        result["sd_over_seeds"] = _named(each.std(axis=0, ddof=1))
    result |= _described(found, classes)
    people = found.clusters if found.grouped else None
    shuffled = permutation_p(found.true, found.predicted, people, len(classes), draws=permutations, seed=seed)
    result |= {
        "permutation_p_UAR": shuffled,
        "per_class": per_class(frame, classes).round(6).to_dict("index"),
    }
    if "fold" in frame.columns:
        result["mean_of_folds"] = _named(scores(fold_counts(frame, classes)).mean(axis=0))
    return result


def score_columns(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What `evaluate` gives as cells of a table's row: n, subjects, each score with its interval (UAR, UAR_low,
    UAR_high), majority_rate, and chance, the UAR without skill."""
    row: dict[str, Any] = {"n": metrics["n"], "subjects": metrics["subjects"]}
    for name in SCORES:
        low, high = metrics[name]["ci95"]
        row |= {name: metrics[name]["pooled"], f"{name}_low": low, f"{name}_high": high}
    return row | {"majority_rate": metrics["majority_rate"], "chance": metrics["chance_UAR"]}


def _described(found: Outcomes, classes: Sequence[str]) -> dict[str, Any]:
    support = np.bincount(found.true)
    return {
        "n": len(found.clips),
        "subjects": found.subjects,
        "interval_over": "subjects" if found.grouped else "clips (no subject column)",
        "classes": list(classes),
        "majority_rate": _short(support.max() / support.sum()),
        "chance_UAR": _short(1 / np.count_nonzero(support)),
    }


def by_name(values: np.ndarray) -> dict[str, float]:
    """Values (3,) of `SCORES` by their names."""
    return dict(zip(SCORES, map(float, values), strict=True))


def _named(values: np.ndarray) -> dict[str, float]:
    return {name: _short(v) for name, v in by_name(values).items()}


def _short(value: float) -> float:
    return round(float(value), 6)
