"""Classical systems whose settings are chosen in each fold, on inner subjects of its training clips alone.

Every candidate of the grid (`mer_tf.descriptors.grids`) predicts the held-out subjects of inner folds; the one of the
best UAR, pooled over them, is fitted once on all training clips. Of equals the first of the grid is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import confusion_matrix
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from mer_tf.descriptors.classifiers import class_shares, classifier, fitted
from mer_tf.descriptors.grids import Candidate, candidates
from mer_tf.evaluation.folds import Fold, inner_folds
from mer_tf.evaluation.metrics import SCORES, scores
from mer_tf.inputs.descriptor_grid import GridStore
from mer_tf.parallel import in_threads, products_alone
from mer_tf.progress import Progress
from mer_tf.protocols.classical import ClassicalBench, steps_of
from mer_tf.protocols.workbench import Workbench

Grams = dict[tuple[str, float | None], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Kernel and gamma -> the kernel between training clips, and between tested and training clips."""


@dataclass(frozen=True)
class Tuned:
    """What a fold chose and fitted."""

    pipeline: Pipeline
    point: str
    """`Candidate.point` of the vectors that it takes."""


class TunedBench(ClassicalBench):
    """Vectors at every point of a grid. Labels enter through the arguments of `fit` alone."""

    store: GridStore

    @cached_property
    def offered(self) -> list[Candidate]:
        return candidates(self.experiment)

    def fit(self, rows: Sequence[int], labels: np.ndarray, seed: int) -> tuple[Tuned, dict[str, Any]]:
        """Choose and fit on the clips `rows` with class indices `labels`.

        Beside what was fitted, what is kept: the chosen pipeline, and as tables what was chosen with its inner scores
        and all candidates with theirs.
        """
        ids = self.ids(rows)
        table = pd.DataFrame([shown(one.settings) for one in self.offered])
        best = 0
        if len(self.offered) > 1:
            people = self.clips["subject"].iloc[list(rows)].tolist()
            folds = inner_folds(people, labels.tolist(), self.experiment.search.folds)
            table[list(SCORES)] = self._scores(ids, labels, folds, seed)
            best = int(table["UAR"].argmax())
        one = self.offered[best]
        pipeline = fitted(_pipeline(one, seed), self.store.at(one.point, ids), labels)
        kept = {"method": self.method.name, "chosen": steps_of(pipeline)}
        tables = {"choice.csv": table.iloc[[best]], "candidates.csv": table}
        return Tuned(pipeline, one.point), kept | {"tables": tables}

    def predict(self, model: Any, rows: Sequence[int]) -> np.ndarray:
        """Class shares (len(rows), classes), by the settings that were chosen."""
        return class_shares(model.pipeline, self.store.at(model.point, self.ids(rows)), len(self.classes))

    def _scores(self, ids: Sequence[str], labels: np.ndarray, folds: Sequence[Fold], seed: int) -> np.ndarray:
        """Accuracy, UAR and UF1 of each candidate, pooled over the inner folds: (candidates, 3)."""
        by_point: dict[str, list[int]] = {}
        for place, one in enumerate(self.offered):
            by_point.setdefault(one.point, []).append(place)

        def scored(point: str) -> list[Any]:
            pipelines = [_pipeline(self.offered[place], seed) for place in by_point[point]]
            said = inner_predictions(pipelines, self.store.at(point, ids), labels, folds)
            return [scores(confusion_matrix(labels, one)) for one in said]

        found = np.empty((len(self.offered), len(SCORES)))
        bar = Progress(total=len(by_point), desc="choosing", unit="setting", leave=False)
        with bar, products_alone():  # threads of their own took four times the processor time
            for places, rows in zip(by_point.values(), in_threads(scored, by_point), strict=True):
                found[places] = rows
                bar.update()
        return found


def inner_predictions(
    pipelines: Sequence[Pipeline], features: NDArray[Any], labels: NDArray[Any], folds: Sequence[Fold]
) -> NDArray[Any]:
    """What each unfitted pipeline says of the held-out clips of the folds: classes (pipelines, clips).

    Pipelines that differ in their last step alone share what comes before, and those of one kernel the kernel: a
    support vector machine on long vectors spends nearly all its time there.
    """
    predicted = np.empty((len(pipelines), len(labels)), labels.dtype)
    alike: dict[str, list[int]] = {}
    for place, pipeline in enumerate(pipelines):
        alike.setdefault(str(pipeline.steps[:-1]), []).append(place)
    for fold in folds:
        train, test = list(fold.train), list(fold.test)
        if len(np.unique(labels[train])) < 2:  # as `fitted` has it
            predicted[:, test] = labels[train[0]]
            continue
        for places in alike.values():
            before = clone(pipelines[places[0]][:-1])
            taught, asked = before.fit_transform(features[train], labels[train]), before.transform(features[test])
            grams: Grams = {}
            for place in places:
                predicted[place, test] = _predicted(pipelines[place][-1], taught, labels[train], asked, grams)
    return predicted


def _predicted(model: Any, taught: Any, labels: NDArray[Any], asked: Any, grams: Grams) -> NDArray[Any]:
    """What an unfitted last step says of the vectors `asked`; kernels are kept in `grams`."""
    if not isinstance(model, SVC) or model.kernel == "precomputed":
        return np.asarray(clone(model).fit(taught, labels).predict(asked))
    gamma = None if model.kernel == "linear" else model.gamma
    if (model.kernel, gamma) not in grams:
        grams[model.kernel, gamma] = _grams(model, np.asarray(taught, float), np.asarray(asked, float))
    between, across = grams[model.kernel, gamma]
    return np.asarray(clone(model).set_params(kernel="precomputed").fit(between, labels).predict(across))


def _grams(model: SVC, taught: NDArray[np.float64], asked: NDArray[np.float64]) -> Any:
    """The kernel of a support vector machine between training vectors, and between others and these."""
    scale = 1 / (taught.shape[1] * taught.var() or 1)  # as scikit-learn has it
    gamma = scale if model.gamma == "scale" else model.gamma
    options = {"gamma": gamma, "degree": model.degree, "coef0": model.coef0}
    return [
        pairwise_kernels(one, taught, metric=model.kernel, filter_params=True, **options) for one in (taught, asked)
    ]


def _pipeline(one: Candidate, seed: int) -> Pipeline:
    return classifier(one.method, one.method.C[0], seed)


def shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a table holds them: several values as one text."""
    return {k: " ".join(map(str, v)) if isinstance(v, tuple) else v for k, v in settings.items()}


def tuned_text(bench: Workbench, directory: Path) -> str:
    """How often folds chose which value, a line a setting; empty for any other bench."""
    if not isinstance(bench, TunedBench):
        return ""
    parts = [pd.read_csv(path, dtype=str) for path in sorted(directory.glob("**/fold-*/choice.csv"))]
    table = pd.concat(parts).drop(columns=list(SCORES), errors="ignore")
    lines = ["chosen on inner folds of the training subjects (folds):"]
    for name, column in table.items():
        counts = column.fillna("its own").value_counts()
        lines.append(f"  {name}: " + ", ".join(f"{value} ({count})" for value, count in counts.items()))
    return "\n".join(lines)
