"""Planned windows of stored features as batches of one static shape, which XLA compiles once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from mer_tf.datasets.windows import Window


@dataclass(frozen=True)
class FeatureStore:
    """Features of every frame: clip_id -> (T, ...) float32, and of mirrored and turned copies where there are any."""

    plain: Mapping[str, np.ndarray]
    mirrored: Mapping[str, np.ndarray]
    turned: tuple[Mapping[str, np.ndarray], ...] = ()

    def clip(self, clip_id: str, copy: int = 0) -> np.ndarray:
        """Features (T, ...) of a clip: 0 as it is, 1 mirrored, 2 and more turned."""
        return (self.plain, self.mirrored, *self.turned)[copy][clip_id]

    def every(self, step: int) -> FeatureStore:
        """Every `step`-th frame from the first: the same clips at a lower frame rate."""
        plain, mirrored, *turned = (
            {k: v[::step] for k, v in side.items()} for side in (self.plain, self.mirrored, *self.turned)
        )
        return FeatureStore(plain, mirrored, tuple(turned))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one frame's features."""
        return next(iter(self.plain.values())).shape[1:]


def stack(store: FeatureStore, windows: Sequence[Window], frames: int) -> dict[str, np.ndarray]:
    """Model inputs of windows: frames (B, frames, ...), onset (B, 1, ...), mask (B, frames).

    A clip that ends before the window does is continued with its last frame, masked out.
    """
    clips = [store.clip(w.clip_id, w.copy) for w in windows]
    index = np.array([w.start for w in windows])[:, None] + np.outer([w.step for w in windows], np.arange(frames))
    last = np.array([len(c) - 1 for c in clips])[:, None]
    kept = np.minimum(index, last)
    return {
        "frames": np.stack([clip[i] for clip, i in zip(clips, kept, strict=True)]),
        "onset": np.stack([clip[:1] for clip in clips]),
        "mask": index <= last,
    }


class WindowBatches(keras.utils.PyDataset):
    """One epoch of planned windows with labels; reshuffled after each epoch by the seed.

    The last batch is filled up from the beginning of the epoch's order, so that every batch has one shape.
    """

    def __init__(
        self, store: FeatureStore, plan: Sequence[Window], labels: Mapping[str, int], frames: int, batch: int, seed: int
    ) -> None:
        super().__init__()
        self.store, self.plan, self.labels, self.frames, self.batch = store, plan, labels, frames, batch
        self.rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.plan) // self.batch)

    def __getitem__(self, number: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Inputs and class indices (B,) of one batch."""
        order = np.take(self.order, range(number * self.batch, (number + 1) * self.batch), mode="wrap")
        windows = [self.plan[i] for i in order]
        return stack(self.store, windows, self.frames), np.array([self.labels[w.clip_id] for w in windows])

    def on_epoch_end(self) -> None:
        """Draw the next epoch's order."""
        self.order = self.rng.permutation(len(self.plan))


def fixed_batches(store: FeatureStore, windows: Sequence[Window], frames: int, batch: int) -> Iterator[dict[str, Any]]:
    """Inputs of `windows` in order; the last batch is filled by repeating its last window."""
    for start in range(0, len(windows), batch):
        part = list(windows[start : start + batch])
        yield stack(store, part + part[-1:] * (batch - len(part)), frames)
