"""One flow image a clip, onset to apex: u, v and optical strain, each stretched to 0..255, for the networks of MEGC."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from mer_tf.config import Clip
from mer_tf.datasets.windows import Window
from mer_tf.inputs.images import small
from mer_tf.inputs.shelf import Shelf
from mer_tf.models.kinds import FLOW_SIDE
from mer_tf.preprocessing.augment import mirrored_flow_image
from mer_tf.preprocessing.stacks import flow_stack, min_max

log = logging.getLogger(__name__)
AT_ONSET = "clip %s: its apex is its onset, so %s; leave it out or estimate its apex (`mer-tf manifest --doubtful`)"


@dataclass(frozen=True)
class FlowImageStore:
    """Flow images as 8 bits: clip_id -> (S, S, 3), channels u, v, strain. A clip counts as one frame."""

    images: Mapping[str, np.ndarray]
    onsets: Mapping[str, np.ndarray] = field(default_factory=dict)
    """clip_id -> the first frame, uint8 (H, W, 3), where it is known: what the onset baseline is given."""

    @property
    def shape(self) -> dict[str, tuple[int, ...]]:
        return {"flow_image": next(iter(self.images.values())).shape}

    @property
    def longest(self) -> int:
        return 1

    def length(self, clip_id: str) -> int:
        return 1

    def vectors(self, clip_id: str, frames: slice = slice(None)) -> np.ndarray:
        """Onset and apex as float32 (2, D): the small onset frame in both, the small flow image in the second alone."""
        image = small(self.images[clip_id])
        onset = small(self.onsets[clip_id]) if clip_id in self.onsets else np.zeros(1, np.float32)
        return np.stack([np.append(onset, np.zeros_like(image)), np.append(onset, image)])[frames]

    def inputs(self, windows: Sequence[Window], frames: int, names: Collection[str]) -> dict[str, np.ndarray]:
        """flow_image uint8 (B, S, S, 3). Copy 1 is the mirror image, u turned about the middle of its range."""
        images = ((self.images[w.clip_id], w.copy) for w in windows)
        stack = np.stack([mirrored_flow_image(image) if copy else image for image, copy in images])
        return {"flow_image": stack} if "flow_image" in names else {}


def flow_image_store(
    clips: Iterable[tuple[str, np.ndarray, np.ndarray, int | None]], config: Clip, folder: Path | None = None
) -> FlowImageStore:
    """Store of (clip_id, frames uint8 (T, S, S, 3), flow from the onset (T - 1, S, S, 2), index of the apex).

    A clip without apex takes the frame of the greatest mean motion from the onset. folder: where onset frames that
    memory shall not hold are kept meanwhile.
    """
    images: dict[str, np.ndarray] = {}
    onsets = Shelf(folder=folder)
    for clip_id, frames, flow, apex in clips:
        if apex is None:
            apex = 1 + int(np.hypot(*np.moveaxis(flow.astype("float32"), -1, 0)).mean(axis=(1, 2)).argmax())
        if apex < 1:
            log.warning(AT_ONSET, clip_id, "the frame after it is taken")
        images[clip_id] = flow_image(flow[max(apex, 1) - 1], config.side or FLOW_SIDE)
        onsets.put(clip_id, frames[0].copy())  # a view would keep the whole clip
    return FlowImageStore(images, onsets)


def flow_image(flow: np.ndarray, side: int) -> np.ndarray:
    """u, v and strain of a field (H, W, 2) in pixels, shrunk, each stretched to 0..255: uint8 (side, side, 3)."""
    stack = flow_stack(flow.astype("float32"), "strain")
    return min_max(np.asarray(cv2.resize(stack, (side, side), interpolation=cv2.INTER_AREA), np.float32))
