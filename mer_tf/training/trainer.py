"""One fold: train on planned windows for a number of epochs fixed beforehand, then predict whole clips.

The trainer is given the labels of the training clips alone; those of the test fold do not reach this module.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence

import keras
import numpy as np
import pandas as pd

from mer_tf.config import Clip, Train
from mer_tf.datasets.windows import Window, window_starts
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
        plan: Sequence[Window],
        labels: Mapping[str, int],
        frames: int,
        seed: int,
        *,
        epochs: int | None = None,
        learning_rate: float | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> pd.DataFrame:
        """Train afresh on the planned windows; return one row an epoch (epoch, loss, accuracy) of training windows.

        `labels`: clip_id -> class index of the training clips, and of them alone. `epochs` and `learning_rate` replace
        the configuration's.
        """
        self._reset(seed)
        self.model.optimizer.learning_rate.assign(learning_rate or self.config.learning_rate)
        data = WindowBatches(store, plan, labels, frames, self.config.batch_size, seed)
        total = epochs or self.config.epochs
        history = self.model.fit(data, epochs=total, verbose=0, shuffle=False, callbacks=list(callbacks))
        return pd.DataFrame(history.history).rename_axis("epoch").reset_index()

    def _reset(self, seed: int) -> None:
        """Newly drawn weights and dropout seeds, optimizer state zero."""
        # Keras draws its seeds from here. keras.utils.set_random_seed would also drop TensorFlow's compiled kernels.
        random.seed(seed)
        fresh = self.build()
        self.model.set_weights(fresh.get_weights())
        for held, drawn in zip(_seeds(self.model), _seeds(fresh), strict=True):
            held.assign(drawn.value)
        rate = self.model.optimizer.learning_rate
        for variable in self.model.optimizer.variables:
            if variable is not rate:
                variable.assign(np.zeros(variable.shape, dtype=variable.dtype))


def _seeds(model: keras.Model) -> list[keras.Variable]:
    return [v for v in model.variables if v.name == "seed_generator_state"]


class EpochPredictions(keras.callbacks.Callback):
    """Keeps what the model predicts after each of the epochs asked for (1 = after the first)."""

    def __init__(self, predict: Callable[[keras.Model], np.ndarray], epochs: Collection[int]) -> None:
        super().__init__()
        self.predict, self.epochs = predict, frozenset(epochs)
        self.shares: dict[int, np.ndarray] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Predict, where this epoch was asked for."""
        if epoch + 1 in self.epochs:
            self.shares[epoch + 1] = self.predict(self.model)


def training_seed(*parts: int) -> int:
    """One seed from several numbers (run, fold, inner fold ...), without overlap between neighbours."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0] % 2**31)


def predict_clips(
    model: keras.Model, store: FeatureStore, clip_ids: Sequence[str], clip: Clip, batch: int = 32
) -> np.ndarray:
    """Class probabilities (clips, classes), one row for each of `clip_ids`, in their order.

    whole: one pass over all frames of a clip; windows: the mean softmax of its windows.
    """
    windows = [w for name in clip_ids for w in clip_windows(name, len(store.clip(name)), clip)]
    # The longest of all clips, not of this fold: one shape for every fold, compiled once.
    longest = max(map(len, store.plain.values())) if clip.test == "whole" else clip.frames
    return clip_means(windows, predict_windows(model, store, windows, longest, batch), clip_ids)


def clip_means(windows: Sequence[Window], shares: np.ndarray, clip_ids: Sequence[str]) -> np.ndarray:
    """Mean over each clip's windows of probabilities (windows, classes): (clips, classes)."""
    owner = pd.Series([w.clip_id for w in windows])
    return pd.DataFrame(shares).groupby(owner).mean().loc[list(clip_ids)].to_numpy()


def predict_windows(
    model: keras.Model, store: FeatureStore, windows: Sequence[Window], frames: int, batch: int = 32
) -> np.ndarray:
    """Class probabilities (windows, classes) of windows of `frames` frames."""
    logits = np.concatenate([model.predict_on_batch(x) for x in fixed_batches(store, windows, frames, batch)])
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits[: len(windows)].astype("float32")))


def clip_windows(clip_id: str, n_frames: int, clip: Clip) -> list[Window]:
    """What is predicted of a clip: one window from its start (whole), or all at the stride of training."""
    starts = [0] if clip.test == "whole" else window_starts(n_frames, clip.frames, clip.stride)
    return [Window(clip_id, start) for start in starts]
