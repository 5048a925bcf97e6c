"""What a preprocessing job will cost, before it starts: three of its clips are processed, the others are reckoned."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from scipy.optimize import nnls

from mer_tf.config import MerError, Preprocess
from mer_tf.datasets.manifest import ClipRow
from mer_tf.progress import Progress
from mer_tf.records.shards import Outcome, plan_shards, read_sidecar, row_outcome

Item = TypeVar("Item")
PLACES = (1 / 6, 3 / 6, 5 / 6)
"""Which clips are measured: their places among all clips, from the shortest to the longest."""


@dataclass(frozen=True)
class Cost:
    """What is to be done, and what it takes."""

    clips: int
    frames: int
    there: int
    """Clips whose shards are there already; they are not among `clips`."""
    bytes: int
    """Of the shards to be written."""
    processor: float
    """Seconds of one processor."""
    start: float
    """Seconds until the first clip can begin, in each process."""
    free: int
    """Bytes that the disk has left."""
    measured: tuple[int, ...]
    """Frames of the clips that were processed."""
    alone: float = 0.0
    """Seconds of `processor` that one process takes, however many there are."""
    names: tuple[str, str, str] = ("clips to write", "records", "clips")
    """What is counted, what is written, what was measured."""
    doubt: int = 0
    """Bytes by which there may be more or fewer, where what is not yet known decides."""

    def wall(self, workers: int) -> float:
        """Seconds by the clock with so many processes that have a processor each."""
        return self.start + self.alone + (self.processor - self.alone) / workers

    def text(self, workers: int) -> str:
        """Lines for a person, among them the time with `workers` processes."""
        there = f", {self.there} are there" if self.there else ""
        lengths = ", ".join(map(str, self.measured))
        clocks = (f"--workers {n}: {_span(self.wall(n))}" for n in sorted({1, workers, 8, 64}))
        counted, written, measured = self.names
        doubt = f", give or take {self.doubt / 2**20:.1f}" if self.doubt else ""
        lines = {
            counted: f"{self.clips}, of {self.frames} frames{there}",
            written: f"{self.bytes / 2**20:.1f} MiB{doubt}; the disk has {self.free / 2**20:.0f} MiB left",
            "one processor": f"{_span(self.processor)}, reckoned from {measured} of {lengths or 'no'} frames",
            "by the clock": f"{', '.join(clocks)}, with a processor for each",
        }
        return "\n".join(f"{name:<18} {text}" for name, text in lines.items())


def job_cost(rows: Sequence[ClipRow], config: Preprocess, directory: Path) -> Cost:
    """What is left of the records of `rows` in `directory`; nothing is written.

    A clip takes some time as such (its face is looked for) and some a frame; both come from three clips of different
    lengths. Clips in which no face is found, as all others, count as the measured ones do. `MerError` when none of
    these three can be processed.
    """
    missing = [shard for shard in plan_shards(rows, config, directory) if read_sidecar(shard) is None]
    todo = sorted((row for shard in missing for row in shard.rows), key=frames_of)
    free, frames = room(directory), np.array([frames_of(row) for row in todo])
    done = len(rows) - len(todo)
    if not todo:
        return Cost(0, 0, done, 0, 0.0, 0.0, free, ())
    chosen = spread(todo)
    start = _timed(chosen[0], config)[1]
    tried = {frames_of(row): _timed(row, config) for row in chosen}
    good = {length: (one, seconds) for length, (one, seconds) in tried.items() if one.serialized}
    if not good:
        raise MerError(f"none of three clips can be processed; the first: {tried[min(tried)][0].entry['reason']}")
    lengths = np.array(list(good), float)
    seconds = np.array([seconds for _, seconds in good.values()])
    (clip, frame), _ = nnls(np.stack([np.ones_like(lengths), lengths], axis=1), seconds)
    share = sum(len(one.serialized) for one, _ in good.values()) / lengths.sum()
    return Cost(
        clips=len(todo),
        frames=int(frames.sum()),
        there=done,
        bytes=int(share * frames.sum()),
        processor=float(clip * len(todo) + frame * frames.sum()),
        start=max(0.0, start - tried[frames_of(chosen[0])][1]),
        free=free,
        measured=tuple(good),
    )


def room(directory: Path) -> int:
    """Bytes that the disk has left on which `directory` is, or will be."""
    home = next(folder for folder in (directory, *directory.absolute().parents) if folder.exists())
    return shutil.disk_usage(home).free


def spread(items: Sequence[Item]) -> list[Item]:
    """Three of many sorted items, those at a sixth, a half and five sixths of them; of fewer than three all."""
    return list(items) if len(items) < 3 else [items[int(place * len(items))] for place in PLACES]


def frames_of(row: ClipRow) -> int:
    """From onset to offset."""
    return row.offset - row.onset + 1


def _timed(row: ClipRow, config: Preprocess) -> tuple[Outcome, float]:
    """What becomes of a row, and seconds of the processor."""
    begun = time.process_time()
    return row_outcome(row, config), time.process_time() - begun


def _span(seconds: float) -> str:
    """Seconds as [hours:]minutes:seconds."""
    return str(Progress.format_interval(round(seconds)))
