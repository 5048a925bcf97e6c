"""Probabilities that mean what they say: what a recogniser answered in its own tests tempers what it answers now.

    p'(class) ~ p(class)^(1 / T),   one T for each answer (the most probable class)

T is that under which the true classes of the tested clips that got this answer, one column of the confusion, are most
likely (temperature scaling, Guo et al., ICML 2017). So of clips called alike p' is, on the mean, how often that was
right, and a clip keeps its answer. Targets are smoothed as Platt does (1999): of n clips none proves a p' above
n / (n + 1) or so. An answer that was given seldom takes the T of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

SEVERAL = 20
"""Tested clips that an answer needs for a temperature of its own."""
TEMPERATURES = np.geomspace(0.2, 50, 400)
Shares = NDArray[np.floating]


@dataclass(frozen=True)
class Calibration:
    """What tempers the probabilities of each answer, and how often that answer was given and right."""

    classes: tuple[str, ...]
    temperatures: tuple[float, ...]
    given: tuple[int, ...]
    right: tuple[int, ...]

    def __call__(self, shares: Shares) -> NDArray[np.float64]:
        """Probabilities (N, classes) as they may be believed."""
        return tempered(shares, np.asarray(self.temperatures)[shares.argmax(axis=1)])

    def record(self, answer: str) -> tuple[int, int]:
        """How often the answer was given, and how often it was right."""
        place = self.classes.index(answer)
        return self.given[place], self.right[place]

    def stored(self) -> dict[str, dict[str, float]]:
        """As a card has it: class -> temperature, given, right."""
        rows = zip(self.classes, self.temperatures, self.given, self.right, strict=True)
        return {name: {"temperature": t, "given": n, "right": k} for name, t, n, k in rows}


def read_calibration(stored: Mapping[str, Mapping[str, Any]]) -> Calibration:
    """What `Calibration.stored` gave."""
    given, right = (tuple(int(row[key]) for row in stored.values()) for key in ("given", "right"))
    return Calibration(tuple(stored), tuple(float(row["temperature"]) for row in stored.values()), given, right)


def fit_calibration(shares: Shares, truth: NDArray[np.integer], classes: Sequence[str]) -> Calibration:
    """From probabilities (N, classes) that were given to tested clips, and the indices of their true classes."""
    said, every = shares.argmax(axis=1), _temperature(shares, truth)
    temperatures, given, right = [], [], []
    for place in range(len(classes)):
        own = said == place
        temperatures.append(_temperature(shares[own], truth[own]) if own.sum() >= SEVERAL else every)
        given.append(int(own.sum()))
        right.append(int((own & (truth == place)).sum()))
    return Calibration(tuple(classes), tuple(round(t, 4) for t in temperatures), tuple(given), tuple(right))


def calibration_of(predictions: pd.DataFrame, classes: Sequence[str]) -> Calibration | None:
    """From a run's predictions.csv; None where it holds no probability."""
    columns = [f"p_{name}" for name in classes]
    if not set(columns) <= set(predictions.columns):
        return None
    truth = pd.Index(classes).get_indexer(pd.Index(predictions["y_true"]))
    known = truth >= 0
    return fit_calibration(predictions.loc[known, columns].astype(float).to_numpy(), truth[known], classes)


def tempered(shares: Shares, temperatures: Any) -> NDArray[np.float64]:
    """Probabilities (N, classes) to the power of 1 / T, one T for all or one a row."""
    return np.asarray(softmax(np.log(np.maximum(shares, 1e-6)) / np.reshape(temperatures, (-1, 1)), axis=1))


def _temperature(shares: Shares, truth: NDArray[np.integer]) -> float:
    """Under which the true classes are most likely; 1 where no clip was tested."""
    number, classes = shares.shape
    if not number:
        return 1.0
    targets = (number * np.eye(classes)[truth] + 1 / classes) / (number + 1)
    likely = [float((targets * np.log(tempered(shares, t))).sum()) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmax(likely))])
