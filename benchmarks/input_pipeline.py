"""Windows a second from TFRecords, beside the same arrays in memory and beside what the disk itself reads.

    python benchmarks/input_pipeline.py          # prints the tables and writes them into benchmarks/RESULTS.md

Every source gives the same windows, each once an epoch, in batches and shuffled. The limit of records is reading their
files and nothing else, once out of the system's cache and once from it. The second table trains one model from either:
paper A's CNN on frames, which the step must wait for if they come late.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import keras
import numpy as np
import tyro
from preprocess import FRAMES, draw_clips
from results import keep, processor, table

from mer_tf.config import Clip, Preprocess, Train
from mer_tf.datasets.manifest import ClipRow
from mer_tf.datasets.windows import LabelledClip, Window, cut_windows
from mer_tf.inputs.batches import FeatureStore, WindowBatches
from mer_tf.inputs.images import image_store
from mer_tf.models.cnn_lstm_fusion import CnnLstmFusion, Fusion
from mer_tf.records.index import read_index
from mer_tf.records.read import clip_dataset, window_dataset
from mer_tf.records.write import write_records
from mer_tf.training.trainer import compile_model

CLASSES = ("a", "b", "c")
NARROW = Fusion(streams="spatial", channels=(24, 64, 96, 96, 64), fc_units=256, fc8_units=64)
Epoch = Callable[[], Iterable[Any]]


def main(
    clips: int = 64, size: int = 96, frames: int = 13, batch: int = 16, rounds: int = 4, write: bool = True
) -> None:
    """Measure, print the tables, and write them into RESULTS.md.

    Args:
        clips: Clips of 20 frames.
        size: Side of the stored frames, pixels.
        frames: Of a window.
        batch: Windows of a batch.
        rounds: Epochs that are measured, after one that is not: the median of reading, the fastest of training.
        write: Write the tables into RESULTS.md too.
    """
    folder = Path(mkdtemp(prefix="input-"))
    try:
        rows = draw_clips(folder / "source", clips)
        stored = {kind: records(rows, size, folder, kind) for kind in ("raw", "png")}
        text = "\n\n".join([heading(clips, size, frames, batch), *measured(rows, stored, frames, batch, rounds)])
    finally:
        shutil.rmtree(folder)
    print(text)
    if write:
        keep("input-pipeline", text)


def records(rows: Sequence[ClipRow], size: int, folder: Path, kind: str) -> Path:
    """Record directory of whole frames and flow."""
    config = replace(Preprocess(face="none", size=size, flow="dis"), image_format=kind)  # type: ignore[arg-type]
    return write_records(rows, config, folder / kind, workers=os.cpu_count() or 1, progress=False)


def measured(rows: Sequence[ClipRow], stored: dict[str, Path], frames: int, batch: int, rounds: int) -> tuple[str, str]:
    """Both tables."""
    labels = {row.clip_id: k % len(CLASSES) for k, row in enumerate(rows)}
    config = Clip(frames=frames, stride=1, non_micro_stride=1, mirror=True)
    windows = cut_windows([LabelledClip(name, FRAMES, label) for name, label in labels.items()], config, CLASSES)
    plan = [replace(window, copy=side) for window in windows for side in (0, 1)]
    held = {x["clip_id"].decode(): x for x in clip_dataset(stored["raw"], flow=True).as_numpy_iterator()}
    memory = in_memory(held, config, plan, labels, batch)
    sources = memory | from_records(stored, frames, plan, labels, batch)
    rates = {name: len(plan) / seconds(epoch, rounds) for name, epoch in sources.items()}
    lines = [[name, f"{rate:.0f}"] for name, rate in rates.items()]
    for kind, directory in stored.items():
        for cached in (False, True):
            spent = float(np.median([disk_seconds(directory, cached) for _ in range(rounds)]))
            state = "from the system's cache" if cached else "from the disk"
            lines.append([f"files alone, {kind}, {state}", f"{len(plan) / spent:.0f}"])
    endless = memory | from_records(stored, frames, plan, labels, batch, repeat=True)
    return table([f"source of {len(plan)} windows", "windows/s"], lines), trained(endless, len(plan), batch, rounds)


def in_memory(
    held: dict[str, Any], config: Clip, plan: list[Window], labels: dict[str, int], batch: int
) -> dict[str, Epoch]:
    """Batches of arrays that are in memory."""
    clips = {name: x["frames"] for name, x in held.items()}
    plain = FeatureStore(clips, {name: value[:, :, ::-1] for name, value in clips.items()})
    both = image_store(((name, x["frames"], x["flow"]) for name, x in held.items()), config, "previous")
    return {
        "memory: frames": lambda: WindowBatches(
            plain, plan, labels, config.frames, batch, 0, ("frames", "onset", "mask")
        ),
        "memory: frames and flow images": lambda: WindowBatches(
            both, plan, labels, config.frames, batch, 0, ("frames", "flow")
        ),
    }


def from_records(
    stored: dict[str, Path], frames: int, plan: list[Window], labels: dict[str, int], batch: int, repeat: bool = False
) -> dict[str, Epoch]:
    """The same windows by tf.data, with `repeat` without end."""
    options: dict[str, Any] = {"labels": labels, "frames": frames, "batch_size": batch, "seed": 0, "repeat": repeat}
    made = {
        (kind, flow): window_dataset(directory, plan, flow=flow, **options)
        for kind, directory in stored.items()
        for flow in (False, True)
    }
    return {
        f"records, {kind}: frames{' and flow' * flow}": lambda data=data: data  # type: ignore[misc]
        for (kind, flow), data in made.items()
    }


def seconds(epoch: Epoch, rounds: int) -> float:
    """Median seconds of going through an epoch, after a first that is not counted."""
    spent = []
    for _ in range(rounds + 1):
        data = epoch()
        start = time.perf_counter()
        batches = (data[k] for k in range(len(data))) if isinstance(data, keras.utils.PyDataset) else data
        for _ in batches:
            pass
        spent.append(time.perf_counter() - start)
    return float(np.median(spent[1:]))


def disk_seconds(directory: Path, cached: bool) -> float:
    """Seconds of reading all shards, 1 MiB at a time."""
    paths = read_index(directory).paths()
    for path in paths:
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
            if not cached:
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    start = time.perf_counter()
    for path in paths:
        with path.open("rb", buffering=0) as stream:
            while stream.read(2**20):
                pass
    return time.perf_counter() - start


def trained(sources: dict[str, Epoch], windows: int, batch: int, rounds: int) -> str:
    """Windows a second of one model's training from memory and from records, turn by turn.

    The fastest second epoch counts: what else the machine does in those 10 s slows one source and not the next.
    """
    names = ("memory: frames", "records, raw: frames", "records, png: frames")
    first = next(iter(sources["records, raw: frames"]()))[0]["frames"]
    model = CnnLstmFusion(fusion=NARROW).build({"frames": tuple(first.shape[2:])}, len(CLASSES))
    compile_model(model, Train(jit_compile=False))
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            spent[name].append(second_epoch(model, only_frames(sources[name]()), -(-windows // batch)))
    rates = {name: windows / np.min(times, axis=0) for name, times in spent.items()}
    lines = []
    for name, rate in rates.items():
        wall, cpu = rate / rates[names[0]] - 1
        lines.append([name, f"{rate[0]:.1f}", f"{wall:+.1%}", f"{rate[1]:.1f}", f"{cpu:+.1%}"])
    columns = ["training from", "windows/s", "against memory", "windows a CPU second", "against memory"]
    return table(columns, lines)


def second_epoch(model: keras.Model, data: Any, steps: int) -> tuple[float, float]:
    """Seconds and CPU seconds from the end of the first epoch to the end of the second."""
    ends: list[tuple[float, float]] = []
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: ends.append((time.perf_counter(), time.process_time()))
    )
    model.fit(data, epochs=2, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[note])
    return ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]


def only_frames(data: Any) -> Any:
    """Batches of what the model takes."""
    if isinstance(data, WindowBatches):
        data.names = ("frames",)
        return data
    return data.map(lambda inputs, label: ({"frames": inputs["frames"]}, label))


def heading(clips: int, size: int, frames: int, batch: int) -> str:
    """What was measured, and where."""
    return (
        f"## Input\n\n`python benchmarks/input_pipeline.py`: {clips} clips of {FRAMES} frames of {size} px, windows of "
        f"{frames}\nframes and their mirrors in batches of {batch}. {keras.backend.backend()} on {processor()}."
    )


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
