"""HOOF: histograms of oriented optical flow (Chaudhry et al., CVPR 2009)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mer_tf.descriptors.base import ClipDescriptor, Features, Grid, Takes, steps
from mer_tf.descriptors.blocks import block_sums, normalised

BINS = 8


@dataclass(kw_only=True, eq=False, repr=False)
class Hoof(ClipDescriptor):
    """Directions of frame-to-frame flow, weighted by its length, in each block: (parts, rows, columns, bins), flat.

    Each histogram sums to 1. Its bins (8) are of the full circle, the first centred on +x, as Verburg & Menkovski 2019
    have them for expressions; the original counts left and right as one.
    """

    takes: ClassVar[Takes] = "flow"

    blocks: Grid = (5, 5, 1)
    overlap: float = 0.0
    frames: int = 0
    bins: int = BINS

    def describe(self, clip: NDArray[Any]) -> Features:
        flow, (rows, columns, parts) = steps(clip, self.frames), self.blocks
        sums = block_sums(oriented(flow, self.bins), (parts, rows, columns), self.overlap)
        return normalised(sums).ravel().astype(np.float32)


def direction_bins(flow: NDArray[np.floating], bins: int) -> NDArray[np.int64]:
    """Bin of the direction of vectors (..., 2) on the full circle; bin 0 is centred on +x, bin 1 turned towards +y."""
    angle = np.arctan2(flow[..., 1], flow[..., 0])
    return np.floor(angle * bins / (2 * np.pi) + 0.5).astype(np.int64) % bins


def oriented(flow: NDArray[np.floating], bins: int) -> NDArray[np.float32]:
    """The length of each vector (..., 2) in the place of its direction: float32 (..., bins), else 0."""
    lengths = np.hypot(flow[..., 0], flow[..., 1])
    laid = np.zeros((*lengths.shape, bins), np.float32)
    places = direction_bins(flow, bins)[..., None]
    np.put_along_axis(laid, places, lengths[..., None].astype(np.float32), axis=-1)
    return laid
