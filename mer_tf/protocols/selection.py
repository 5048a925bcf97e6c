"""Nested choice of hyper-parameters: on inner folds of a fold's training subjects, never on its test subjects."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from mer_tf.config import Experiment, Search, Train
from mer_tf.evaluation.folds import inner_folds
from mer_tf.evaluation.metrics import SCORES, scores
from mer_tf.models.kinds import Network
from mer_tf.protocols.workbench import Bench
from mer_tf.training.trainer import EarlyEnd, EpochPredictions, training_seed

W = TypeVar("W", bound=EpochPredictions)
Predict = Callable[[keras.Model], np.ndarray]
Trained = Sequence[tuple[np.ndarray, EpochPredictions]]
Answers = Sequence[tuple[np.ndarray, np.ndarray]]
"""Class indices (clips,) and probabilities (clips, classes) of each inner fold."""


@dataclass(frozen=True)
class Choice:
    """One combination of what can be chosen."""

    epochs: int
    stream_epochs: int
    learning_rate: float
    dropout: float

    def train(self, train: Train) -> Train:
        return replace(train, **{k: v for k, v in vars(self).items() if k != "dropout"})


def searched(search: Search) -> bool:
    """Whether anything is to be chosen."""
    return bool(search.epochs or search.learning_rate or search.dropout or search.patience)


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
    """The combination of the best inner UAR, and the table of all: what `Choice` holds, accuracy, UAR, UF1.

    rows, labels: training clips of the outer fold and their class indices. Predictions of all inner folds are pooled.
    Equal UARs: fewer epochs, then the smaller learning rate and dropout.
    """
    experiment, choices, table = bench.experiment, list[Choice](), []
    train = experiment.train
    pairs = itertools.product(search.learning_rate or (train.learning_rate,), search.dropout or (None,))
    epochs = tuple(sorted(search.epochs)) or (train.epochs,)

    def watching(predict: Predict, truth: np.ndarray) -> Any:
        return EarlyEnd(predict, truth, search.patience) if search.patience else EpochPredictions(predict, epochs)

    for number, (rate, dropout) in enumerate(pairs):
        own = getattr(experiment.model, "dropout", 0.0) if dropout is None else dropout
        setting = Choice(epochs[-1], train.stream_epochs, rate, own)
        trained = _inner(bench, search.folds, rows, labels, setting, [*seed, number], watching, callbacks)
        for chosen, answers in _ended(trained, setting) if search.patience else _by_epoch(trained, setting, epochs):
            truth, said = (np.concatenate(parts) for parts in zip(*answers, strict=True))
            counts = confusion_matrix(truth, said.argmax(axis=1), labels=range(len(bench.classes)))
            choices.append(chosen)
            table.append(vars(chosen) | dict(zip(SCORES, scores(counts), strict=True)))
    frame = pd.DataFrame(table)
    best = frame.sort_values(["UAR", "epochs", "learning_rate", "dropout"], ascending=[False, True, True, True])
    return choices[best.index[0]], frame


def _inner(
    bench: Bench,
    folds: int,
    rows: Sequence[int],
    labels: np.ndarray,
    setting: Choice,
    seed: Sequence[int],
    watching: Callable[..., W],
    callbacks: Sequence[keras.callbacks.Callback],
) -> list[tuple[np.ndarray, W]]:
    """Class indices of each inner fold's held-out clips, and what watched its training: `watching(predict, labels)`."""
    subjects, found = bench.clips["subject"].iloc[list(rows)].tolist(), []
    for fold in inner_folds(subjects, labels.tolist(), folds, training_seed(*seed)):
        inner, held = [rows[i] for i in fold.train], [rows[i] for i in fold.test]
        watch = watching(partial(bench.predict, rows=held), labels[list(fold.test)])
        bench.fit(
            inner,
            labels[list(fold.train)],
            training_seed(*seed, fold.number),
            train=setting.train(bench.experiment.train),
            dropout=setting.dropout,
            callbacks=[watch, *callbacks],
        )
        found.append((labels[list(fold.test)], watch))
    return found


def _by_epoch(trained: Trained, setting: Choice, epochs: Sequence[int]) -> Iterator[tuple[Choice, Answers]]:
    """Each number of epochs, and the answers after so many."""
    yield from ((replace(setting, epochs=e), [(truth, w.shares[e]) for truth, w in trained]) for e in epochs)


def _ended(trained: Sequence[tuple[np.ndarray, EarlyEnd]], setting: Choice) -> Iterator[tuple[Choice, Answers]]:
    """The mean of the best epochs, and the answers after these."""
    first = [epoch for _, watch in trained for epoch in watch.of_first]
    epochs = round(np.mean([watch.best for _, watch in trained]))
    streams = round(np.mean(first)) if first else setting.stream_epochs
    answers = [(truth, watch.shares[watch.best]) for truth, watch in trained]
    yield replace(setting, epochs=epochs, stream_epochs=streams), answers
