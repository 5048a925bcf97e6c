"""Leave one subject out, all folds in one program, against separate calls of `fit`: STSTNet, 442 flow images, 68 folds.

Epochs of both are timed in turns, so that other load meets both; the first ones, which compile, are left out, and
medians are compared. An epoch of all folds is timed as it is. Of separate training one epoch of one fold is timed, on
all clips but the fold's own in Keras' `fit`, and multiplied by the number of folds.

    python benchmarks/loso.py          # prints the table and writes it into benchmarks/RESULTS.md
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tyro
from device import device_name
from results import Row, add_rows, keep, processor, table, timed

from mer_tf.config import Train
from mer_tf.models.ststnet import StstNet
from mer_tf.training.all_folds.folds import AllFolds
from mer_tf.training.trainer import compile_model

CLIPS, FOLDS, SIDE, CLASSES = 442, 68, 28, 3
XLA = {"jax": (True,)}.get(keras.backend.backend(), (False, True))
"""With it and without, where there is a choice."""
RELEASED_EPOCHS = 800


def main(
    epochs: int = 4,
    batch: int = 256,
    dropout: float = 0.5,
    clips: int = CLIPS,
    folds: int = FOLDS,
    write: bool = True,
    rows: Path | None = None,
) -> None:
    """Measure, print the table, and write it into RESULTS.md.

    Args:
        epochs: Timed epochs of each way.
        batch: Clips in a batch (its authors' code: 256).
        dropout: After each max-pool (its authors' code: 0.5).
        clips: Flow images.
        folds: People, each with a share of the clips.
        write: Write the table into RESULTS.md too.
        rows: Add rows to this file instead, a JSON object a line.
    """
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (clips, SIDE, SIDE, 3)).astype("uint8")
    labels, subjects = rng.integers(0, CLASSES, clips), np.arange(clips) % folds
    ways: dict[str, Iterator[np.ndarray]] = {}
    for compiled in XLA:
        config = Train(epochs=epochs + 1, batch_size=batch, learning_rate=5e-5, jit_compile=compiled)
        name = "XLA" if compiled else "no XLA"
        ways[f"one fold, fit, {name}"] = one_fold(images, labels, subjects, config, dropout)
        ways[f"all folds, {name}"] = all_folds(images, labels, subjects, config, dropout)
    spent = {name: np.median(times, axis=0) * (1 if name.startswith("all") else folds) for name, times in turns(ways)}
    text = report(spent, batch, clips, folds)
    print(text)
    if rows is not None:
        add_rows(rows, in_rows(spent, batch, clips, folds))
    elif write:
        keep("loso", text)


def report(spent: dict[str, np.ndarray], batch: int, clips: int, folds: int) -> str:
    """The table, in Markdown; ratios are to the faster of the two ways of separate training."""
    separate = np.min([v for k, v in spent.items() if k.startswith("one")], axis=0)
    columns = [
        "way",
        f"an epoch of {folds} folds, s",
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
    heading = f"## All folds at once\n\n`python benchmarks/loso.py`: STSTNet, {clips} flow images of {SIDE} x {SIDE}, "
    heading += f"{folds} folds, batch {batch}; {keras.backend.backend()}, {processor()}.\n"
    heading += "Separate training is `fit` of one fold, times the folds; epochs of all ways in turns, medians.\n\n"
    return heading + table(columns, rows)


def in_rows(spent: dict[str, np.ndarray], batch: int, clips: int, folds: int) -> Iterator[Row]:
    """The same as rows; the share is of the faster of the two ways of separate training."""
    separate = min(wall for name, (wall, _) in spent.items() if name.startswith("one"))
    for name, (wall, _) in spent.items():
        note = f"{folds} folds of {clips} clips, batch {batch}; share: how many times the rate of fold by fold"
        yield Row(device_name(), "STSTNet, an epoch", name, "float32", wall, "s", separate / wall, note)


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
    folds = 1 + subjects.max()
    models = [network(dropout) for _ in range(folds)]
    truth = np.where(subjects[:, None] == np.arange(folds), -1, labels[:, None])
    training = AllFolds(models, images, truth, config, 0, dropout)
    for _ in range(config.epochs):
        yield timed(training.epoch)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
