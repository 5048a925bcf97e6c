"""HOOF: histograms of oriented optical flow (Chaudhry et al., CVPR 2009)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mer_tf.descriptors.base import ClipDescriptor, Features, Grid, Takes, steps
from mer_tf.descriptors.blocks import block_sums, normalised


class Hoof(ClipDescriptor):
    """Directions of frame-to-frame flow, weighted by its length, in each block: (parts, rows, columns, bins), flat.

    Each histogram sums to 1. `symmetric`: the original, which counts left and right as one, bins from straight up to
    straight down; else (for expressions, as Verburg & Menkovski 2019) bins of the full circle, the first centred on +x.
    """

    takes: ClassVar[Takes] = "flow"

    def __init__(
        self, *, blocks: Grid = (5, 5, 1), overlap: float = 0.0, bins: int = 8, symmetric: bool = False, frames: int = 0
    ) -> None:
        self.blocks, self.overlap, self.bins = blocks, overlap, bins
        self.symmetric, self.frames = symmetric, frames

    def describe(self, clip: NDArray[Any]) -> Features:
        flow, (rows, columns, parts) = steps(clip, self.frames), self.blocks
        spread = oriented(flow, self.bins, symmetric=self.symmetric)
        return normalised(block_sums(spread, (parts, rows, columns), self.overlap)).ravel().astype(np.float32)


def direction_bins(flow: NDArray[np.floating], bins: int) -> NDArray[np.int64]:
    """Bin of the direction of vectors (..., 2) on the full circle; bin 0 is centred on +x, bin 1 turned towards +y."""
    angle = np.arctan2(flow[..., 1], flow[..., 0])
    return np.floor(angle * bins / (2 * np.pi) + 0.5).astype(np.int64) % bins


def oriented(flow: NDArray[np.floating], bins: int, *, symmetric: bool = False) -> NDArray[np.float32]:
    """The length of each vector (..., 2) in the place of its direction: float32 (..., bins), else 0."""
    if symmetric:
        up = np.arctan2(-flow[..., 1], np.abs(flow[..., 0])) / np.pi + 0.5
        places = np.minimum((up * bins).astype(np.int64), bins - 1)
    else:
        places = direction_bins(flow, bins)
    return spread(np.hypot(flow[..., 0], flow[..., 1]), places, bins)


def spread(values: NDArray[np.floating], places: NDArray[np.int64], bins: int) -> NDArray[np.float32]:
    """Values (...) laid into the last axis at their place: float32 (..., bins)."""
    laid = np.zeros((*values.shape, bins), np.float32)
    np.put_along_axis(laid, places[..., None], values[..., None].astype(np.float32), axis=-1)
    return laid
