"""HIGO-TOP: histograms of image gradient orientation on three orthogonal planes (Li et al., IEEE TAC 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mer_tf.descriptors.base import ClipDescriptor, Features, Grid, at_length
from mer_tf.descriptors.blocks import block_histograms, normalised


@dataclass(kw_only=True, eq=False, repr=False)
class Higo(ClipDescriptor):
    """Directions of grey level gradients in the planes XY, XT and YT in each block: (parts, rows, columns, 3, bins).

    Every voxel has one vote, whatever the length of its gradient, so that light counts less; one without gradient has
    none. The first bin (of 8) begins at +x, so that the sign of a change in time tells two bins apart however small it
    is. Each histogram sums to 1. The votes and planes are Li et al.'s, from memory; the bins and blocks are ours.
    """

    blocks: Grid = (8, 8, 2)
    overlap: float = 0.0
    frames: int = 10
    bins: int = 8

    def describe(self, clip: NDArray[Any]) -> Features:
        along_t, along_y, along_x = np.gradient(at_length(clip, self.frames).astype(np.float32))
        rows, columns, parts = self.blocks
        counts = []
        for down, across in ((along_y, along_x), (along_t, along_x), (along_t, along_y)):
            codes = direction(across, down, self.bins)
            votes = block_histograms(codes, self.bins + 1, (parts, rows, columns), self.overlap)
            counts.append(normalised(votes[..., : self.bins]))
        return np.stack(counts, axis=3).ravel().astype(np.float32)


def direction(across: Any, down: Any, bins: int = 8) -> NDArray[np.int64]:
    """Bin of the direction of gradients, on the full circle from +across towards +down; `bins` where there is none."""
    turn = np.arctan2(down, across) / (2 * np.pi) % 1
    found = np.minimum(np.floor(turn * bins), bins - 1).astype(np.int64)
    return np.where((across == 0) & (down == 0), bins, found)
