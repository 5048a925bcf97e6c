"""LBP-SIP: local binary patterns of six intersection points (Wang et al., ACCV 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mer_tf.descriptors.base import ClipDescriptor, Features, Grid, at_length
from mer_tf.descriptors.blocks import block_histograms, normalised
from mer_tf.descriptors.codes import Plane, pattern_codes
from mer_tf.descriptors.lbp_top import T, X, Y


@dataclass(kw_only=True, eq=False, repr=False)
class LbpSip(ClipDescriptor):
    """The six different neighbours of LBP-TOP with four points a plane: 20 bins a block, flat.

    The four in space make 16 patterns, the two in time 4. Each of both histograms sums to 1. Blocks as in LBP-TOP.
    """

    blocks: Grid = (8, 8, 1)
    overlap: float = 0.0
    radii: tuple[int, int, int] = (1, 1, 2)
    frames: int = 10

    def describe(self, clip: NDArray[Any]) -> Features:
        volume, (rx, ry, rt) = at_length(clip, self.frames), self.radii
        rows, columns, parts = self.blocks
        counts = []
        for plane in (Plane(Y, ry, X, rx, 4), Plane(Y, 0, T, rt, 2)):
            codes = pattern_codes(volume, plane, (rt, ry, rx))
            found = block_histograms(codes, 2**plane.points, (parts, rows, columns), self.overlap)
            counts.append(normalised(found))
        return np.concatenate(counts, axis=-1).ravel().astype(np.float32)
