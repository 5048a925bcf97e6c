"""Forward pass and training step of every experiment's network: how near they come to what the device can do.

    python benchmarks/train_step.py                          # the embedded settings, on whatever device there is
    python benchmarks/train_step.py --preset paper           # full widths and sizes, for a GPU
    python benchmarks/train_step.py experiments/exp2_vggface_lstm.py --changes model.retrain_from=conv4

Each network is trained and evaluated by Keras' own loops on a batch of its experiment, repeated; the first epoch is not
counted, of three more the fastest is. All variants begin with the same weights, so that their losses must agree, which
the last column shows. Dropout is off for that, and every part of a network is trained. Operations are counted by
`flops.py`; the share is that of the device's own rate of matrix products, measured in the same run and precision.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from unittest.mock import patch

import keras
import numpy as np
import tyro
from device import device_name, matrix_rate, on_gpu
from flops import TRAINING, forward_flops
from resnet50 import resnet50_table
from results import keep, measured_once, table

from mer_tf.changes import changed
from mer_tf.config import GRADCAM, Experiment, Train
from mer_tf.inputs.batches import WindowBatches, input_names
from mer_tf.models.layers import shared as own_layers
from mer_tf.models.layers.shared import FoldTime
from mer_tf.overrides import read_words
from mer_tf.protocols.workbench import Bench
from mer_tf.runner import declared, open_bench
from mer_tf.training.trainer import compile_model

SCRIPTS = tuple(sorted((Path(__file__).parents[1] / "experiments").glob("exp[1-68]*.py")))
"""Those that declare one network; `--changes model.name=rcn` takes another on the same data."""
SMALL_DATA = {"data.subjects": 3, "data.clips_per_class": 1, "model.dropout": 0.0}
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
COLUMNS = ["network", "time", "XLA", "precision", "forward, frames/s", "of the device", "step, frames/s"]
COLUMNS += ["of the device", "first step, s", "first loss"]
ROUNDS = 3
"""Epochs of `steps` that are timed after one that is not."""
Batch = tuple[dict[str, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Speed:
    """What was measured of one variant."""

    variant: tuple[str, str, str, str]
    """Network, how it folds time, whether XLA compiled it, precision."""
    frames: int
    """In the batch."""
    operations: float
    """Of a forward pass."""
    forward: float
    """Seconds of a forward pass with its loss."""
    step: float
    """Seconds of a training step."""
    first: float
    """Seconds of the first step, which compiles."""
    loss: float
    """Of the first step."""


def main(
    scripts: tyro.conf.Positional[tuple[Path, ...]] = SCRIPTS,
    preset: Literal["paper", "embedded"] = "embedded",
    changes: tuple[str, ...] = (),
    steps: int = 8,
    keep_in: Path | None = None,
    write: bool = True,
) -> None:
    """Measure, print the table, and write it into RESULTS.md.

    Args:
        scripts: Experiments.
        preset: Which of their two declarations.
        changes: Settings to change, as train.batch_size=8 clip.side=48.
        steps: Steps of an epoch.
        keep_in: Folder for what was measured of each experiment, which is not measured again.
        write: Write the tables into RESULTS.md too.
    """
    experiments = [
        declared(script, preset, {**SMALL_DATA, **read_words(changes, declared(script, preset))}) for script in scripts
    ]
    with ExitStack() as stack:
        folder = keep_in or Path(stack.enter_context(TemporaryDirectory(prefix="train-step-")))
        settings = [preset, *changes, f"steps={steps}"]
        found = [
            measured_once(folder / f"{e.name}.json", settings, partial(speeds_and_rates, e, steps)) for e in experiments
        ]
    speeds = [Speed(**speed) for part in found for speed in part["speeds"]]
    rates = {dtype: max(part["rates"][dtype] for part in found) for dtype in POLICIES}
    given = "" if scripts == SCRIPTS else " ".join(["", *(f"experiments/{script.name}" for script in scripts)])
    measure = ", ".join(f"{rate / 1e12:.3g} TFLOP/s in {dtype}" for dtype, rate in rates.items())
    text = "\n".join(
        [
            f"## Training step: {device_name()}, {keras.backend.backend()}\n",
            f"`python benchmarks/train_step.py{given} --preset {preset}`. The device multiplies matrices at "
            f"{measure}.\n",
            table(COLUMNS, [line(speed, rates) for speed in speeds]),
            "\n" + resnet50_table(),
        ]
    )
    print(text)
    if write:
        keep(f"train-step {'gpu' if on_gpu() else 'cpu'} {keras.backend.backend()} {preset}", text)


def speeds_and_rates(experiment: Experiment, steps: int) -> dict[str, Any]:
    """The variants of one experiment, speeds, and the device's rates beside them."""
    found, rates = [], dict.fromkeys(POLICIES, 0.0)
    with TemporaryDirectory(prefix="train-step-") as folder:
        for speed in measured(experiment, rates, steps, Path(folder)):
            print(speed, file=sys.stderr, flush=True)
            found.append(asdict(speed))
    return {"speeds": found, "rates": rates}


