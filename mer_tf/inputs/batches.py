"""Planned windows as batches of one static shape, which XLA compiles once, whatever store their arrays come from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np

from mer_tf.config import MerError
from mer_tf.datasets.windows import Window

INPUTS = ("frames", "onset", "mask")


class Windowed(Protocol):
    """Whatever makes windows the inputs of a model."""

    def inputs(self, windows: Sequence[Window], frames: int, names: Collection[str]) -> dict[str, np.ndarray]:
        """Model inputs, of these names, of windows of `frames` frames; the first axis is that of `windows`."""


class Store(Windowed, Protocol):
    """What is known of every frame of every clip."""

    @property
    def shape(self) -> Any:
        """What a model's builder is told of one frame."""

    @property
    def longest(self) -> int:
        """Frames of the longest clip."""

    def length(self, clip_id: str) -> int:
        """Frames of a clip."""

    def vectors(self, clip_id: str, frames: slice = slice(None)) -> np.ndarray:
        """A plain vector of each frame, float (T, D), for baselines and probes."""


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
        sides = (self.plain, self.mirrored, *self.turned)
        plain, mirrored, *turned = (Viewed(side, lambda frames: frames[::step]) for side in sides)
        return FeatureStore(plain, mirrored, tuple(turned))

    @property
    def shape(self) -> tuple[int, ...]:
        return next(iter(self.plain.values())).shape[1:]

    @property
    def longest(self) -> int:
        return max(map(len, self.plain.values()))

    def length(self, clip_id: str) -> int:
        return len(self.plain[clip_id])

    def vectors(self, clip_id: str, frames: slice = slice(None)) -> np.ndarray:
        """Features as (T, D): feature maps (T, H, W, D) are averaged over the image."""
        features = self.clip(clip_id)[frames]
        return np.asarray(features.mean(axis=tuple(range(1, features.ndim - 1))))

    def inputs(self, windows: Sequence[Window], frames: int, names: Collection[str] = INPUTS) -> dict[str, np.ndarray]:
        """Those of `names` among frames (B, frames, ...), onset (B, 1, ...), mask (B, frames); see `stack`."""
        return {name: value for name, value in stack(self, windows, frames).items() if name in names}


@dataclass(frozen=True)
class Viewed(Mapping[str, np.ndarray]):
    """What `view` makes of the entries of `held`, each when it is asked for."""

    held: Mapping[str, Any]
    view: Callable[[Any], np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.view(self.held[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


class Copies(Protocol):
    """Whatever has features of clips and their copies."""

    def clip(self, clip_id: str, copy: int = 0) -> np.ndarray:
        """Features (T, ...)."""


def stack(store: Copies, windows: Sequence[Window], frames: int) -> dict[str, np.ndarray]:
    """Model inputs of windows: frames (B, frames, ...), onset (B, 1, ...), mask (B, frames).

    A clip that ends before the window does is continued with its last frame, masked out.
    """
    clips = [store.clip(w.clip_id, w.copy) for w in windows]
    last = np.array([len(c) - 1 for c in clips])[:, None]
    index = np.array([w.start for w in windows])[:, None] + np.outer([w.step for w in windows], np.arange(frames))
    held = np.empty((len(windows), frames, *clips[0].shape[1:]), clips[0].dtype)
    for out, clip, window in zip(held, clips, windows, strict=True):
        fill(out, clip, window.start, window.step)
    return {"frames": held, "onset": np.stack([clip[:1] for clip in clips]), "mask": index <= last}


def fill(out: np.ndarray, clip: np.ndarray, start: int, step: int = 1) -> None:
    """Copy every `step`-th entry of `clip` from `start` on into `out`, its first and last repeated beyond its ends.

    By slices: an array of numbers would copy the window once more before it stands in its batch.
    """
    index = start + step * np.arange(len(out))
    before, inside = int((index < 0).sum()), int((index < len(clip)).sum())
    out[:before] = clip[0]
    if before < inside:
        out[before:inside] = clip[index[before] : index[inside - 1] + 1 : step]
    out[inside:] = clip[-1]


class WindowBatches:
    """Planned windows with labels, as batches of one shape; every epoch has an order of its own, drawn by the seed.

    The last batch is filled up from the beginning of the epoch's order. `class_weights`: class index -> weight of its
    windows in the loss.
    """

    def __init__(
        self,
        store: Windowed,
        plan: Sequence[Window],
        labels: Mapping[str, int],
        frames: int,
        batch: int,
        seed: int,
        names: Collection[str] = INPUTS,
        class_weights: Mapping[int, float] | None = None,
    ) -> None:
        self.store, self.plan, self.names, self.class_weights = store, plan, names, class_weights
        self.frames, self.batch, self.seed = frames, batch, seed
        if not plan:
            raise MerError("the plan holds no window; are the clips of this fold's training all left out?")
        if unlabelled := [w.clip_id for w in plan if w.clip_id not in labels]:
            raise MerError(f"clip {unlabelled[0]} is planned but has no label; does the label protocol drop it?")
        self.labels = np.array([labels[w.clip_id] for w in plan])

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.plan) // self.batch)

    def epochs(self) -> Iterator[np.ndarray]:
        """The order of every epoch without end: places in the plan (batches, B)."""
        rng = np.random.default_rng(self.seed)
        rng.permutation(len(self.plan))  # the loop of Keras that fixed the order of epochs drew one before the first
        while True:
            order = rng.permutation(len(self.plan))
            yield np.resize(order, (len(self), self.batch))

    def take(self, places: np.ndarray) -> tuple[Any, ...]:
        """Inputs and class indices (B,) of the windows at these places of the plan, and weights if there are any."""
        inputs = self.store.inputs([self.plan[i] for i in places], self.frames, self.names)
        labels = self.labels[places]
        if self.class_weights is None:
            return inputs, labels
        return inputs, labels, np.array([self.class_weights[k] for k in labels.tolist()], "float32")


def fixed_batches(
    store: Store, windows: Sequence[Window], frames: int, batch: int, names: Collection[str] = INPUTS
) -> Iterator[dict[str, Any]]:
    """Inputs of `windows` in order; the last batch is filled by repeating its last window."""
    for start in range(0, len(windows), batch):
        part = list(windows[start : start + batch])
        yield store.inputs(part + part[-1:] * (batch - len(part)), frames, names)


def input_names(model: keras.Model) -> tuple[str, ...]:
    """Names of a model's inputs; a reloaded model lists them without their keys."""
    return tuple(tensor.name for tensor in model.inputs)
