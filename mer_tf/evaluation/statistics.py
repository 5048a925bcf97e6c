"""Uncertainty over subjects, not clips: clips of one face are not independent draws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd


def cluster_bootstrap(
    true: np.ndarray,
    predicted: np.ndarray,
    clusters: pd.Series,
    classes: int,
    score: Callable[[np.ndarray], np.ndarray],
    *,
    draws: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """95 % percentile interval of `score` when whole clusters (subjects) are drawn with replacement.

    true, predicted: class indices (n,). `score` maps confusion counts (draws, classes, classes) to (draws, scores).
    Returns (low, high), each (scores,). Source: Field & Welsh, JRSS B 2007 (cluster bootstrap).
    """
    codes = pd.factorize(clusters)[0]
    counts = np.zeros((codes.max() + 1, classes, classes))
    np.add.at(counts, (codes, true, predicted), 1)
    drawn = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=draws)
    values = score(np.tensordot(drawn, counts, axes=1))
    low, high = np.percentile(values, [2.5, 97.5], axis=0)
    return low, high


def permutation_p(
    true: np.ndarray, predicted: np.ndarray, clusters: pd.Series | None, classes: int, *, draws: int, seed: int
) -> float:
    """One-sided p that the UAR is no better than when predictions are shuffled among the clips of each cluster.

    Shuffling within subjects keeps what a model knows of a person, and tests only what it knows of the expression.
    p = (1 + shuffles at least as good) / (1 + draws), never 0 (Phipson & Smyth 2010).
    """
    rng = np.random.default_rng(seed)
    groups = np.zeros(len(true), int) if clusters is None else pd.factorize(clusters)[0]
    present, support = np.unique(true, return_counts=True)
    weight = np.zeros(classes)
    weight[present] = 1 / (support * len(present))
    observed = weight[true[true == predicted]].sum()
    order = np.argsort(groups, kind="stable")
    held_true, held_predicted, held_groups = true[order], predicted[order], groups[order]
    at_least = 0
    for _ in range(draws):
        shuffled = held_predicted[np.lexsort((rng.random(len(true)), held_groups))]
        at_least += weight[held_true[held_true == shuffled]].sum() >= observed - 1e-12
    return (1 + int(at_least)) / (1 + draws)
