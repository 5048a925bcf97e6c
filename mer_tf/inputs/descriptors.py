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
from mer_tf.descriptors.base import ClipDescriptor
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
        """Shape of a clip's vector."""
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
        """Vectors (clips, D)."""
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
            if apex == 0 and descriptor is not None and descriptor.takes == "apex":
                log.warning(AT_ONSET, clip_id, "the frame that moves most is taken")
            since = None if flow is None else _since_onset(flow, flow_from)[step - 1 :: step]
            placed = descriptor.placed(fitted[clip_id]) if descriptor and fitted else descriptor
            described[clip_id] = _described(images, since, apex and max(apex // step, 1), placed)
        except MerError as error:
            raise MerError(f"{clip_id}: {error}") from error
    return DescribedStore(described, greys)


def _described(
    images: np.ndarray, flow: np.ndarray | None, apex: int | None, descriptor: ClipDescriptor | None
) -> np.ndarray:
    if descriptor is None:
        return np.zeros(0, np.float32)
    if descriptor.takes == "frames" or flow is None:
        return descriptor.transform([np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images])])[0]
    return descriptor.transform([flow[apex - 1 : apex] if descriptor.takes == "apex" and apex else flow])[0]


def _since_onset(flow: np.ndarray, flow_from: str) -> np.ndarray:
    """Motion from the first frame to each other one, float32."""
    since = flow.astype(np.float32)
    return since if flow_from == "onset" else since.cumsum(axis=0)
