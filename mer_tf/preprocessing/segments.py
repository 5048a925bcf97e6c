"""Clips of one length X: which frames of a clip make a segment, after paper A (docs/papers.md)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Short = Literal["ends", "several"]
"""What fills a clip that is shorter than a segment: its first and last frame, or several of them (`several`)."""


def segment_starts(frames: int, length: int, mode: Literal["center", "sliding"], stride: int) -> list[int]:
    """First frame, from 0, of every segment of `length` frames; below 0 where a short clip's first frame is repeated.

    center: one segment. A longer clip loses half of the surplus at each end, as paper A prints. A shorter one has its
    first and its last frame repeated, half of the want each: the paper prints that (X - 20) / 2 of the first and last
    frames are taken, the sign reversed, and not that they are repeated. When a number is odd, the smaller half is in
    front (ours).

    sliding: segments start every `stride` frames (the paper cuts clips into segments to have more, but prints no
    stride), and one more ends on the last frame where they do not, so that no frame is lost; a clip that is no longer
    than a segment has the one in its middle.
    """
    if mode == "center" or frames <= length:
        return [(frames - length) // 2 if frames >= length else -((length - frames) // 2)]
    return sorted({*range(0, frames - length + 1, stride), frames - length})


def several(frames: int, length: int) -> NDArray[np.int64]:
    """Frame numbers of a shorter clip by the other reading of paper A's words, which have no number: int64 (length,).

    So many of its first frames and so many of its last are taken once more, before and behind the clip, in their
    order; over and over where the clip has not so many. When a number is odd, the smaller half is in front (ours).
    """
    front, back = (length - frames) // 2, (length - frames + 1) // 2
    return np.concatenate([np.arange(front), np.arange(frames), np.arange(-back, 0)]) % frames
