"""The training step of paper A's network: XLA against none, time folded into the batch against keras' TimeDistributed.

All four start from the same weights and see the same batch, so their first losses must agree; the table says how far
they differ. Dropout is off for that. Steps are timed after the first, which compiles; the fastest counts.

    python benchmarks/fusion_step.py           # the embedded experiment's widths, about 5 minutes on two cores
    python benchmarks/fusion_step.py --paper   # the paper's: 96 x 96, 19 images, batch 50, 4096 units
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import keras
import numpy as np
import tyro

from mer_tf.config import Experiment, Train
from mer_tf.models import cnn_lstm_fusion
from mer_tf.runner import declared
from mer_tf.training.trainer import compile_model

SCRIPT = Path(__file__).parents[1] / "experiments" / "exp4_cnn_lstm_fusion.py"
STREAMED = {"folded": cnn_lstm_fusion.FoldTime, "TimeDistributed": keras.layers.TimeDistributed}
CLASSES = 3


def main(paper: bool = False, steps: int = 4, batch: int = 0, frames: int = 0) -> None:
    """Measure and print the table.

    Args:
        paper: The paper's widths instead of the embedded experiment's.
        steps: Timed after the first.
        batch: Clips in a batch; 0: the experiment's.
        frames: X, of which a step has X - 1 images a stream; 0: the experiment's.
    """
    experiment = declared(SCRIPT, "paper" if paper else "embedded")
    side = experiment.clip.side or experiment.preprocess.size
    batch, images = batch or experiment.train.batch_size, (frames or experiment.clip.frames) - 1
    data = drawn(batch, images, side)
    print(f"{batch} clips of 2 x {images} images of {side} px, both streams trained")
    print(f"{keras.backend.backend()} on {os.cpu_count()} cores\n")
    print("| time | XLA | precision | first step, s | step, s | loss of the first step |")
    print("|-|-|-|-|-|-|")
    weights: list[np.ndarray] = []
    for half, streamed, compiled in product((False, True), STREAMED, (False, True)):
        if half and streamed != "folded":
            continue
        first, fastest, loss = measured(experiment, streamed, compiled, half, data, weights, steps)
        cells = (streamed, "yes" if compiled else "no", "bfloat16" if half else "float32")
        print(f"| {' | '.join(cells)} | {first:.1f} | {fastest:.2f} | {loss:.5f} |", flush=True)


def drawn(batch: int, images: int, side: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A batch of noise and class indices."""
    rng = np.random.default_rng(0)
    shape = (batch, images, side, side, 3)
    return {n: rng.integers(0, 256, shape).astype("uint8") for n in ("frames", "flow")}, rng.integers(0, CLASSES, batch)


def measured(
    experiment: Experiment,
    streamed: str,
    compiled: bool,
    half: bool,
    data: tuple[dict[str, np.ndarray], np.ndarray],
    weights: list[np.ndarray],
    steps: int,
) -> tuple[float, float, float]:
    """Seconds of the first and of the fastest later step, and the loss of the first; `weights` are shared by all."""
    side = data[0]["frames"].shape[2]
    config = replace(experiment.model, dropout=0.0)
    keras.config.set_dtype_policy("mixed_bfloat16" if half else "float32")
    with patch.object(cnn_lstm_fusion, "FoldTime", STREAMED[streamed]):
        model: Any = cnn_lstm_fusion.build(config, {n: (side, side, 3) for n in data[0]}, CLASSES)
    weights[:] = weights or model.get_weights()
    model.set_weights(weights)
    compile_model(model, Train(learning_rate=5e-4, jit_compile=compiled))
    times, losses = [], []
    for _ in range(steps + 1):
        start = time.perf_counter()
        losses.append(float(model.train_on_batch(*data)[0]))
        times.append(time.perf_counter() - start)
    keras.config.set_dtype_policy("float32")
    return times[0], min(times[1:]), losses[0]


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
