"""What every protocol trains and predicts with: clips without labels, features, and models compiled once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import keras
import numpy as np
import pandas as pd

from mer_tf.cached import cache_folder
from mer_tf.config import Evaluation, Experiment, MerError, Search, Train
from mer_tf.datasets.windows import Window, cut_windows, plan_windows
from mer_tf.evaluation.folds import Fold, few_clips, fold_warnings, make_folds
from mer_tf.evaluation.predictions import predictions_frame
from mer_tf.evaluation.sealed import SealedLabels
from mer_tf.inputs.batches import Viewed
from mer_tf.inputs.blocks import nearest_frame
from mer_tf.inputs.clips import Clips
from mer_tf.inputs.key_frames import KeyFrameStore
from mer_tf.inputs.prepare import Encoded, clip_frames, encode
from mer_tf.inputs.shelf import Shelf
from mer_tf.models.kinds import FeatureModel, Network
from mer_tf.models.xla import by_xla
from mer_tf.notices import Notice
from mer_tf.records.stored import frame_numbers
from mer_tf.training.trainer import FoldTrainer, clip_means, clip_windows, predict_clips, predict_windows


def searched(search: Search) -> bool:
    """Whether anything is to be chosen."""
    return bool(search.epochs or search.learning_rate or search.dropout or search.patience)


class Workbench:
    """Clips, folds and features of one experiment. Labels enter through the arguments of `fit` alone."""

    def __init__(self, experiment: Experiment, clips: Clips, encoded: Encoded) -> None:
        self.experiment, self.classes, self.encoded, self.store = experiment, clips.classes, encoded, encoded.store
        self.prepared, self.clips = clips, clips.table.drop(columns="label")
        self._labels = clips.table["label"].to_numpy()
        self._frames = Shelf(folder=cache_folder(experiment.data.cache))

    def encoder(self) -> keras.Model:
        """The frozen encoder; `MerError` for a model that has none."""
        if self.encoded.encoder is None:
            raise MerError(f"{self.experiment.model.name} takes images and has no pretrained encoder")
        return self.encoded.encoder

    def seal(self) -> SealedLabels:
        return SealedLabels(self._labels)

    def folds(self, evaluation: Evaluation | None = None) -> list[Fold]:
        """Folds over `clips`, as the experiment says or as `evaluation` does."""
        return make_folds(
            self.clips["subject"].tolist(),
            self._labels.tolist(),
            evaluation or self.experiment.evaluation,
            self.clips["dataset"].tolist(),
        )

    def fold_warnings(self) -> list[Notice]:
        """Classes that folds test without having trained on them, or of fewer clips than folds."""
        known = self.folds(), self._labels.tolist(), self.classes
        shared_out = self.experiment.evaluation.split == "group"
        return [*fold_warnings(*known), *few_clips(*known, stratified=shared_out, inner=self.inner())]

    def inner(self) -> int:
        """Folds of a fold's training clips on which settings are chosen; 0 where none are."""
        return 0

    def ids(self, rows: Sequence[int]) -> list[str]:
        return self.clips["clip_id"].iloc[list(rows)].tolist()

    def frames(self, ids: Collection[str]) -> Mapping[str, np.ndarray]:
        """Stored frames uint8 (T, S, S, 3) of some clips, each decoded when it is first asked for."""
        wanted = set(ids)
        for name, frames in clip_frames(self.prepared, wanted.difference(self._frames)):
            self._frames.put(name, frames)
        return Viewed({name: name for name in self.clips["clip_id"] if name in wanted}, self._frames.__getitem__)

    def places(self, clip_id: str) -> np.ndarray:
        """Which of a clip's stored frames models are given, counted from 0."""
        shown = np.arange(self.prepared.by_id[clip_id].stored.n_frames)[:: self.encoded.step]
        return shown[self.store.places[clip_id]] if isinstance(self.store, KeyFrameStore) else shown

    def apexes(self, ids: Sequence[str]) -> dict[str, int]:
        """Place of each clip's apex among the frames that models are given; the middle one where none is known."""
        known = {name: self.prepared.by_id[name].row.apex for name in ids}
        if self.prepared.of_images or not any(apex is not None for apex in known.values()):
            return {name: len(self.places(name)) // 2 for name in ids}
        numbers = frame_numbers(self.prepared.records, wanted=known)
        return {name: nearest_frame(numbers[name][self.places(name)], known[name]) for name in ids}

    def shown(self, ids: Collection[str]) -> Mapping[str, np.ndarray]:
        """Of these frames those that models are given."""
        stored = self.frames(ids)
        return Viewed({name: name for name in stored}, lambda name: stored[name][self.places(name)])

    def windows(self) -> tuple[list[Window], SealedLabels]:
        """All windows of all clips, unmirrored and unbalanced, and their labels under seal."""
        known = self.labels_by_id(range(len(self.clips)), self._labels)
        cut = cut_windows(known, self.store.length, self.experiment.clip, self.classes)
        return cut, SealedLabels([known[w.clip_id] for w in cut])

    def labels_by_id(self, rows: Sequence[int], labels: np.ndarray) -> dict[str, int]:
        """Clip ids of rows of `clips` with class indices."""
        return dict(zip(self.ids(rows), labels.tolist(), strict=True))

    def fit(self, rows: Sequence[int], labels: np.ndarray, seed: int) -> tuple[Any, Any]:
        """Train on the clips `rows` with class indices `labels`; the model and what is kept of the training."""
        raise NotImplementedError

    def predict(self, model: Any, rows: Sequence[int]) -> np.ndarray:
        """Class probabilities (len(rows), classes)."""
        raise NotImplementedError

    def xla(self) -> bool | None:
        """Whether XLA compiled the training steps so far; None where nothing was trained by it."""
        return None

    def joined(self, fold: Fold, seed: int, probabilities: np.ndarray, how: str, seal: SealedLabels) -> pd.DataFrame:
        """Predictions table of a fold's test clips, in exchange for which their labels are unsealed."""
        rows = self.clips.iloc[list(fold.test)].reset_index(drop=True)
        return self.join(rows, fold, seed, probabilities, how, seal)

    def join(
        self, rows: pd.DataFrame, fold: Fold, seed: int, probabilities: np.ndarray, how: str, seal: SealedLabels
    ) -> pd.DataFrame:
        """The same for `rows` (clip_id, dataset, subject) that need not be whole clips."""
        truth = [self.classes[k] for k in seal.answers(fold, probabilities)]
        return predictions_frame(
            rows.assign(fold=fold.number, seed=seed, y_true=truth), probabilities, self.classes, how
        )


class Bench(Workbench):
    """The same for a network: what trains it and predicts with it."""

    def __init__(self, experiment: Experiment, clips: Clips, encoded: Encoded) -> None:
        super().__init__(experiment, clips, encoded)
        self._retrained: dict[str, Bench] = {}
        self.trainers: dict[Network, FoldTrainer] = {}

    def inner(self) -> int:
        """As many as `search` says, where it has something to choose."""
        return self.experiment.search.folds if searched(self.experiment.search) else 0

    @property
    def network(self) -> Network:
        assert isinstance(self.experiment.model, Network)
        return self.experiment.model

    def retrained_from(self, block: str) -> Bench:
        """The same with the encoder retrained from `block` on, its features computed when it is first asked for."""
        if block not in self._retrained:
            assert isinstance(self.network, FeatureModel)
            experiment = replace(self.experiment, model=replace(self.network, retrain_from=block))
            self._retrained[block] = Bench(experiment, self.prepared, encode(experiment, self.prepared))
        return self._retrained[block]

    def fit(
        self,
        rows: Sequence[int],
        labels: np.ndarray,
        seed: int,
        *,
        train: Train | None = None,
        dropout: float | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> tuple[keras.Model, pd.DataFrame]:
        """Train on the windows of the clips `rows` with class indices `labels`; the model and its history.

        train: epochs and learning rates in place of the experiment's.
        """
        clip = self.experiment.clip
        known = self.labels_by_id(rows, labels)
        plan = plan_windows(known, self.store.length, clip, self.classes, seed)
        trainer = self.trainer(dropout)
        return trainer.model, trainer.fit(self.store, plan, known, clip.frames, seed, train=train, callbacks=callbacks)

    def untrained(self, seed: int, dropout: float | None = None) -> keras.Model:
        """The network as training with this seed begins: the encoder's end pretrained, all else as it was drawn."""
        return self.trainer(dropout).untrained(seed)

    def predict(self, model: keras.Model, rows: Sequence[int]) -> np.ndarray:
        return predict_clips(model, self.store, self.ids(rows), self.experiment.clip)

    def window_predictions(self, model: keras.Model, fold: Fold, seed: int, seal: SealedLabels) -> pd.DataFrame:
        """Predictions table of a fold's test clips with a row a window, clip_id@start (clip.test = windows alone)."""
        clip, ids = self.experiment.clip, self.ids(fold.test)
        windows = [w for name in ids for w in clip_windows(name, self.store.length(name), clip)]
        shares = predict_windows(model, self.store, windows, clip.frames)
        owner = [ids.index(w.clip_id) for w in windows]
        truth = seal.answers(fold, clip_means(windows, shares, ids))[owner]
        rows = self.clips.iloc[[fold.test[k] for k in owner]].reset_index(drop=True)
        rows["clip_id"] = [f"{w.clip_id}@{w.start}" for w in windows]
        rows = rows.assign(fold=fold.number, seed=seed, y_true=[self.classes[k] for k in truth])
        return predictions_frame(rows, shares, self.classes, "window")

    @property
    def recipe(self) -> Train:
        """What the experiment says of training, with XLA decided for this machine."""
        train = self.experiment.train
        return replace(train, jit_compile=by_xla(train.jit_compile, self.network.xla_on_cpu))

    def trainer(self, dropout: float | None = None) -> FoldTrainer:
        """The compiled model of these settings, made when it is first asked for."""
        config = self.network.with_dropout(dropout)
        if config not in self.trainers:
            self.trainers[config] = FoldTrainer(partial(self._build, config), self.recipe, config.stages)
        return self.trainers[config]

    def xla(self) -> bool | None:
        benches = (self, *self._retrained.values())
        compiled = [trainer.xla for bench in benches for trainer in bench.trainers.values()]
        return all(compiled) if compiled else None

    def _build(self, config: Network) -> keras.Model:
        """The trainable model, its retrained tail a fresh copy with the pretrained weights."""
        if not isinstance(config, FeatureModel):
            return config.build(self.store.shape, len(self.classes))
        tail = self.encoded.tail and keras.models.clone_model(self.encoded.tail)
        if tail and self.encoded.tail:
            tail.set_weights(self.encoded.tail.get_weights())
        return config.build(self.store.shape, len(self.classes), tail)
