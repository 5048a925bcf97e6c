"""Frames a second of one training step of every network, and its share of the device's own rate of matrix products.

    python benchmarks/model_steps.py                                     # all networks in bfloat16, full widths
    python benchmarks/model_steps.py --names exp2_vggface_lstm ststnet --preset embedded --steps 2

Networks are made by their declarations alone and given noise that lies on the device (`declared.py`), so that neither
TensorFlow nor mtcnn is needed. `train_step.py` measures drawn clips instead, and forward passes beside steps.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import keras
import tyro
from declared import Declared, experiments, network
from device import device_name, matrix_rate
from flops import TRAINING, forward_flops
from results import Row, add_rows

from mer_tf.config import Experiment, Preset
from mer_tf.overrides import read_words
from mer_tf.training.trainer import compile_model

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
ROUNDS = 2
"""Epochs of `steps` that are timed after one that compiles."""


def main(
    names: tuple[str, ...] = (),
    preset: Preset = "paper",
    precision: Literal["float32", "bfloat16"] = "bfloat16",
    changes: tuple[str, ...] = (),
    steps: int = 20,
    seconds: float = 240,
    rows: Path = Path("rows.jsonl"),
) -> None:
    """Measure one network after the other; each is a row as soon as it is known.

    Args:
        names: Networks; all without it.
        preset: Which of the declarations of an experiment.
        precision: Of products; weights stay float32.
        changes: Settings to change in all of them, as train.batch_size=8.
        steps: Steps of a round.
        seconds: No network is begun after so many.
        rows: File to add to, a JSON object a line.
    """
    begun, device = time.monotonic(), device_name()
    rate = matrix_rate(precision)
    add_rows(rows, [Row(device, "matrix products", "square", precision, rate / 1e12, "TFLOP/s", 1.0)])
    for name, experiment in experiments(preset).items():
        if names and name not in names:
            continue
        row = Row(device, "training step", name, precision, unit="frames/s")
        if time.monotonic() - begun > seconds:
            add_rows(rows, [replace(row, note=f"left out: {seconds:.0f} s are over")])
            continue
        given = read_words(changes, experiment)
        add_rows(rows, [tried(row, experiment, given, rate, steps)])


def tried(row: Row, experiment: Experiment, given: dict[str, Any], rate: float, steps: int) -> Row:
    """The row with what was measured; with the error, in short, where one network cannot run: the others still can."""
    from mer_tf.changes import changed

    try:
        keras.config.set_dtype_policy(POLICIES[row.variant])
        one = network(row.what, changed(experiment, given))
        operations = TRAINING * forward_flops(one.build(), one.batch[0])
        first, spent = step_seconds(one, steps)
    except Exception as error:
        return replace(row, note=f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
    finally:
        keras.config.set_dtype_policy("float32")
        keras.backend.clear_session()
    size = len(one.batch[1])
    note = f"batch {size}, {1000 * spent:.2f} ms a step, the first {first:.1f} s"
    return replace(row, value=one.frames / spent, share=operations / spent / rate, note=note)


def step_seconds(one: Declared, steps: int) -> tuple[float, float]:
    """Seconds of the first step, which compiles, and of one in the fastest round of Keras' own loop."""
    model = one.build()
    compile_model(model, replace(one.experiment.train, jit_compile=True))
    spent = []
    for count in (1, *[steps] * ROUNDS):
        start = time.perf_counter()
        model.fit(again(one.batch, count), epochs=1, steps_per_epoch=count, verbose=0, shuffle=False)
        spent.append((time.perf_counter() - start) / count)
    return spent[0], min(spent[1:])


def again(batch: Any, count: int) -> Any:
    """One batch, on the device from the beginning, `count` times."""
    held = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensors(held).repeat(count)

    def times() -> Iterator[Any]:
        for _ in range(count):
            yield held

    return times()


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
