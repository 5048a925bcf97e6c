"""One fold: train for a fixed number of epochs on planned windows, then predict whole clips.

The trainer is given the labels of the training clips alone; those of the test fold do not reach this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import pandas as pd

from mer_tf.config import Clip, Train
from mer_tf.datasets.windows import LabelledClip, Window, plan_windows, window_starts
from mer_tf.training.batches import FeatureStore, WindowBatches, fixed_batches


class FoldTrainer:
    """A model compiled once and trained afresh for every fold.

    `build` makes the model; it is called once a fold for newly drawn weights, which are moved into the compiled one,
    so that XLA compiles the training step a single time for all folds.
    """

    def __init__(self, build: Callable[[], keras.Model], config: Train) -> None:
        self.build, self.config = build, config
        keras.config.set_dtype_policy("mixed_bfloat16" if config.mixed_precision else "float32")
        self.model = build()
        optimizer = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[config.optimizer]
        self.model.compile(
            optimizer=optimizer(config.learning_rate),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=config.jit_compile,
        )
        self.model.optimizer.build(self.model.trainable_variables)

    def fit(
        self,
        store: FeatureStore,
        clips: Sequence[LabelledClip],
        clip: Clip,
        classes: Sequence[str],
        fold: int,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> pd.DataFrame:
        """Train on the windows of `clips`; return one row an epoch (epoch, loss, accuracy), all of training windows."""
        seed = int(np.random.SeedSequence([self.config.seed, fold]).generate_state(1)[0] % 2**31)
        self._reset(seed)
        plan = plan_windows(clips, clip, classes, seed)
        labels = {c.clip_id: c.label for c in clips}
        data = WindowBatches(store, plan, labels, clip.frames, self.config.batch_size, seed)
        history = self.model.fit(data, epochs=self.config.epochs, verbose=0, shuffle=False, callbacks=list(callbacks))
        return pd.DataFrame(history.history).rename_axis("epoch").reset_index()

    def _reset(self, seed: int) -> None:
        """Newly drawn weights, optimizer state zero."""
        keras.utils.set_random_seed(seed)
        self.model.set_weights(self.build().get_weights())
        rate = self.model.optimizer.learning_rate
        for variable in self.model.optimizer.variables:
            if variable is not rate:
                variable.assign(np.zeros(variable.shape, dtype=variable.dtype))


def predict_clips(
    model: keras.Model, store: FeatureStore, lengths: Mapping[str, int], clip: Clip, batch: int = 32
) -> np.ndarray:
    """Class probabilities (clips, classes), one row for each clip of `lengths` (clip_id -> frames), in its order.

    whole: one pass over all frames of a clip; windows: the mean softmax of its windows.
    """
    windows = [w for name, n in lengths.items() for w in _test_windows(name, n, clip)]
    # The longest of all clips, not of this fold: one shape for every fold, compiled once.
    longest = max(map(len, store.plain.values())) if clip.test == "whole" else clip.frames
    logits = np.concatenate([model.predict_on_batch(x) for x in fixed_batches(store, windows, longest, batch)])
    shares = keras.ops.convert_to_numpy(keras.ops.softmax(logits[: len(windows)].astype("float32")))
    owner = pd.Series([w.clip_id for w in windows])
    mean = pd.DataFrame(shares).groupby(owner).mean()
    return mean.loc[list(lengths)].to_numpy()


def _test_windows(clip_id: str, n_frames: int, clip: Clip) -> list[Window]:
    starts = [0] if clip.test == "whole" else window_starts(n_frames, clip.frames, clip.stride)
    return [Window(clip_id, start, False) for start in starts]
