"""Leave one subject out, all folds in one program, against separate calls of `fit`: STSTNet, 442 flow images, 68 folds.

Epochs of both are timed in turns, so that other load meets both; the first ones, which compile, are left out, and
medians are compared. An epoch of all folds is timed as it is. Of separate training one epoch of one fold is timed, on
all clips but the fold's own in Keras' `fit`, and multiplied by the number of folds.

    python benchmarks/loso.py          # prints the table and writes it into benchmarks/RESULTS.md
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tyro
from results import keep, processor, table

from mer_tf.config import Train
from mer_tf.models.ststnet import StstNet
from mer_tf.training.all_folds.folds import AllFolds
from mer_tf.training.trainer import compile_model

CLIPS, FOLDS, SIDE, CLASSES = 442, 68, 28, 3
RELEASED_EPOCHS = 800


def main(epochs: int = 4, batch: int = 256, dropout: float = 0.5, write: bool = True) -> None:
    """Measure, print the table, and write it into RESULTS.md.

    Args:
        epochs: Timed epochs of each way.
        batch: Clips in a batch (its authors' code: 256).
        dropout: After each max-pool (its authors' code: 0.5).
        write: Write the table into RESULTS.md too.
    """
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (CLIPS, SIDE, SIDE, 3)).astype("uint8")
    labels, subjects = rng.integers(0, CLASSES, CLIPS), np.arange(CLIPS) % FOLDS
    ways: dict[str, Iterator[np.ndarray]] = {}
    for compiled in (False, True):
        config = Train(epochs=epochs + 1, batch_size=batch, learning_rate=5e-5, jit_compile=compiled)
        name = "XLA" if compiled else "no XLA"
        ways[f"one fold, fit, {name}"] = one_fold(images, labels, subjects, config, dropout)
        ways[f"all folds, {name}"] = all_folds(images, labels, subjects, config, dropout)
    spent = {name: np.median(times, axis=0) * (1 if name.startswith("all") else FOLDS) for name, times in turns(ways)}
    text = report(spent, batch)
    print(text)
    if write:
        keep("loso", text)


def report(spent: dict[str, np.ndarray], batch: int) -> str:
    """The table, in Markdown; ratios are to the faster of the two ways of separate training."""
    separate = np.min([v for k, v in spent.items() if k.startswith("one")], axis=0)
    columns = [
        "way",
        f"an epoch of {FOLDS} folds, s",
        "of CPU time",
        f"{RELEASED_EPOCHS} epochs, min",
        "faster, wall",
        "CPU",
    ]
    rows = [
        [
            name,
            f"{wall:.2f}",
            f"{cpu:.2f}",
            f"{wall * RELEASED_EPOCHS / 60:.0f}",
            *(f"{r:.1f}" for r in separate / (wall, cpu)),
        ]
        for name, (wall, cpu) in spent.items()
    ]
    heading = f"## All folds at once\n\n`python benchmarks/loso.py`: STSTNet, {CLIPS} flow images of {SIDE} x {SIDE}, "
    heading += f"{FOLDS} folds, batch {batch}; {keras.backend.backend()}, {processor()}.\n"
    heading += "Separate training is `fit` of one fold, times the folds; epochs of all ways in turns, medians.\n\n"
    return heading + table(columns, rows)


def turns(ways: dict[str, Iterator[np.ndarray]]) -> list[tuple[str, list[np.ndarray]]]:
    """Times (wall, CPU) of the epochs of each way after its first, one epoch of each in turn."""
    rounds = list(zip(*ways.values(), strict=True))[1:]
    return list(zip(ways, map(list, zip(*rounds, strict=True)), strict=True))


def network(dropout: float) -> keras.Model:
    """A new STSTNet."""
    return StstNet(dropout=dropout).build({"flow_image": (SIDE, SIDE, 3)}, CLASSES)


def one_fold(
    images: np.ndarray, labels: np.ndarray, subjects: np.ndarray, config: Train, dropout: float
) -> Iterator[np.ndarray]:
    """Times of each epoch of `fit` on the first fold."""
    model, rows = network(dropout), subjects != 0
    compile_model(model, config)
    inputs, truth = {"flow_image": images[rows].astype("float32")}, labels[rows]
    for _ in range(config.epochs):
        yield timed(lambda: model.fit(inputs, truth, batch_size=config.batch_size, epochs=1, verbose=0))


def all_folds(
    images: np.ndarray, labels: np.ndarray, subjects: np.ndarray, config: Train, dropout: float
) -> Iterator[np.ndarray]:
    """Times of each epoch of all folds."""
    models = [network(dropout) for _ in range(FOLDS)]
    truth = np.where(subjects[:, None] == np.arange(FOLDS), -1, labels[:, None])
    training = AllFolds(models, images, truth, config, 0, dropout)
    for _ in range(config.epochs):
        yield timed(training.epoch)


def timed(work: Callable[[], object]) -> np.ndarray:
    """Seconds that `work` takes, and those of the processors, which other load changes less."""
    start = np.array([time.perf_counter(), time.process_time()])
    work()
    return np.array([time.perf_counter(), time.process_time()]) - start


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
