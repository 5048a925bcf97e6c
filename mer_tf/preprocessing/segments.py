"""Clips of one length X: which frames of a clip make a segment, after paper A (docs/papers.md)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError

Mode = Literal["center", "sliding"]


def centred(frames: int, length: int) -> NDArray[np.int64]:
    """The `length` frame numbers, from 0, of the centred window of a clip of `frames` frames: int64 (length,).

    A longer clip loses half of the surplus at each end, as paper A prints. A shorter one has its first and its last
    frame repeated, half of the want each: the paper prints that (X - 20) / 2 of the first and last frames are taken,
    the sign reversed, and not that they are repeated. When a number is odd, the smaller half is in front (ours).
    """
    return np.clip(np.arange(length) + segment_starts(frames, length)[0], 0, frames - 1)


def segment_starts(frames: int, length: int, mode: Mode = "center", stride: int = 10) -> list[int]:
    """First frame of every segment (see `segments`); below 0 where the first frame of a short clip is repeated."""
    _check(frames, length)
    if mode not in ("center", "sliding"):
        raise MerError(f"segments: {mode!r} is unknown; use center or sliding")
    if mode == "center" or frames <= length:
        return [(frames - length) // 2 if frames >= length else -((length - frames) // 2)]
    if stride < 1:
        raise MerError(f"segments: the stride must be 1 or more frames, not {stride}")
    return sorted({*range(0, frames - length + 1, stride), frames - length})


def segments(frames: int, length: int, mode: Mode = "center", stride: int = 10) -> NDArray[np.int64]:
    """Frame numbers of every segment of a clip: int64 (S, length), S = 1 for `center` and for clips no longer than it.

    sliding: segments start every `stride` frames (the paper cuts clips into segments to have more, but prints no
    stride), and one more ends on the last frame where they do not, so that no frame is lost.
    """
    starts = np.array(segment_starts(frames, length, mode, stride))
    return np.asarray(np.clip(starts[:, None] + np.arange(length), 0, frames - 1))


def spatial_frames(segment: NDArray[np.int64]) -> NDArray[np.int64]:
    """Frames (..., X) that stand beside the X - 1 flow images t to t + 1: all but the last, (..., X - 1).

    The paper has 19 spatial and 19 temporal images of 20 frames and does not say which frame is left out.
    """
    return segment[..., :-1]


def _check(frames: int, length: int) -> None:
    if frames < 1 or length < 1:
        raise MerError(f"a segment of {length} frames cannot be cut from a clip of {frames}")
