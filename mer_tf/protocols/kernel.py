"""Kernel ridge regression on the bench: all flow images are described once, a fold takes its rows of the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mer_tf.models.kernel_model import KernelModel
from mer_tf.models.kernel_ridge import Ridge, fit_ridge, kernel
from mer_tf.protocols.pretrained import images_of
from mer_tf.protocols.workbench import Workbench


class KernelBench(Workbench):
    """Flow images and a kernel of one experiment. Labels enter through the arguments of `fit` alone."""

    @property
    def method(self) -> KernelModel:
        assert isinstance(self.experiment.model, KernelModel)
        return self.experiment.model

    @cached_property
    def gram(self) -> NDArray[np.float64]:
        """The kernel between all clips (N, N), which no label enters."""
        views = self.method.described(images_of(self))
        return kernel(views, views)

    def fit(self, rows: Sequence[int], labels: np.ndarray, seed: int) -> tuple[Any, dict[str, Any]]:
        """Regress class indices `labels` on the clips `rows`; the regression with its rows, and its temperature."""
        chosen, subjects = list(rows), self.clips["subject"].iloc[list(rows)].tolist()
        gram = self.gram[np.ix_(chosen, chosen)]
        ridge = fit_ridge(gram, labels, subjects, len(self.classes), self.method.penalties)
        return (ridge, chosen), {"method": self.method.name, "temperature": ridge.temperature}

    def predict(self, model: tuple[Ridge, list[int]], rows: Sequence[int]) -> np.ndarray:
        ridge, chosen = model
        return ridge.probabilities(self.gram[np.ix_(list(rows), chosen)])
