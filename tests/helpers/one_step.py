"""One training step of every small model from weights and a batch that no backend draws, and records to read.

python -m helpers.one_step FOLDER, where tests/ is on the path.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from helpers.small_models import SMALL
from mer_tf.config import Train
from mer_tf.inputs.batches import input_names
from mer_tf.training.trainer import compile_model

BATCH = 8


def one_step(name: str, jit_compile: bool = True) -> dict[str, np.ndarray]:
    """Logits before a step of plain gradient descent, its loss, and what it adds to each weight: - gradient."""
    small = SMALL[name]
    model = small.model()
    before = drawn([weight.shape for weight in model.weights], model.get_weights())
    model.set_weights(before)
    compile_model(model, Train(optimizer="sgd", momentum=0.0, learning_rate=1.0, jit_compile=jit_compile))
    inputs, labels = small.batch(BATCH, input_names(model))
    logits = np.asarray(model.predict_on_batch(inputs))
    loss = np.array(model.train_on_batch(inputs, labels)[0])
    names = [f"step {number} {weight.path}" for number, weight in enumerate(model.weights)]
    steps = [after - start for after, start in zip(model.get_weights(), before, strict=True)]
    return {"loss": loss, "logits": logits, **dict(zip(names, steps, strict=True))}


def drawn(shapes: Sequence[tuple[int, ...]], initial: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Kernels from NumPy's generator; biases and statistics as they begin."""
    rng = np.random.default_rng(0)
    return [
        rng.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape).astype("float32") if len(shape) > 1 else value
        for shape, value in zip(shapes, initial, strict=True)
    ]


def records(folder: Path) -> None:
    """Records of tiny clips, and beside them the frames and flow that TensorFlow reads in them."""
    from helpers.tensorflow_reader import tensorflow_clips
    from helpers.tiny_clips import TINY, make_rows
    from mer_tf.records.write import write_records

    directory = write_records(make_rows(folder / "source"), TINY, folder, name="records", progress=False)
    clips = tensorflow_clips(directory)
    named = {f"{c['clip_id'].decode()} {part}": c[part] for c in clips for part in ("frames", "flow")}
    np.savez(directory / "arrays.npz", **named)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for known in SMALL:
        np.savez(folder / f"{known}.npz", **one_step(known))
    records(folder)
