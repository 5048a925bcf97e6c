"""Classical systems on the bench: a scikit-learn pipeline on descriptors stands where a Keras model is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import confusion_matrix
from sklearn.pipeline import Pipeline

from mer_tf.descriptors import Classical, SubjectIdentity
from mer_tf.descriptors.classifiers import class_shares, classifier, fitted
from mer_tf.evaluation.folds import inner_folds
from mer_tf.evaluation.metrics import by_name, scores
from mer_tf.inputs.descriptors import DescribedStore
from mer_tf.protocols.workbench import Workbench


class ClassicalBench(Workbench):
    """Descriptors and pipelines of one experiment. Labels enter through the arguments of `fit` alone."""

    store: DescribedStore

    @property
    def method(self) -> Classical:
        assert isinstance(self.experiment.model, Classical)
        return self.experiment.model

    def fit(self, rows: Sequence[int], labels: np.ndarray, seed: int) -> tuple[Pipeline, dict[str, Any]]:
        """Fit on the clips `rows` with class indices `labels`; the pipeline, and what was chosen (for choice.json).

        Where several penalties are offered, that of the best UAR pooled over inner folds of the training subjects is
        taken, of equals the smallest.
        """
        offered = sorted(self.method.C) or [self.method.penalty]
        pipelines = [classifier(self.method, c, seed) for c in offered]
        features, table = self.features(rows), []
        if len(offered) > 1:
            subjects = self.clips["subject"].iloc[list(rows)].tolist()
            found = [inner_scores(p, features, labels, subjects, self.experiment.search.folds) for p in pipelines]
            table = [{"C": c} | f for c, f in zip(offered, found, strict=True)]
        best = int(np.argmax([row["UAR"] for row in table])) if table else 0
        chosen = fitted(pipelines[best], features, labels)
        return chosen, {"method": self.method.name, "chosen": steps_of(chosen), "inner": table}

    def predict(self, model: Any, rows: Sequence[int]) -> np.ndarray:
        return class_shares(model, self.features(rows), len(self.classes))

    def features(self, rows: Sequence[int]) -> np.ndarray:
        """Vectors (len(rows), D) of clips; one-hot subjects, or a constant, for methods that look at no pixel."""
        if self.method.described_by:
            return self.store.features(self.ids(rows))
        return blind_features(self.method, self.clips)[list(rows)]


def blind_features(method: Classical, clips: pd.DataFrame) -> np.ndarray:
    """What a method that looks at no pixel is given, (len(clips), D): one-hot subjects, or a constant."""
    subjects = clips["subject"] if isinstance(method, SubjectIdentity) else pd.Series(["all"] * len(clips))
    return pd.get_dummies(subjects, dtype=float).to_numpy()


def inner_scores(
    pipeline: Pipeline, features: np.ndarray, labels: np.ndarray, subjects: Sequence[str], folds: int
) -> dict[str, float]:
    """Accuracy, UAR and UF1 pooled over stratified, subject-disjoint folds of training clips."""
    predicted = np.empty_like(labels)
    for fold in inner_folds(list(subjects), labels.tolist(), folds):
        train, test = list(fold.train), list(fold.test)
        predicted[test] = fitted(clone(pipeline), features[train], labels[train]).predict(features[test])
    return by_name(scores(confusion_matrix(labels, predicted)))


def steps_of(pipeline: Pipeline) -> dict[str, dict[str, Any]]:
    """Parameters of each step as JSON can hold them."""
    plain = (int, float, str, bool, type(None))
    return {
        name: {k: v if isinstance(v, plain) else str(v) for k, v in step.get_params().items()}
        for name, step in pipeline.steps
    }
