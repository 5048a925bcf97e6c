"""Windows of a clip's own images and flow, for models without a frozen encoder: X frames give X - 1 images of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from mer_tf.config import Clip, MerError
from mer_tf.datasets.windows import Window
from mer_tf.inputs.batches import fill
from mer_tf.inputs.shelf import Shelf
from mer_tf.preprocessing.segments import Short, several
from mer_tf.preprocessing.stacks import flow_stack, quantised

REST = np.array([128, 128, 0], np.uint8)
"""No motion, as `quantised` writes it."""
PROBED = 12
"""Side of the small grey pictures that baselines and probes are given, pixels."""


@dataclass(frozen=True)
class ImageStore:
    """Frames and flow images of every clip as 8 bits: clip_id -> (T, S, S, 3) and (T - 1, S, S, 3) or none.

    Entry t of the flow is the motion that leads to frame t + 1, from frame t or from frame 0.
    """

    frames: Mapping[str, np.ndarray]
    flow: Mapping[str, np.ndarray]
    flow_from: Literal["previous", "onset"] = "previous"
    short: Short = "ends"
    """What fills windows longer than their clip; see `mer_tf.preprocessing.segments`."""
    images: int = 0
    """Images of each input in a window, for models that flatten time; 0: not fixed."""

    @property
    def shape(self) -> dict[str, tuple[int, ...]]:
        """Shapes of one image by input, and `images`, the number of them in a window, where it is fixed."""
        held = {"frames": self.frames, "flow": self.flow}
        shapes = {name: next(iter(images.values())).shape[1:] for name, images in held.items() if images}
        return shapes | ({"images": (self.images,)} if self.images else {})

    @property
    def longest(self) -> int:
        return max(map(len, self.frames.values()))

    def length(self, clip_id: str) -> int:
        return len(self.frames[clip_id])

    def vectors(self, clip_id: str, frames: slice = slice(None)) -> np.ndarray:
        """Small grey pictures as vectors, float32 (T, 144)."""
        return small_greys(self.frames[clip_id][frames])

    def inputs(self, windows: Sequence[Window], frames: int, names: Collection[str]) -> dict[str, np.ndarray]:
        """frames and flow, uint8 (B, frames - 1, S, S, 3), or the one of them that is asked for.

        Frame t of a window stands beside the flow to its frame t + 1; its last frame is left out. Where a short clip's
        first or last frame is repeated nothing moves, nor where a frame follows that is not its next one: flow between
        those is not known. Copy 1 is the mirror of both, dx with its sign changed.
        """
        makers = {"frames": self._images, "flow": self._motion}
        found = {}
        for name, make in makers.items():
            if name in names:
                found[name] = np.empty((len(windows), frames - 1, *self.shape[name]), np.uint8)
                for out, window in zip(found[name], windows, strict=True):
                    make(window, out)
        return found

    def _images(self, window: Window, out: np.ndarray) -> None:
        images = self.frames[window.clip_id]
        images = images[:, :, ::-1] if window.copy else images
        if self._again(len(images), len(out)):
            np.take(images, several(len(images), len(out) + 1)[:-1], axis=0, out=out)
        else:
            fill(out, images, window.start)

    def _motion(self, window: Window, out: np.ndarray) -> None:
        flow = self.flow[window.clip_id]
        flow = flow[:, :, ::-1] if window.copy else flow
        if self._again(len(flow) + 1, len(out)):
            places = several(len(flow) + 1, len(out) + 1)
            np.take(flow, np.maximum(places[1:] - 1, 0), axis=0, out=out)
        else:
            places = np.clip(window.start + np.arange(len(out) + 1), 0, len(flow))
            fill(out, flow, window.start)
        if window.copy:
            turn(out)
        out[places[1:] <= (0 if self.flow_from == "onset" else places[:-1])] = REST

    def _again(self, length: int, images: int) -> bool:
        """Whether frames of a clip of that length are taken once more in a window that gives so many images."""
        return self.short == "several" and length <= images


def image_store(
    clips: Iterable[tuple[str, np.ndarray, np.ndarray | None]],
    config: Clip,
    flow_from: Literal["previous", "onset"],
    folder: Path | None = None,
) -> ImageStore:
    """Store of (clip_id, frames uint8 (T, S, S, 3), flow float16 (T - 1, S, S, 2)), at every `config.step`-th frame;
    without flow for models that are given frames alone.

    Flow from frame to frame over several frames is their sum, which is exact only for motion far below a pixel.
    folder: where images that memory shall not hold are kept meanwhile.
    """
    frames, flow = (Shelf(folder=folder, parts=2) for _ in range(2))
    for clip_id, images, field in clips:
        if len(images) <= config.step:
            raise MerError(f"{clip_id}: {len(images)} frames are too few for clip.step={config.step}")
        frames.put(clip_id, _resized(images[:: config.step], config.side))
        if field is None:
            continue
        motion = _every(field.astype("float32"), config.step, flow_from)
        stack = quantised(flow_stack(motion, config.third), config.flow_bound)
        flow.put(clip_id, _resized(stack, config.side))
    return ImageStore(frames, flow, flow_from, config.short, config.frames - 1)


def small_greys(images: np.ndarray) -> np.ndarray:
    """Images (T, S, S, 3) as small grey pictures, float32 (T, 144)."""
    return np.stack([small(image.mean(axis=-1)) for image in images])


def small(image: np.ndarray) -> np.ndarray:
    """An image (S, S) or (S, S, C) as a small one, float32 (144,) or (144 C,)."""
    return np.asarray(cv2.resize(image.astype("float32"), (PROBED, PROBED), interpolation=cv2.INTER_AREA).ravel())


def turn(flow: np.ndarray) -> None:
    """Turn dx of flow images (..., 3) about its rest, 128, in place: what a mirror does to it beside reversing x."""
    dx = flow[..., 0]
    np.negative(np.maximum(dx, 1, out=dx), out=dx)  # 256 - dx in 8 bits, and 255 for 0


def _every(flow: np.ndarray, step: int, flow_from: str) -> np.ndarray:
    """Flow (T - 1, S, S, 2) between, or from the first to, every `step`-th frame."""
    count = len(flow) // step
    if flow_from == "onset":
        return flow[step - 1 :: step][:count]
    return flow[: count * step].reshape(count, step, *flow.shape[1:]).sum(axis=1)


def _resized(images: np.ndarray, side: int) -> np.ndarray:
    if side in (0, images.shape[1]):
        return images
    return np.stack([cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images])
