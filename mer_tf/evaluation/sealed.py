"""Test labels under seal: a fold's are handed out in exchange for its finished predictions, and end its training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mer_tf.config import MerError
from mer_tf.evaluation.folds import Fold


class SealedLabels:
    """Class indices of all clips, reachable fold by fold.

    Training code asks `training`, which holds no test label. `answers` wants the probabilities of every test clip
    first; from then on `training` refuses that fold, so nothing can be tuned on what was seen.
    """

    def __init__(self, labels: Sequence[int] | np.ndarray) -> None:
        self.__labels = np.array(labels, dtype=int)
        self._opened: set[int] = set()

    def training(self, fold: Fold) -> np.ndarray:
        """Class indices (len(fold.train),) of the training clips; `MerError` once the fold's answers are out."""
        if fold.number in self._opened:
            raise MerError(f"fold {fold.number}: its test labels were opened; train it again in a new run")
        return self.__labels[list(fold.train)]

    def answers(self, fold: Fold, probabilities: np.ndarray) -> np.ndarray:
        """Class indices (len(fold.test),), in exchange for probabilities (len(fold.test), classes), all finite."""
        if len(probabilities) != len(fold.test) or not np.isfinite(probabilities).all():
            raise MerError(
                f"fold {fold.number}: {len(probabilities)} predictions for {len(fold.test)} test clips, "
                "or some not finite; its labels stay sealed"
            )
        self._opened.add(fold.number)
        return self.__labels[list(fold.test)]
