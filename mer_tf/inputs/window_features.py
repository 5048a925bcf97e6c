"""Features of planned windows by a part of a model that stays frozen while the rest is trained."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import keras
import numpy as np

from mer_tf.datasets.windows import Window
from mer_tf.inputs.batches import Store, fixed_batches, input_names
from mer_tf.inputs.shelf import room

BATCH = 32


class WindowFeatures:
    """Knows windows of one length by heart: `trunk` is asked once a window, not once an epoch.

    `trunk` maps inputs of `store` to a dict of arrays (B, ...), the inputs of what is trained.
    """

    def __init__(self, store: Store, windows: Sequence[Window], frames: int, trunk: keras.Model) -> None:
        distinct = list(dict.fromkeys(windows))
        self.values: dict[str, np.ndarray] = {}
        batches = fixed_batches(store, distinct, frames, BATCH, input_names(trunk))
        for start, batch in zip(range(0, len(distinct), BATCH), batches, strict=True):
            for name, found in trunk.predict_on_batch(batch).items():
                if name not in self.values:
                    self.values[name] = room((len(distinct), *found.shape[1:]), "float32")
                self.values[name][start : start + BATCH] = np.asarray(found)[: len(distinct) - start]
        self.place = {window: number for number, window in enumerate(distinct)}

    def inputs(self, windows: Sequence[Window], frames: int, names: Collection[str]) -> dict[str, np.ndarray]:
        rows = [self.place[window] for window in windows]
        return {name: value[rows] for name, value in self.values.items() if name in names}
