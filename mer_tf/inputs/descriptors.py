"""The one vector that a classical descriptor makes of each clip, where other models keep images or features."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from mer_tf.config import MerError
from mer_tf.datasets.windows import Window
from mer_tf.descriptors.base import ClipDescriptor, Takes
from mer_tf.inputs.flow_images import AT_ONSET
from mer_tf.inputs.images import small_greys

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DescribedStore:
    """clip_id -> its vector (D,), and the small grey pictures (T, 144) that baselines and probes are given."""

    described: Mapping[str, np.ndarray]
    greys: Mapping[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        return next(iter(self.described.values())).shape

    @property
    def longest(self) -> int:
        return max(map(len, self.greys.values()))

    def length(self, clip_id: str) -> int:
        return len(self.greys[clip_id])

    def vectors(self, clip_id: str, frames: slice = slice(None)) -> np.ndarray:
        """Small grey pictures as vectors, float32 (T, 144)."""
        return self.greys[clip_id][frames]

    def features(self, clips: Sequence[str]) -> np.ndarray:
        return np.stack([self.described[c] for c in clips])

    def inputs(self, windows: Sequence[Window], frames: int, names: Collection[str]) -> dict[str, np.ndarray]:
        """`MerError`: a descriptor describes whole clips and has no windows."""
        raise MerError("classical descriptors describe whole clips, no windows; use clip.test=whole")


def described_store(
    clips: Iterable[tuple[str, np.ndarray, np.ndarray | None, int | None]],
    descriptor: ClipDescriptor | None,
    step: int,
    flow_from: Literal["previous", "onset"],
    fitted: Mapping[str, np.ndarray] | None = None,
) -> DescribedStore:
    """Store of (clip_id, frames uint8 (T, S, S, 3), flow float16 (T - 1, S, S, 2), index of the apex or None).

    Every `step`-th frame is used. Flow from frame to frame is summed to motion since the onset, exact only for motion
    far below a pixel. Without a descriptor vectors are empty. `fitted`: clip_id -> its landmarks (68, 2), shares
    of the square, where there are any.
    """
    described, greys = {}, {}
    for clip_id, frames, flow, apex in clips:
        images = frames[::step]
        greys[clip_id] = small_greys(images)
        try:
            if descriptor is None:
                described[clip_id] = np.zeros(0, np.float32)
                continue
            given = descriptor_input(clip_id, images, flow, apex, descriptor.takes, step, flow_from)
            placed = descriptor.placed(fitted[clip_id]) if fitted else descriptor
            described[clip_id] = placed.transform([given])[0]
        except MerError as error:
            raise MerError(f"{clip_id}: {error}") from error
    return DescribedStore(described, greys)


def descriptor_input(
    clip_id: str,
    images: np.ndarray,
    flow: np.ndarray | None,
    apex: int | None,
    takes: Takes,
    step: int,
    flow_from: Literal["previous", "onset"],
) -> np.ndarray:
    """What a descriptor that takes `takes` is given of a clip: grey frames, or motion since the onset, or at the apex.

    images: every `step`-th frame; flow and the index of the apex: those of all frames.
    """
    if takes == "frames" or flow is None:
        return np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images])
    if apex == 0 and takes == "apex":
        log.warning(AT_ONSET, clip_id, "the frame that moves most is taken")
    motion = flow.astype(np.float32)
    since = (motion if flow_from == "onset" else motion.cumsum(axis=0))[step - 1 :: step]
    place = apex and max(apex // step, 1)
    return since[place - 1 : place] if takes == "apex" and place else since
