"""One fold: train on planned windows for a number of epochs fixed beforehand, then predict whole clips.

The trainer is given the labels of the training clips alone; those of the test fold do not reach this module.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import keras
import numpy as np
import pandas as pd

from mer_tf.config import Clip, Train
from mer_tf.datasets.windows import Window, clip_starts
from mer_tf.inputs.batches import Store, WindowBatches, fixed_batches, input_names
from mer_tf.inputs.blocks import BlockStore
from mer_tf.inputs.stream import stream
from mer_tf.inputs.window_features import WindowFeatures
from mer_tf.models.stages import Stage
from mer_tf.training.devices import refuse_local_statistics, scope_of

log = logging.getLogger("mer_tf")
Stages = Callable[[keras.Model], list[Stage]]


class FoldTrainer:
    """A model compiled once and trained afresh for every fold.

    `build` makes the model; it is called once a fold for newly drawn weights, which are moved into the compiled one,
    so that XLA compiles the training step a single time for all folds. `stages` names the parts of the model that are
    trained one after the other; without it the model is trained as a whole.
    """

    def __init__(self, build: Callable[[], keras.Model], config: Train, stages: Stages | None = None) -> None:
        self.build, self.config = build, config
        self.divide: Stages = stages or (lambda model: [Stage("", model)])
        keras.config.set_dtype_policy("mixed_bfloat16" if config.mixed_precision else "float32")
        self.scope = scope_of(config)
        with self.scope():
            self.model = build()
            refuse_local_statistics(self.model, config)
            self.stages = self.divide(self.model)
            for stage in self.stages:
                with stage.holding():
                    compile_model(stage.model, stage_recipe(config, stage))
                if stage.trunk is not None:
                    stage.trunk.compile(jit_compile=config.jit_compile)
        log.info("training step: %s", "compiled by XLA" if self.xla else "not compiled by XLA")

    @property
    def xla(self) -> bool:
        """Whether XLA compiles every stage's training step; Keras goes without where a layer does not allow XLA."""
        return all(bool(stage.model.jit_compile) for stage in self.stages)

    def fit(
        self,
        store: Store,
        plan: Sequence[Window],
        labels: Mapping[str, int],
        frames: int,
        seed: int,
        *,
        train: Train | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> pd.DataFrame:
        """Train afresh on the planned windows; return one row an epoch (epoch, loss, accuracy) of training windows.

        `labels`: clip_id -> class index of the training clips, and of them alone. The epochs and the learning rate of
        `train` replace the configuration's. Several stages count their epochs on, and a column names them.
        """
        config = train or self.config
        for stage, drawn in zip(self.stages, self.divide(self.untrained(seed)), strict=True):
            _renew(stage.model, drawn.model)
        parts = []
        for stage in self.stages:
            recipe = stage_recipe(config, stage)
            stage.model.optimizer.learning_rate.assign(recipe.learning_rate)
            total = config.epochs if stage.last else config.stream_epochs
            watching = _watching(callbacks, stage, self.model)
            windows, length = plan, frames
            if stage.near_apex:
                assert isinstance(store, BlockStore)
                windows, length = store.near_apex(plan), 1
            held = store if stage.trunk is None else WindowFeatures(store, windows, length, stage.trunk)
            names = input_names(stage.model)
            weights = self._weights(plan, labels)
            data = WindowBatches(held, windows, labels, length, recipe.batch_size, seed, names, weights)
            options = {"steps_per_epoch": len(data), "callbacks": watching}
            with self.scope(), stage.holding():
                history = stage.model.fit(stream(data), epochs=total, verbose=0, shuffle=False, **options)
            parts.append(pd.DataFrame(history.history).assign(stage=stage.name))
        table = pd.concat(parts, ignore_index=True).rename_axis("epoch").reset_index()
        return table if len(parts) > 1 else table.drop(columns="stage")

    def _weights(self, plan: Sequence[Window], labels: Mapping[str, int]) -> dict[int, float] | None:
        """Weight of each class, so that all count alike; None where they are not asked for."""
        if not self.config.class_weights:
            return None
        found, counts = np.unique([labels[w.clip_id] for w in plan], return_counts=True)
        return {int(k): len(plan) / (len(found) * int(n)) for k, n in zip(found, counts, strict=True)}

    def untrained(self, seed: int) -> keras.Model:
        """The model as training with this seed begins."""
        # Keras draws its seeds from here. keras.utils.set_random_seed would also drop TensorFlow's compiled kernels.
        random.seed(seed)
        return self.build()


def stage_recipe(config: Train, stage: Stage) -> Train:
    """What `config` says of a stage: those before the last may have a recipe of their own."""
    if stage.last:
        return config
    own = {k: getattr(config, f"stream_{k}") for k in ("optimizer", "learning_rate", "batch_size")}
    return replace(config, **{k: v for k, v in own.items() if v})


def compile_model(model: keras.Model, config: Train) -> None:
    """Optimizer, loss on logits and XLA, as `config` says."""
    # A metric that is only named makes its variables in the first step, and TensorFlow then traces that step twice.
    model.compile(
        optimizer=make_optimizer(config),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
        jit_compile=config.jit_compile,
    )
    model.optimizer.build(model.trainable_variables)


def make_optimizer(config: Train) -> keras.optimizers.Optimizer:
    decay = config.weight_decay or None
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(config.learning_rate, momentum=config.momentum, weight_decay=decay)
    return keras.optimizers.Adam(config.learning_rate, weight_decay=decay)


def _renew(model: keras.Model, fresh: keras.Model) -> None:
    """Newly drawn weights and dropout seeds, optimizer state zero."""
    model.set_weights(fresh.get_weights())
    for held, drawn in zip(_seeds(model), _seeds(fresh), strict=True):
        held.assign(keras.ops.convert_to_numpy(drawn.value))
    rate = model.optimizer.learning_rate
    for variable in model.optimizer.variables:
        if variable is not rate:
            variable.assign(np.zeros(variable.shape, dtype=variable.dtype))


def _watching(
    callbacks: Sequence[keras.callbacks.Callback], stage: Stage, whole: keras.Model
) -> list[keras.callbacks.Callback]:
    """The callbacks of a stage. Predictions are asked of the whole model in its last stage, and for an early end of a
    part of it that takes windows as well."""
    alone = stage.trunk is None and not stage.near_apex
    for callback in callbacks:
        if isinstance(callback, EpochPredictions):
            callback.whole = whole if stage.last else stage.model
        if isinstance(callback, EarlyEnd):
            callback.first = not stage.last
    kept = EarlyEnd if alone else ()
    return [c for c in callbacks if stage.last or not isinstance(c, EpochPredictions) or isinstance(c, kept)]


def _seeds(model: keras.Model) -> list[keras.Variable]:
    return [v for v in model.variables if v.name == "seed_generator_state"]


class EpochPredictions(keras.callbacks.Callback):
    """Keeps what the model predicts after each of the epochs asked for (1 = after the first)."""

    def __init__(self, predict: Callable[[keras.Model], np.ndarray], epochs: Collection[int]) -> None:
        super().__init__()
        self.predict, self.epochs = predict, frozenset(epochs)
        self.shares: dict[int, np.ndarray] = {}
        self.whole: keras.Model | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch + 1 in self.epochs:
            self.shares[epoch + 1] = self.predict(self.whole or self.model)


class EarlyEnd(EpochPredictions):
    """Ends a training when the loss of held-out clips has not fallen for `patience` epochs; keeps its best epoch.

    predict: model -> class probabilities (clips, classes); labels: class indices (clips,).
    """

    def __init__(self, predict: Callable[[keras.Model], np.ndarray], labels: np.ndarray, patience: int) -> None:
        super().__init__(predict, ())
        self.labels, self.patience = labels, patience
        self.first = False
        self.best, self.of_first = 0, list[int]()
        """Best epoch of the last stage, and of each stage before."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.best, self.least = 0, float("inf")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        shares = self.predict(self.whole or self.model)
        loss = float(-np.log(np.maximum(shares[np.arange(len(shares)), self.labels], 1e-7)).mean())
        if loss < self.least:
            self.least, self.best, self.shares = loss, epoch + 1, {epoch + 1: shares}
        elif epoch + 1 - self.best >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        if self.first:
            self.of_first.append(self.best)


def training_seed(*parts: int) -> int:
    """One seed from several numbers (run, fold, inner fold ...), without overlap between neighbours."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0] % 2**31)


def predict_clips(model: keras.Model, store: Store, clip_ids: Sequence[str], clip: Clip, batch: int = 32) -> np.ndarray:
    """Class probabilities (clips, classes), one row for each of `clip_ids`, in their order.

    whole: one pass over all frames of a clip; windows: the mean softmax of its windows.
    """
    windows = [w for name in clip_ids for w in clip_windows(name, store.length(name), clip)]
    # The longest of all clips, not of this fold: one shape for every fold, compiled once.
    longest = store.longest if clip.test == "whole" else clip.frames
    return clip_means(windows, predict_windows(model, store, windows, longest, batch), clip_ids)


def clip_means(windows: Sequence[Window], shares: np.ndarray, clip_ids: Sequence[str]) -> np.ndarray:
    """Mean over each clip's windows of probabilities (windows, classes): (clips, classes)."""
    owner = pd.Series([w.clip_id for w in windows])
    return pd.DataFrame(shares).groupby(owner).mean().loc[list(clip_ids)].to_numpy()


def predict_windows(
    model: keras.Model, store: Store, windows: Sequence[Window], frames: int, batch: int = 32
) -> np.ndarray:
    """Class probabilities (windows, classes) of windows of `frames` frames."""
    batches = fixed_batches(store, windows, frames, batch, input_names(model))
    logits = np.concatenate([model.predict_on_batch(x) for x in batches])
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits[: len(windows)].astype("float32")))


def clip_windows(clip_id: str, n_frames: int, clip: Clip) -> list[Window]:
    """What is predicted of a clip: one window from its start (whole), or all at the stride of training."""
    starts = [0] if clip.test == "whole" else clip_starts(n_frames, clip, clip.stride)
    return [Window(clip_id, start) for start in starts]
