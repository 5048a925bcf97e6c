"""What a table needs beside a model: how far the onset frame alone gets, which shows no expression yet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mer_tf.training.batches import FeatureStore


def onset_frame_probabilities(
    store: FeatureStore, train: Sequence[str], labels: Sequence[int], test: Sequence[str], classes: int
) -> np.ndarray:
    """Probabilities (test clips, classes) of a logistic regression on standardised features of each first frame.

    train, test: clip ids; labels: class indices of `train`. A class without training clip gets probability 0. Far
    above chance means that something other than motion tells the classes apart.
    """

    def first(clips: Sequence[str]) -> np.ndarray:
        return np.stack([store.clip(c)[0].reshape(-1) for c in clips])

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    model.fit(first(train), labels)
    shares = np.zeros((len(test), classes))
    shares[:, model.classes_] = model.predict_proba(first(test))
    return shares
