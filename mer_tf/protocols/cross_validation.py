"""Every fold trained and tested: fold-<k>/ with history, checkpoint and predictions, resumable fold by fold."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import keras
import numpy as np

from mer_tf.config import GRADCAM, MerError
from mer_tf.evaluation.folds import Fold
from mer_tf.evaluation.predictions import write_predictions
from mer_tf.files import atomic, write_csv, write_json
from mer_tf.locks import held
from mer_tf.progress import Progress
from mer_tf.protocols.layer_choice import choose_block
from mer_tf.protocols.selection import choose, epochs_a_fold, searched
from mer_tf.protocols.workbench import Bench, Workbench
from mer_tf.reporting.plots import confusion_pair
from mer_tf.training.baselines import onset_frame_probabilities
from mer_tf.training.estimate import FirstSteps
from mer_tf.training.trainer import training_seed


def cross_validate(bench: Workbench, directory: Path, only: Collection[int] | None = None) -> None:
    """Train and test every fold of every seed that has no predictions yet, or those of the numbers `only`.

    `MerError` when another process is training the same fold.
    """
    numbers = [fold.number for fold in bench.folds()]
    if unknown := sorted(set(only or ()) - set(numbers)):
        raise MerError(f"--folds {', '.join(map(str, unknown))}: there are folds {numbers[0]} to {numbers[-1]}")
    todo = [task for task in untrained(bench, directory) if only is None or task[1].number in only]
    with Progress(total=len(todo) * epochs_a_fold(bench.experiment), desc="training", unit="epoch") as bar:
        for seed, fold, folder in todo:
            with held(folder):
                if not (folder / "predictions.csv").exists():  # another process may have trained it meanwhile
                    run_fold(bench, fold, seed, folder, bar)


def untrained(bench: Workbench, directory: Path) -> list[tuple[int, Fold, Path]]:
    """Seed, fold and folder of what has no predictions yet."""
    first = bench.experiment.train.seed
    return [
        (seed, fold, folder)
        for seed in range(first, first + bench.experiment.evaluation.seeds)
        for fold in bench.folds()
        if not ((folder := fold_folder(bench, directory, seed, fold.number)) / "predictions.csv").exists()
    ]


def fold_folder(bench: Workbench, directory: Path, seed: int, fold: int) -> Path:
    """fold-<k>, below seed-<s> where there are several seeds."""
    home = directory / f"seed-{seed}" if bench.experiment.evaluation.seeds > 1 else directory
    return home / f"fold-{fold}"


def run_fold(bench: Workbench, fold: Fold, seed: int, folder: Path, bar: Progress) -> None:
    """Train on the fold's training clips, predict its test clips, and only then ask for their labels."""
    if isinstance(bench, Bench) and getattr(bench.network, "retrain_from", None) == GRADCAM:
        bench = bench.retrained_from(choose_block(bench, fold, folder))
    seal = bench.seal()
    if isinstance(bench, Bench):
        model = train_network(bench, fold, seal.training(fold), seed, folder, bar)
    else:
        model, chosen = bench.fit(fold.train, seal.training(fold), training_seed(seed, fold.number))
        for name, table in chosen.pop("tables", {}).items():
            write_csv(table, folder / name)
        write_json(folder / "choice.json", chosen)
        bar.update()
    shares = bench.predict(model, fold.test)
    onset = onset_frame_probabilities(
        bench.store, bench.ids(fold.train), seal.training(fold), bench.ids(fold.test), len(bench.classes)
    )
    write_predictions(bench.joined(fold, seed, onset, "onset", seal), folder / "baseline_onset.csv")
    how = {"whole": "whole", "windows": "mean"}[bench.experiment.clip.test]
    frame = bench.joined(fold, seed, shares, how, seal)
    confusion_pair(frame, bench.classes, f"{title(bench)}, fold {fold.number} {fold.held_out}".rstrip(), folder)
    if isinstance(bench, Bench) and bench.experiment.clip.test == "windows":
        write_predictions(bench.window_predictions(model, fold, seed, seal), folder / "windows.csv")
    write_predictions(frame, folder / "predictions.csv")


def train_network(bench: Bench, fold: Fold, labels: np.ndarray, seed: int, folder: Path, bar: Progress) -> keras.Model:
    """Choose on inner subjects where that is asked for, then train; writes choice.csv, history.csv, model.keras."""
    train, dropout, begun = bench.experiment.train, None, bar.n
    show: list[keras.callbacks.Callback] = [ShowEpochs(bar, f"fold {fold.number} {fold.held_out}".rstrip())]
    if begun == 0:
        epochs = int(bar.total or 0)
        show.append(FirstSteps(epochs, epochs // epochs_a_fold(bench.experiment)))
    if searched(bench.experiment.search):
        choice, table = choose(bench, bench.experiment.search, fold.train, labels, (seed, fold.number), show)
        train, dropout = choice.train(train), choice.dropout
        write_csv(table, folder / "choice.csv")
    model, history = bench.fit(
        fold.train, labels, training_seed(seed, fold.number), train=train, dropout=dropout, callbacks=show
    )
    bar.update(epochs_a_fold(bench.experiment) - (bar.n - begun))  # fewer may have been chosen
    write_csv(history, folder / "history.csv")
    with atomic(folder / "model.keras") as part:
        model.save(part)
    return model


class ShowEpochs(keras.callbacks.Callback):
    """Moves a bar by one each epoch, with the losses beside it."""

    def __init__(self, bar: Progress, what: str) -> None:
        super().__init__()
        self.bar, self.what = bar, what

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        values = {name: f"{value:.3f}" for name, value in (logs or {}).items()}
        self.bar.set_postfix({"in": self.what} | values, refresh=False)
        self.bar.update()


def title(bench: Workbench) -> str:
    """Name of the experiment, its leak said with it."""
    name = bench.experiment.name
    return f"{name}, LEAKY clip folds" if bench.experiment.evaluation.split == "clip" else name
