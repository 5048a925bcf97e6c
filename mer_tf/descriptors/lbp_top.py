"""LBP-TOP: local binary patterns on three orthogonal planes (Zhao & Pietikäinen, PAMI 2007)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mer_tf.descriptors.base import ClipDescriptor, Features, Grid, at_length
from mer_tf.descriptors.blocks import block_histograms, normalised
from mer_tf.descriptors.codes import Interpolation, Mapping, Plane, bins_of, pattern_codes

T, Y, X = 0, 1, 2


def three_planes(radii: Sequence[int], points: int) -> tuple[Plane, Plane, Plane]:
    """XY, XT and YT of a volume (T, H, W), radii (Rx, Ry, Rt); time runs along the rows of the latter two."""
    rx, ry, rt = radii
    return Plane(Y, ry, X, rx, points), Plane(T, rt, X, rx, points), Plane(T, rt, Y, ry, points)


@dataclass(kw_only=True, eq=False, repr=False)
class LbpTop(ClipDescriptor):
    """Histograms of the patterns of the planes XY, XT and YT in each block: (parts, rows, columns, 3, bins), flat.

    Codes are taken of all voxels that have their neighbours in every plane, over the whole volume; blocks divide these
    voxels evenly (Zhao's code cuts blocks first and loses a border in each). Each histogram sums to 1.
    Defaults: Li et al., FG 2013, on SMIC: 8 x 8 x 1 blocks, P = 8, TIM to 10 frames. CASME II (Yan et al. 2014): blocks
    5 x 5 x 1, radii (1, 1, 4), P = 4; its clips are best left as they were recorded (frames=0), since a radius in time
    of 4 leaves two of ten frames.
    """

    blocks: Grid = (8, 8, 1)
    overlap: float = 0.0
    radii: tuple[int, int, int] = (3, 3, 3)
    points: int = 8
    mapping: Mapping = "u2"
    interpolation: Interpolation = "rounded"
    frames: int = 10

    def describe(self, clip: NDArray[Any]) -> Features:
        return self.histograms(at_length(clip, self.frames))

    def histograms(self, volume: NDArray[Any]) -> Features:
        """Those of a volume (T, H, W) of any values."""
        rx, ry, rt = self.radii
        rows, columns, parts = self.blocks
        table, bins = bins_of(self.points, self.mapping)
        counts = []
        for plane in three_planes(self.radii, self.points):
            codes = table[pattern_codes(volume, plane, (rt, ry, rx), self.interpolation)]
            counts.append(normalised(block_histograms(codes, bins, (parts, rows, columns), self.overlap)))
        return np.stack(counts, axis=3).ravel().astype(np.float32)
