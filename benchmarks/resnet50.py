"""ResNet-50's training step in bfloat16, ours beside PyTorch's, on the same GPU in the same run.

Both have 224 x 224 images, 1000 classes, SGD with momentum, images and labels that stay on the device, strides on the
first convolution of a block as keras-vggface has them. PyTorch runs as fast as it offers: channels_last, autocast,
torch.compile, fused SGD.

    python benchmarks/resnet50.py --of keras      # one process each, so that neither takes the other's memory
    python benchmarks/resnet50.py --of torch
"""

from __future__ import annotations

import time
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tyro
from device import device_name, on_gpu
from results import Row, add_rows, processor, table

from mer_tf.config import Train
from mer_tf.models.encoders.vggface import build_vggface
from mer_tf.training.trainer import compile_model

SIDE, CLASSES, BATCH, STEPS = 224, 1000, 128, 30


def main(
    of: Literal["keras", "torch"],
    batch: int = BATCH,
    side: int = SIDE,
    steps: int = STEPS,
    rows: Path = Path("rows.jsonl"),
) -> None:
    """Measure one of them, as a row.

    Args:
        of: Ours in Keras, or PyTorch's.
        batch: Images in a batch.
        side: Of an image, pixels.
        steps: Timed steps.
        rows: File to add to, a JSON object a line.
    """
    if of == "keras":
        row = Row(device_name(), "ResNet-50 step", f"mer_tf, {keras.backend.backend()}", "bfloat16", unit="images/s")
        spent = keras_seconds(batch, side, steps)
    else:
        lacking = [name for name in ("torch", "torchvision") if find_spec(name) is None]
        gpu = not lacking and import_module("torch").cuda.is_available()
        device = import_module("torch").cuda.get_device_name() if gpu else processor()
        row = Row(device, "ResNet-50 step", "PyTorch, channels_last, torch.compile", "bfloat16", unit="images/s")
        if lacking:
            add_rows(rows, [replace(row, note=f"left out: {' and '.join(lacking)} not installed")])
            return
        spent = torch_seconds("cuda" if gpu else "cpu", batch, side, steps)
    add_rows(rows, [replace(row, value=batch / spent, note=f"batch {batch}, {1000 * spent:.2f} ms a step")])


def resnet50_table() -> str:
    """Images a second of both, in Markdown; or why one was left out."""
    if not on_gpu():
        return "ResNet-50 beside PyTorch: left out, Keras sees no GPU here."
    seconds = {f"mer_tf, {keras.backend.backend()}, XLA": keras_seconds()}
    if find_spec("torch") is None or find_spec("torchvision") is None:
        note = "\n\nPyTorch was left out: torch and torchvision are not both installed here."
    else:
        note, seconds["PyTorch, channels_last, autocast, torch.compile"] = "", torch_seconds("cuda")
    rows = [[name, f"{BATCH / spent:.0f}", f"{1000 * spent:.1f}"] for name, spent in seconds.items()]
    return table([f"ResNet-50, batches of {BATCH}, bfloat16", "images/s", "ms a step"], rows) + note


def keras_seconds(batch: int = BATCH, side: int = SIDE, steps: int = STEPS) -> float:
    """Seconds of our step in Keras' loop, batches prefetched by tf.data or handed over as arrays of the device."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    trunk = build_vggface("resnet50", pooling="avg", input_size=side)
    logits = keras.layers.Dense(CLASSES, dtype="float32")(trunk.output)
    model = keras.Model(trunk.inputs, logits)
    keras.config.set_dtype_policy("float32")
    compile_model(model, Train(optimizer="sgd", learning_rate=0.1))
    images, labels = drawn(batch, side)
    start = 0.0
    for count in (2, steps):  # the first two compile
        start = time.perf_counter()
        model.fit(repeated(images, labels, count), epochs=1, steps_per_epoch=count, verbose=0, shuffle=False)
    return (time.perf_counter() - start) / steps


def repeated(images: np.ndarray, labels: np.ndarray, count: int) -> Any:
    """One batch, on the device from the beginning, `count` times."""
    on_device = keras.ops.convert_to_tensor(images), keras.ops.convert_to_tensor(labels)
    if keras.backend.backend() == "jax":
        return (on_device for _ in range(count))
    data = import_module("tensorflow").data.Dataset
    return data.from_tensors(on_device).repeat(count)


def torch_seconds(device: str, batch: int = BATCH, side: int = SIDE, steps: int = STEPS) -> float:
    """Seconds of PyTorch's step."""
    torch, torchvision = import_module("torch"), import_module("torchvision")
    torch.backends.cudnn.benchmark = True
    model = torchvision.models.resnet50()
    for stage in (model.layer2, model.layer3, model.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    model = model.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, fused=device == "cuda")
    images, labels = (torch.from_numpy(a).to(device) for a in drawn(batch, side))
    images = images.permute(0, 3, 1, 2).to(memory_format=torch.channels_last)

    def step() -> Any:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    network = torch.compile(model, mode="max-autotune")
    for _ in range(10):
        loss = step()
    float(loss)  # waits
    start = time.perf_counter()
    for _ in range(steps):
        loss = step()
    float(loss)
    return (time.perf_counter() - start) / steps


def drawn(batch: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise and class indices."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(batch, side, side, 3)).astype("float32")
    return images, rng.integers(0, CLASSES, batch)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
