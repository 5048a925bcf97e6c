"""Nested choice of hyper-parameters: on inner folds of a fold's training subjects, never on its test subjects."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import keras
import numpy as np
import pandas as pd

from mer_tf.config import Experiment, Search, Train
from mer_tf.evaluation.folds import inner_folds
from mer_tf.evaluation.metrics import SCORES, scores
from mer_tf.models.kinds import Network
from mer_tf.protocols.workbench import Bench
from mer_tf.training.trainer import EpochPredictions, training_seed


@dataclass(frozen=True)
class Choice:
    """One combination of what can be chosen."""

    epochs: int
    learning_rate: float
    dropout: float

    def train(self, train: Train) -> Train:
        """`train` with this choice."""
        return replace(train, epochs=self.epochs, learning_rate=self.learning_rate)


def searched(search: Search) -> bool:
    """Whether anything is to be chosen."""
    return bool(search.epochs or search.learning_rate or search.dropout)


def epochs_a_fold(experiment: Experiment) -> int:
    """Epochs trained for one outer fold at most, those of the inner folds and of first stages included; 1 if none."""
    if not isinstance(experiment.model, Network):
        return 1
    search, most = experiment.search, max(experiment.search.epochs or (experiment.train.epochs,))
    most += experiment.model.first_stages * experiment.train.stream_epochs
    if not searched(search):
        return most
    return most * (1 + search.folds * max(len(search.learning_rate), 1) * max(len(search.dropout), 1))


def choose(
    bench: Bench,
    search: Search,
    rows: Sequence[int],
    labels: np.ndarray,
    seed: Sequence[int],
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[Choice, pd.DataFrame]:
    """The combination of the best inner UAR and the table of all (epochs, learning_rate, dropout, accuracy, UAR, UF1).

    rows, labels: training clips of the outer fold and their class indices. Predictions of all inner folds are pooled.
    Equal UARs: fewer epochs, then the smaller learning rate and dropout.
    """
    experiment, table = bench.experiment, []
    train = experiment.train
    epochs = tuple(sorted(search.epochs)) or (train.epochs,)
    pairs = itertools.product(search.learning_rate or (train.learning_rate,), search.dropout or (None,))
    for number, (rate, dropout) in enumerate(pairs):
        setting = Choice(epochs[-1], rate, getattr(experiment.model, "dropout", 0.0) if dropout is None else dropout)
        pooled = _inner_confusions(bench, search.folds, rows, labels, setting, epochs, [*seed, number], callbacks)
        table += [vars(replace(setting, epochs=e)) | dict(zip(SCORES, scores(pooled[e]), strict=True)) for e in epochs]
    frame = pd.DataFrame(table)
    best = frame.sort_values(["UAR", "epochs", "learning_rate", "dropout"], ascending=[False, True, True, True])
    first = best.iloc[0]
    return Choice(int(first["epochs"]), float(first["learning_rate"]), float(first["dropout"])), frame


def _inner_confusions(
    bench: Bench,
    folds: int,
    rows: Sequence[int],
    labels: np.ndarray,
    setting: Choice,
    epochs: Sequence[int],
    seed: Sequence[int],
    callbacks: Sequence[keras.callbacks.Callback],
) -> dict[int, np.ndarray]:
    """Confusion counts (classes, classes) after each of `epochs`, pooled over the inner folds."""
    subjects = bench.clips["subject"].iloc[list(rows)].tolist()
    pooled = {e: np.zeros((len(bench.classes),) * 2, int) for e in epochs}
    for fold in inner_folds(subjects, labels.tolist(), folds, training_seed(*seed)):
        inner, held = [rows[i] for i in fold.train], [rows[i] for i in fold.test]
        watch = EpochPredictions(partial(bench.predict, rows=held), epochs)
        bench.fit(
            inner,
            labels[list(fold.train)],
            training_seed(*seed, fold.number),
            train=setting.train(bench.experiment.train),
            dropout=setting.dropout,
            callbacks=[watch, *callbacks],
        )
        for epoch, shares in watch.shares.items():
            np.add.at(pooled[epoch], (labels[list(fold.test)], shares.argmax(axis=1)), 1)
    return pooled
