"""Kernel ridge regression on onset-apex flow images: what its models share. NumPy and scikit-learn, no network.

A model says what it describes an image by, once or several times (`views`). Of every view

    k(a, b) = mean of exp(-.5 d(a', b')^2 / D) over both sides a' and b' of the images; D: length of the description

so that an image and its mirror image are the same; kernels of several views are averaged. Classes are regressed
together (1 less the number of classes in 1 for the right one), every class of equal weight, and the values of several
penalties are averaged. A temperature makes probabilities of them: that under which training clips are most likely by
the values that they get when their own subject is left out, which for ridge regression is a closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mer_tf.preprocessing.augment import mirrored_flow_image

Array = NDArray[np.float64]
Views = tuple[NDArray[np.float32], ...]
"""Descriptions (2 N, D) of N images: their own, then those of their mirror images."""
TEMPERATURES = np.geomspace(0.02, 5, 200)
"""Among which that of the probabilities is looked for."""


def both_sides(images: NDArray[np.uint8], blur: float) -> NDArray[np.float32]:
    """`standardised` flow images (N, S, S, 3), then their mirror images: (2 N, S, S, 3)."""
    return standardised(np.concatenate([images, mirrored_flow_image(images)]), blur)


def standardised(images: NDArray[np.uint8], blur: float) -> NDArray[np.float32]:
    """Images smoothed, each channel of each with mean 0 and deviation 1; a flat one is 0."""
    soft = _smooth(images.shape[1], blur) @ np.moveaxis(images.astype(np.float32), -1, 1)
    soft = np.moveaxis(soft @ _smooth(images.shape[2], blur).T, 1, -1)
    centred = soft - soft.mean(axis=(1, 2), keepdims=True)
    return np.asarray(centred / np.maximum(soft.std(axis=(1, 2), keepdims=True), 1e-3), np.float32)


def _smooth(side: int, blur: float) -> NDArray[np.float32]:
    """(side, side): each pixel a Gaussian mean of its neighbours, of those that there are."""
    apart = np.subtract.outer(np.arange(side), np.arange(side))
    weights = np.exp(-0.5 * (apart / max(blur, 1e-6)) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def kernel(ones: Views, others: Views) -> Array:
    """(N, M) of descriptions of N and of M images."""
    from sklearn.metrics.pairwise import rbf_kernel

    found = []
    for a, b in zip(ones, others, strict=True):
        sides = rbf_kernel(a, b, gamma=0.5 / a.shape[1]).astype(float)
        found.append(sides.reshape(2, len(a) // 2, 2, len(b) // 2).mean(axis=(0, 2)))
    return np.mean(found, axis=0)


@dataclass(frozen=True)
class Ridge:
    """A fitted regression: what is multiplied with kernels to the training clips, and the temperature."""

    weights: Array
    """(training clips, classes)."""
    temperature: float
    known: NDArray[np.bool_]
    """(classes,): of which there was a training clip; the others get 0."""

    def probabilities(self, to_training: Array) -> Array:
        """(N, classes) of kernels (N, training clips)."""
        return shares(np.where(self.known, to_training @ self.weights, -np.inf), self.temperature)


def fit_ridge(
    gram: Array, labels: NDArray[np.integer], subjects: Sequence[Any], classes: int, penalties: Sequence[float]
) -> Ridge:
    """Regress class indices on a kernel (N, N) of training clips, each of a subject."""
    labels = np.asarray(labels)
    counts = np.bincount(labels, minlength=classes)
    heavy = len(labels) / ((counts > 0).sum() * counts[labels])
    wanted = np.eye(classes)[labels] - 1 / classes
    inverses = [np.asarray(np.linalg.inv(gram + np.diag(c / heavy)), float) for c in penalties]
    weights = [inverse @ wanted for inverse in inverses]
    pairs = zip(inverses, weights, strict=True)
    kept_out = np.mean([_kept_out(inverse, weight, wanted, subjects) for inverse, weight in pairs], axis=0)
    known = counts > 0
    temperature = _temperature(np.where(known, kept_out, -np.inf), labels, heavy)
    return Ridge(np.mean(weights, axis=0), temperature, known)


def _kept_out(inverse: Array, weights: Array, wanted: Array, subjects: Sequence[Any]) -> Array:
    """(N, classes): what regressions without a clip's subject say of it, all from the one with every subject."""
    found = np.empty_like(wanted)
    for subject in np.unique(owners := np.asarray(subjects)):
        rows = np.flatnonzero(owners == subject)
        found[rows] = wanted[rows] - np.linalg.solve(inverse[np.ix_(rows, rows)], weights[rows])
    return found


def _temperature(values: Array, labels: NDArray[np.integer], heavy: Array) -> float:
    """The temperature under which the classes are most likely, every class of equal weight."""
    right = [np.log(shares(values, t)[np.arange(len(labels)), labels] + 1e-12) @ heavy for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmax(right))])


def shares(values: Array, temperature: float) -> Array:
    """Regression values (N, classes) as probabilities."""
    raised = np.exp((values - values.max(axis=1, keepdims=True)) / temperature)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
