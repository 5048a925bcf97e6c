"""Every variant of the metrics that papers report under the same names, side by side from one predictions table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mer_tf.config import MerError
from mer_tf.evaluation.metrics import by_seed, class_names, class_values, confusion, fold_counts, scores
from mer_tf.notices import Notice, note

DEFINITIONS = {
    "pooled accuracy": "right clips / all clips, pooled over folds",
    "mean-of-folds accuracy": "unweighted mean of each fold's accuracy, however few clips a fold has",
    "best-fold accuracy": "accuracy of the best fold alone (chosen on its test clips: says nothing about new people)",
    "micro F1": "F1 of counts summed over classes; equals pooled accuracy when a clip has one class",
    "macro F1 (UF1)": "unweighted mean of the classes' F1, counts pooled over folds (MEGC)",
    "weighted F1": "mean of the classes' F1 weighted by their true clips",
    "mean-of-folds macro F1": "unweighted mean over folds of each fold's macro F1, over the classes that a fold has",
    "UAR": "unweighted mean of the classes' recalls, counts pooled over folds (balanced accuracy)",
    "mean-of-folds UAR": "unweighted mean over folds of each fold's UAR, over the classes that a fold has",
    "MCC": "Matthews correlation of truth and prediction (Gorodkin 2004); from -1 to 1, 0 is chance",
}
FAMILIES = {
    "accuracy": ("pooled accuracy", "mean-of-folds accuracy", "best-fold accuracy"),
    "F1": ("macro F1 (UF1)", "micro F1", "weighted F1", "mean-of-folds macro F1"),
    "recall": ("UAR", "mean-of-folds UAR"),
}
ALL, APART = "all", "variants_apart"


def metric_variants(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns dataset ("all", then each data set where there are several), metric, value (0..1; MCC -1..1), definition.

    A data set's rows are scored alone, over the classes that occur in it as truth. With several seeds a value is the
    mean of the seeds' values (the best fold is the best of each seed). Without a `fold` column the variants over folds
    are left out.
    """
    rows = []
    parts = [(ALL, frame)]
    if "dataset" in frame.columns and frame["dataset"].nunique() > 1:
        parts += [(str(name), part) for name, part in frame.groupby("dataset", sort=True)]
    for name, part in parts:
        values = pd.DataFrame([_values(seed) for _, seed in by_seed(part)]).mean()
        rows += [(name, metric, values[metric], text) for metric, text in DEFINITIONS.items() if metric in values]
    return pd.DataFrame(rows, columns=["dataset", "metric", "value", "definition"])


def variant_warnings(table: pd.DataFrame, points: float = 2.0) -> list[Notice]:
    """A notice for each family (accuracy, F1, recall) of a data set whose variants lie more than `points` apart."""
    said = []
    for name in table["dataset"].unique():
        values = table[table["dataset"] == name].set_index("metric")["value"]
        for family, members in FAMILIES.items():
            held = values[[m for m in members if m in values]].sort_values(ascending=False, kind="stable")
            if 100 * (held.iloc[0] - held.iloc[-1]) > points:
                listed = ", ".join(f"{metric} {value:.1%}" for metric, value in held.items())
                apart = 100 * (held.iloc[0] - held.iloc[-1])
                text = f"{name}: {family} variants lie up to {apart:.1f} points apart ({listed}); name the one given"
                said.append(note(APART, text))
    return said


def per_subject(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a subject: subject, dataset, n (clips), accuracy, UAR, most_confused ("truth as prediction (2 of 5)").

    UAR is over the classes that the subject has; several seeds are averaged, and counted together in `most_confused`.
    """
    if "subject" not in frame.columns:
        raise MerError(
            "the table has no subject column, so there is nothing to list by subject; name it with --subject"
        )
    classes = class_names(frame)
    rows = []
    for subject, part in frame.groupby("subject", sort=True):
        counts = np.stack([confusion(seed, classes) for _, seed in by_seed(part)])
        accuracy, uar, _ = scores(counts).mean(axis=0)
        home = part["dataset"].iloc[0] if "dataset" in part.columns else ""
        rows.append(
            (subject, home, part["clip_id"].nunique(), accuracy, uar, _most_confused(counts.sum(axis=0), classes))
        )
    return pd.DataFrame(rows, columns=["subject", "dataset", "n", "accuracy", "UAR", "most_confused"])


def _values(frame: pd.DataFrame) -> dict[str, float]:
    """The variants of one seed's rows. A class that is never true has no recall: it is left out of unweighted means."""
    counts = confusion(frame, sorted(set(frame["y_true"]) | set(frame["y_pred"])))
    accuracy, uar, uf1 = scores(counts)
    f1, support = class_values(counts)[2:]
    values = {
        "pooled accuracy": accuracy,
        "micro F1": accuracy,
        "macro F1 (UF1)": uf1,
        "weighted F1": np.average(f1, weights=support),
        "UAR": uar,
        "MCC": _correlation(counts.astype(float)),
    }
    if "fold" in frame.columns:
        folds = scores(fold_counts(frame, class_names(frame)))
        names = ("mean-of-folds accuracy", "mean-of-folds UAR", "mean-of-folds macro F1")
        values |= dict(zip(names, folds.mean(axis=0), strict=True)) | {"best-fold accuracy": folds[:, 0].max()}
    return {name: float(value) for name, value in values.items()}


def _correlation(counts: np.ndarray) -> float:
    """Matthews correlation; 0 where all is one class, of the truth or of the predictions."""
    n, hits, true, predicted = counts.sum(), np.trace(counts), counts.sum(axis=1), counts.sum(axis=0)
    spread = (n**2 - predicted @ predicted) * (n**2 - true @ true)
    return float((hits * n - true @ predicted) / np.sqrt(spread)) if spread else 0.0


def _most_confused(counts: np.ndarray, classes: Sequence[str]) -> str:
    """The most frequent error of counts (classes, classes), the first in class order among equals; "" without one."""
    errors = counts * (1 - np.eye(len(classes), dtype=int))
    row, column = np.unravel_index(errors.argmax(), errors.shape)
    if not errors[row, column]:
        return ""
    return f"{classes[row]} as {classes[column]} ({errors[row, column]} of {counts[row].sum()})"
