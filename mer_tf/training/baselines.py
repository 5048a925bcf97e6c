"""What a table needs beside a model: how far the onset frame alone gets, which shows no expression yet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mer_tf.descriptors.classifiers import fitted
from mer_tf.evaluation.folds import Fold
from mer_tf.inputs.batches import Store

PROBE = 64
"""Directions that the self-test's probe sees."""
PENALTY = 10.0
"""Of its ridge regression."""


def onset_frame_probabilities(
    store: Store, train: Sequence[str], labels: Sequence[int] | np.ndarray, test: Sequence[str], classes: int
) -> np.ndarray:
    """Probabilities (test clips, classes) of a logistic regression on standardised features of each first frame.

    train, test: clip ids; labels: class indices of `train`. A class without training clip gets probability 0. Far
    above chance means that something other than motion tells the classes apart.
    """

    def first(clips: Sequence[str]) -> np.ndarray:
        return np.stack([store.vectors(c, slice(1))[0] for c in clips])

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    model = fitted(model, first(train), np.asarray(labels))
    shares = np.zeros((len(test), classes))
    shares[:, model.classes_] = model.predict_proba(first(test))
    return shares


def motion_probe_uars(
    store: Store, clips: Sequence[str], folds: Sequence[Fold], labels: np.ndarray, shuffles: int, seed: int
) -> list[float]:
    """UAR of a linear probe on each clip's mean motion, its labels dealt anew each time: chance, if nothing leaks.

    labels: class indices of `clips`. A probe, not the network, so that every run can afford it: ridge regression on
    the mean of a clip's features minus its first frame's, drawn down to 64 fixed random directions; one fit a fold
    for all deals. A deal by which no fold trains two classes scores chance.
    """
    rng = np.random.default_rng(seed)
    motion = np.stack([(v - v[:1]).mean(axis=0) for v in map(store.vectors, clips)])
    motion = motion @ rng.normal(size=(motion.shape[1], PROBE)) if motion.shape[1] > PROBE else motion
    dealt = np.stack([rng.permutation(labels) for _ in range(shuffles)], axis=1)
    answers = np.eye(dealt.max() + 1)[dealt]
    found, tested = np.zeros_like(dealt), np.zeros(dealt.shape, bool)
    for fold in folds:
        train, test = list(fold.train), list(fold.test)
        model = make_pipeline(StandardScaler(), Ridge(PENALTY)).fit(
            motion[train], answers[train].reshape(len(train), -1)
        )
        found[test] = model.predict(motion[test]).reshape(len(test), *answers.shape[1:]).argmax(axis=-1)
        tested[test] = (dealt[train] != dealt[train[0]]).any(axis=0)
    return [_uar(*deal) for deal in zip(dealt.T, found.T, tested.T, strict=True)]


def _uar(labels: np.ndarray, found: np.ndarray, tested: np.ndarray) -> float:
    if not tested.any():
        return 1 / len(set(labels.tolist()))
    return float(recall_score(labels[tested], found[tested], average="macro", zero_division=0))
