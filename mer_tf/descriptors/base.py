"""What every descriptor is: a scikit-learn transformer from a list of clips, of any lengths, to one vector a clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from mer_tf.config import MerError
from mer_tf.preprocessing.interpolate import tim, tim_weights
from mer_tf.preprocessing.normalise import as_pixels

Features = NDArray[np.float32]
Takes = Literal["frames", "flow", "apex"]
Grid = tuple[int, int, int]
"""Blocks: rows, columns, parts in time."""


class ClipDescriptor(TransformerMixin, BaseEstimator):
    """Base of descriptors that learn nothing: `describe` one clip; `transform` stacks the vectors of many."""

    takes: ClassVar[Takes] = "frames"
    """frames: grey uint8 (T, H, W). flow: motion since the onset frame, float (T - 1, H, W, 2), (dx, dy) in pixels.
    apex: the same, of which one entry is used, the strongest; where the apex is known give its own alone (T = 2)."""

    def describe(self, clip: NDArray[Any]) -> Features:
        """The vector (D,) of one clip."""
        raise NotImplementedError

    def placed(self, landmarks: NDArray[np.float64]) -> ClipDescriptor:
        """The descriptor for a clip with these landmarks (68, 2), shares of its square; itself where it uses none."""
        return self

    def fit(self, clips: Sequence[NDArray[Any]], labels: Any = None) -> Self:
        """Nothing is learned."""
        return self

    def transform(self, clips: Sequence[NDArray[Any]]) -> Features:
        """float32 (number of clips, D). `MerError` names the place in the list of a clip that cannot be described."""
        rows = []
        for place, clip in enumerate(clips):
            try:
                rows.append(self.describe(self._checked(np.asarray(clip))))
            except MerError as error:
                raise MerError(f"clip {place}: {error}") from error
        return np.stack(rows)

    def _checked(self, clip: NDArray[Any]) -> NDArray[Any]:
        right = clip.ndim == 3 if self.takes == "frames" else clip.ndim == 4 and clip.shape[-1] == 2
        if not right or not clip.size:
            wanted = "grey frames (T, H, W)" if self.takes == "frames" else "flow (T - 1, H, W, 2)"
            raise MerError(f"{type(self).__name__} takes {wanted}, not {clip.shape}")
        return clip

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def at_length(volume: NDArray[Any], frames: int) -> NDArray[Any]:
    """Frames uint8 (T, ...) interpolated in time (TIM) to `frames`, rounded to uint8; 0: as they are."""
    if not frames or len(volume) == frames:
        return volume
    return as_pixels(tim(volume, frames))


def steps(flow: NDArray[np.floating], frames: int) -> NDArray[np.float32]:
    """Flow from frame to frame, float32 (frames - 1, H, W, 2), of a clip interpolated in time to `frames`; 0: its own.

    flow: motion since the first frame (T - 1, H, W, 2). Steps are differences of it, exact only for motion far below a
    pixel, as is TIM of displacements in place of TIM of images.
    """
    since = np.concatenate([np.zeros_like(flow[:1]), flow]).astype(np.float32)
    if frames and len(since) != frames:
        since = np.tensordot(tim_weights(len(since), frames).astype(np.float32), since, axes=1)
    return np.diff(since, axis=0)


def strongest(flow: NDArray[np.floating]) -> NDArray[np.float32]:
    """The entry (H, W, 2) of motion since the onset (T - 1, H, W, 2) that moves most, the median motion taken off.

    It stands for the apex, which no annotation gives in SMIC.
    """
    field = np.asarray(flow, np.float32)
    rest = field - np.median(field, axis=(1, 2), keepdims=True)
    return field[int(np.hypot(rest[..., 0], rest[..., 1]).mean(axis=(1, 2)).argmax())]
