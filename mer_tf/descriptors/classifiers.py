"""The classifiers that stand on descriptors, as scikit-learn pipelines, and the one form of what they predict."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import additive_chi2_kernel
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mer_tf.config import MerError
from mer_tf.descriptors import WORDS, Classical
from mer_tf.descriptors.stclqp import PatternCodebook

DEGREE = 6


def classifier(method: Classical, strength: float | None = None, seed: int = 0) -> Pipeline:
    """An unfitted pipeline of a method from the vectors of its descriptor to classes; its last step is `model`.

    Its kernel: linear, rbf, poly (degree 6) or chi2 (`ChiSquares`, on histograms as they are); features are
    standardised for all but chi2. strength: C, the penalty of the classifier, instead of the published one.
    """
    kind, c = method.kernel or method.classifier, method.penalty if strength is None else strength
    before = [_codebook(getattr(method, WORDS), seed)] if hasattr(method, WORDS) else []
    scaled = ChiSquares() if kind == "chi2" else StandardScaler()
    pipeline = make_pipeline(*before, scaled, _model(kind, c, method.gamma))
    pipeline.steps[-1] = ("model", pipeline.steps[-1][1])
    return pipeline


def fitted(pipeline: Pipeline, features: NDArray[Any], labels: NDArray[Any]) -> Pipeline:
    """The pipeline, fitted; where all labels are one class, which no classifier takes, one that always says it."""
    if len(np.unique(labels)) < 2:
        pipeline = Pipeline([("model", DummyClassifier(strategy="prior"))])
    return pipeline.fit(features, labels)


def class_shares(model: Pipeline, features: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Shares (n, classes) of a fitted pipeline: probabilities where it has them, else softmax of its decisions.

    The largest is the predicted class; those of a support vector machine are no calibrated probabilities. A class
    without training clip gets 0.
    """
    if hasattr(model, "predict_proba"):
        values = model.predict_proba(features)
    else:
        decisions = model.decision_function(features)
        decisions = decisions if decisions.ndim == 2 else np.stack([-decisions, decisions], axis=1) / 2
        values = softmax(decisions, axis=1)
    shares = np.zeros((len(features), classes))
    shares[:, model.classes_] = values
    return shares


class ChiSquares(TransformerMixin, BaseEstimator):
    """Histograms (n, D) to the kernel exp(-d / mean d) with those it was fitted on; d: chi square distance.

    The mean is over the training pairs (Zhang et al., IJCV 2007).
    """

    def fit(self, features: NDArray[Any], labels: Any = None) -> Self:
        self.features_ = features
        self.mean_ = -additive_chi2_kernel(features, features).mean() or 1.0
        return self

    def transform(self, features: NDArray[Any]) -> NDArray[np.float64]:
        return np.exp(additive_chi2_kernel(features, self.features_) / self.mean_)


def _codebook(words: int | None, seed: int) -> PatternCodebook:
    """With as many patterns kept as there are words, where these are more than it keeps by itself."""
    book = PatternCodebook(seed=seed)
    return book if words is None else book.set_params(size=words, kept=max(words, book.kept))


def _model(kind: str, c: float, gamma: float | None) -> Any:
    if kind == "prior":
        return DummyClassifier(strategy="prior")
    if kind == "logistic":
        return LogisticRegression(C=c, class_weight="balanced", max_iter=2000)
    options: dict[str, Any] = {"C": c, "decision_function_shape": "ovr", "break_ties": True}
    if kind in ("linear", "rbf", "poly"):
        return SVC(kernel=kind, degree=DEGREE, coef0=1.0, gamma=gamma or "scale", **options)
    if kind == "chi2":
        return SVC(kernel="precomputed", **options)
    raise MerError(f"model.kernel: {kind!r} is unknown; use linear, rbf, poly or chi2")
