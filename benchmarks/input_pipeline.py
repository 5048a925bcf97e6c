"""Windows a second that a training takes from files, from memory, and of its bare step.

    python benchmarks/input_pipeline.py          # prints the table and writes it into benchmarks/RESULTS.md

The embedded network of each kind of input is trained on noise in the place of decoded records and cached features: from
memory; from files, as where a data set exceeds the budget of memory; and by its compiled step alone, again and again on
one batch that lies on the device. Sources take turns, and the
medians of their second epochs count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import keras
import numpy as np
import tyro
from device import device_name
from model_steps import again
from results import Row, add_rows, keep, measured_once, processor, table, timed

from mer_tf.arrays import save_array
from mer_tf.config import Experiment
from mer_tf.datasets.windows import plan_windows
from mer_tf.inputs import shelf
from mer_tf.inputs.batches import FeatureStore, Viewed, WindowBatches, input_names
from mer_tf.inputs.blocks import BlockStore
from mer_tf.inputs.feature_cache import mapped
from mer_tf.inputs.flow_images import flow_image_store
from mer_tf.inputs.images import image_store
from mer_tf.inputs.stream import stream
from mer_tf.models.kinds import Network
from mer_tf.runner import declared
from mer_tf.training.trainer import compile_model

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
LENGTH = 20
CLASSES = ("a", "b", "c")
FEATURES = {"exp2_vggface_lstm": (256,), "exp5_attention_lstm": (3, 3, 64), "exp6_gia_bia_bilstm": (10, 10, 64)}
KINDS = (*FEATURES, "exp4_cnn_lstm_fusion", "exp8_megc2019")
Timed = Callable[[], Any]


def main(
    clips: int = 64,
    size: int = 96,
    rounds: int = 3,
    kinds: Sequence[str] = KINDS,
    write: bool = True,
    rows: Path | None = None,
    keep_in: Path | None = None,
) -> None:
    """Measure, print the table, and write it into RESULTS.md.

    Args:
        clips: Clips of 20 frames.
        size: Side of the stored frames, pixels.
        rounds: Trainings from each source.
        kinds: Scripts of experiments/, whose embedded networks are trained.
        write: Write the table into RESULTS.md too.
        rows: Add rows to this file instead, a JSON object a line.
        keep_in: Folder for what was measured of each kind, which is not measured again.
    """
    lines = []
    settings = [f"clips={clips}", f"size={size}", f"rounds={rounds}"]
    with TemporaryDirectory(prefix="input-") as folder:
        for kind in kinds:
            measure = partial(
                measured, declared(EXPERIMENTS / f"{kind}.py", "embedded"), clips, size, rounds, Path(folder) / kind
            )
            lines += measured_once((keep_in or Path(folder)) / f"{kind}.json", settings, measure)["lines"]
            print(lines[-3:], flush=True)
            if rows is not None:
                add_rows(rows, [in_row(line) for line in lines[-3:]])
    columns = ["trained", "from", "windows/s", "of memory's", "windows a CPU second", "of memory's"]
    text = f"{heading(clips, size)}\n\n{table(columns, lines)}"
    print(text)
    if write and rows is None:
        keep("input-pipeline", text)


def in_row(line: list[str]) -> Row:
    """A line of the table as a row; the share is of the rate from memory."""
    name, source, rate, share, by_cpu, share_by_cpu = line
    note = f"{by_cpu} windows a CPU second, {share_by_cpu}; shares: of the rate from memory"
    return Row(device_name(), "training from", name, source, float(rate), "windows/s", float(share[:-1]) / 100, note)


def measured(experiment: Experiment, clips: int, size: int, rounds: int, folder: Path) -> dict[str, list[list[str]]]:
    """The `lines` of the table for one experiment."""
    memory, files = both_stores(experiment, clips, size, folder)
    labels = {f"{k}": k % len(CLASSES) for k in range(clips)}
    plan = plan_windows(labels, memory.length, experiment.clip, CLASSES, 0)
    assert isinstance(experiment.model, Network)
    model = experiment.model.build(memory.shape, len(CLASSES))
    compile_model(model, experiment.train)
    frames, size = experiment.clip.frames, experiment.train.batch_size
    sources = [WindowBatches(s, plan, labels, frames, size, 0, input_names(model)) for s in (memory, files)]
    ways: dict[str, Timed] = {"memory": lambda: second_epoch(model, sources[0])}
    ways |= {"files": lambda: second_epoch(model, sources[1]), "bare step": lambda: bare(model, sources[0])}
    spent: dict[str, list[Any]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            spent[name].append(way())
    rates = {name: len(sources[0]) * size / np.median(times, axis=0) for name, times in spent.items()}
    lines = []
    for name, rate in rates.items():
        share = [f"{part:.1%}" for part in rate / rates["memory"]]
        lines.append([experiment.name, name, f"{rate[0]:.1f}", share[0], f"{rate[1]:.1f}", share[1]])
    return {"lines": lines}


def both_stores(experiment: Experiment, clips: int, size: int, folder: Path) -> tuple[Any, Any]:
    """What the model takes, in memory and in files."""
    found = []
    for budget in (2**40, 0):
        with patch.object(shelf, "IN_MEMORY", budget):
            if (shape := FEATURES.get(experiment.name)) is None:
                found.append(pictures(experiment, clips, size, None if budget else folder))
                continue
            store = features(clips, shape, None if budget else folder)
            found.append(with_blocks(store) if experiment.model.shows == "block weights" else store)
    return found[0], found[1]


def features(clips: int, shape: tuple[int, ...], folder: Path | None) -> FeatureStore:
    """Noise for features, in files if a folder is named."""
    rng = np.random.default_rng(0)
    drawn = ((f"{k}", rng.normal(size=(LENGTH, *shape)).astype("float32")) for k in range(clips))
    if folder is None:
        held = dict(drawn)
        return FeatureStore(held, held)
    folder.mkdir(parents=True)
    filed = Viewed({name: save_array(folder / f"{name}.npy", values) for name, values in drawn}, mapped)
    return FeatureStore(filed, filed)


def with_blocks(store: FeatureStore) -> BlockStore:
    """The same with ten blocks of a face."""
    centres = {name: np.full((10, 2), 4, "float32") for name in store.plain}
    return BlockStore(store, (centres, centres), dict.fromkeys(centres, LENGTH // 2), (0.0, 8.0))


def pictures(experiment: Experiment, clips: int, size: int, folder: Path | None) -> Any:
    """Noise for images and flow, or for one flow image a clip, as they are once records were decoded."""
    single = getattr(experiment.model, "takes", "") == "flow image"
    flow_from = "onset" if single else "previous"
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (LENGTH, size, size, 3), np.uint8) for _ in range(clips)]
    flow = rng.normal(size=(LENGTH - 1, size, size, 2)).astype("float16")
    if single:
        drawn = ((f"{k}", each, flow, LENGTH // 2) for k, each in enumerate(frames))
        return flow_image_store(drawn, experiment.clip, folder)
    return image_store(((f"{k}", each, flow) for k, each in enumerate(frames)), experiment.clip, flow_from, folder)


def second_epoch(model: keras.Model, data: WindowBatches) -> tuple[float, float]:
    """Seconds and CPU seconds from the end of the first epoch to the end of the second."""
    ends: list[tuple[float, float]] = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: ends.append((time.perf_counter(), time.process_time()))
    )
    model.fit(stream(data), epochs=2, steps_per_epoch=len(data), verbose=0, shuffle=False, callbacks=[note])
    return ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]


def bare(model: keras.Model, data: WindowBatches) -> np.ndarray:
    """Seconds and CPU seconds of as many steps on one batch of the device, in the same loop of Keras."""
    batch = data.take(next(data.epochs())[0])
    model.fit(again(batch, 1), steps_per_epoch=1, verbose=0)
    return timed(partial(model.fit, again(batch, len(data)), steps_per_epoch=len(data), verbose=0))


def heading(clips: int, size: int) -> str:
    """What was measured, and where."""
    return (
        f"## Input\n\n`python benchmarks/input_pipeline.py`: {clips} clips of {LENGTH} frames of {size} px, "
        f"the embedded networks.\n{keras.backend.backend()} on {processor()}."
    )


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
