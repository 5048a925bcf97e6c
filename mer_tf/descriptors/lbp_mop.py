"""LBP-MOP: local binary patterns of mean orthogonal planes (Wang et al., PLoS ONE 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import wiener

from mer_tf.descriptors.base import ClipDescriptor, Features, Grid, at_length
from mer_tf.descriptors.blocks import block_histograms, block_sums, normalised
from mer_tf.descriptors.codes import Interpolation, Mapping, Plane, bins_of, pattern_codes

FIRST, SECOND = 1, 2


@dataclass(kw_only=True, eq=False, repr=False)
class LbpMop(ClipDescriptor):
    """Patterns of each block's mean planes XY, XT and YT: 3 x 59 bins a block for P = 8 and u2, flat.

    Blocks: rows and columns; there is one part in time. Reading: the mean over y is taken of each row of blocks, that
    over x of each column of blocks, so that a mean plane is that of its block, while neighbours may lie in the next
    block. `wiener`: side of the adaptive filter that is applied to each frame before, 0 for none (3 helps in the
    paper).
    """

    blocks: Grid = (5, 5, 1)
    radii: tuple[int, int, int] = (1, 1, 2)
    points: int = 8
    mapping: Mapping = "u2"
    interpolation: Interpolation = "bilinear"
    frames: int = 10
    wiener: int = 3

    def describe(self, clip: NDArray[Any]) -> Features:
        volume, (rx, ry, rt) = self._filtered(at_length(clip, self.frames)), self.radii
        rows, columns, _ = self.blocks
        xy = volume.sum(axis=0)[None]
        by_row = block_sums(np.moveaxis(volume, 1, 0).reshape(volume.shape[1], -1), (rows,))
        by_column = block_sums(np.moveaxis(volume, 2, 0).reshape(volume.shape[2], -1), (columns,))
        xt = by_row.reshape(rows, volume.shape[0], volume.shape[2])
        yt = by_column.reshape(columns, volume.shape[0], volume.shape[1])
        found = [
            self._counted(xy, (ry, rx), (1, rows, columns))[0],
            self._counted(xt, (rt, rx), (rows, 1, columns))[:, 0],
            self._counted(yt, (rt, ry), (columns, 1, rows))[:, 0].swapaxes(0, 1),
        ]
        return np.stack(found, axis=2).ravel().astype(np.float32)

    def _filtered(self, volume: NDArray[Any]) -> NDArray[np.float64]:
        values = volume.astype(np.float64)
        if not self.wiener:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            smooth = wiener(values, (1, self.wiener, self.wiener))
        return np.where(np.isfinite(smooth), smooth, values)  # 0 / 0 where a whole clip is flat

    def _counted(self, planes: NDArray[Any], radii: tuple[int, int], blocks: Grid) -> NDArray[np.float64]:
        """Histograms (*blocks, bins) of planes (K, rows, columns)."""
        table, bins = bins_of(self.points, self.mapping)
        plane = Plane(FIRST, radii[0], SECOND, radii[1], self.points)
        codes = table[pattern_codes(planes, plane, (0, *radii), self.interpolation)]
        return normalised(block_histograms(codes, bins, blocks))