def measured(experiment: Experiment, rates: dict[str, float], steps: int, folder: Path) -> Iterator[Speed]:
    """Each variant of one experiment's network; data are drawn into `folder`.

    The device's rate is measured anew beside each, and `rates` keeps the best: another's work must not make it small.
    """
    if getattr(experiment.model, "retrain_from", None) == GRADCAM:  # chosen in a fold, of which there is none here
        experiment = changed(experiment, {"model.retrain_from": "conv4_3"})
    bench, _ = open_bench(replace(experiment, data=replace(experiment.data, cache=str(folder / "data"))), folder)
    batch, weights = one_batch(bench), []
    frames = len(batch[1]) * (1 if "flow_image" in batch[0] else next(iter(batch[0].values())).shape[1])
    for dtype, streamed, xla in product(POLICIES, ("folded", "TimeDistributed"), (True, False)):
        model = variant(bench, streamed, POLICIES[dtype])
        if model is None or (streamed != "folded" and dtype != "float32"):
            continue
        weights = weights or model.get_weights()
        model.set_weights(weights)
        rates[dtype] = max(rates[dtype], matrix_rate(dtype))
        found = timed(model, replace(experiment.train, jit_compile=xla), batch, steps)
        names = (experiment.name, streamed, "yes" if xla else "no", dtype)
        yield Speed(names, frames, forward_flops(model, batch[0]), *found)
    keras.config.set_dtype_policy("float32")


def line(speed: Speed, rates: dict[str, float]) -> list[str]:
    """A line of the table."""
    rate = rates[speed.variant[-1]]
    cells = [*speed.variant]
    for seconds, times in ((speed.forward, 1), (speed.step, TRAINING)):
        cells += [f"{speed.frames / seconds:.0f}", f"{times * speed.operations / seconds / rate:.1%}"]
    return [*cells, f"{speed.first:.1f}", f"{speed.loss:.4f}"]


def one_batch(bench: Bench) -> Batch:
    """A training batch of the experiment: its windows, repeated where drawn data have fewer, classes in turn."""
    experiment = bench.experiment
    windows, _ = bench.windows()
    labels = {w.clip_id: k % len(bench.classes) for k, w in enumerate(windows)}
    names = input_names(bench.trainer().model)
    size = experiment.train.batch_size
    plan = [windows[k % len(windows)] for k in range(size)]
    data = WindowBatches(bench.store, plan, labels, experiment.clip.frames, size, 0, names)
    return data.take(next(data.epochs())[0])


def variant(bench: Bench, streamed: str, policy: str) -> Any | None:
    """A new model of the experiment; None where it has no time to fold and TimeDistributed was asked for."""
    trainer = bench.trainer()
    keras.config.set_dtype_policy(policy)  # after the trainer, which sets it as well
    if streamed == "folded":
        return trainer.build()
    if not any(isinstance(layer, FoldTime) for layer in trainer.model._flatten_layers()):
        return None
    with patch.object(own_layers, "FoldTime", keras.layers.TimeDistributed):
        return trainer.build()


def timed(model: Any, train: Train, batch: Batch, steps: int) -> tuple[float, float, float, float]:
    """The last four of `Speed`: the model trained and evaluated on one batch again and again, the fastest round."""
    compile_model(model, train)
    data, clock = Repeated(batch, steps), Clock()
    start = time.perf_counter()
    loss = float(model.train_on_batch(*batch)[0])
    first = time.perf_counter() - start
    model.fit(data, epochs=ROUNDS + 1, verbose=0, shuffle=False, callbacks=[clock])
    for _ in range(ROUNDS + 1):
        model.evaluate(data, verbose=0, callbacks=[clock])
    return min(clock.tests[1:]) / steps, min(clock.epochs[1:]) / steps, first, loss


class Repeated(keras.utils.PyDataset):
    """The same batch a number of times."""

    def __init__(self, batch: Batch, steps: int) -> None:
        super().__init__()
        self.batch, self.steps = batch, steps

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self.steps

    def __getitem__(self, number: int) -> Batch:
        """The batch."""
        return self.batch


class Clock(keras.callbacks.Callback):
    """Seconds of every epoch and of every evaluation; both end when the device has."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[float] = []
        self.tests: list[float] = []
        self._start = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Stop."""
        self.epochs.append(time.perf_counter() - self._start)

    def on_test_begin(self, logs: Any = None) -> None:
        """Start."""
        self._start = time.perf_counter()

    def on_test_end(self, logs: Any = None) -> None:
        """Stop."""
        self.tests.append(time.perf_counter() - self._start)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
