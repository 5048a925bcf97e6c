"""STLBP-IP: spatiotemporal local binary patterns with integral projection (Huang et al., ICCV Workshops 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mer_tf.descriptors.base import ClipDescriptor, Features, Grid, at_length
from mer_tf.descriptors.blocks import block_edges, block_histograms, normalised
from mer_tf.descriptors.codes import Plane, bins_of, packed, pattern_codes


@dataclass(kw_only=True, eq=False, repr=False)
class StlbpIp(ClipDescriptor):
    """Patterns of the projections of difference images D_t = I_t - I_1: (rows, columns, 2 * 2^(mask - 1) + 118), flat.

    Projections of a block are its sums along x and along y. Space: 1-D patterns of each projection, a bit for each
    position of the mask around the centre, counted over time. Time: the projections of all frames side by side are
    two images, of which come LBP of 8 points, u2. Each of the four histograms sums to 1. One block gives the 630 bins
    of the published code at mask 9. Readings: differences keep their sign; the paper prints neither the blocks (here
    rows and columns; one part in time) nor the radii of the motion images.
    """

    blocks: Grid = (4, 4, 1)
    radii: tuple[int, int, int] = (1, 1, 2)
    frames: int = 10
    mask: int = 9

    def describe(self, clip: NDArray[Any]) -> Features:
        volume = at_length(clip, self.frames).astype(np.int64)
        moved = volume[1:] - volume[0]
        (rx, ry, rt), (rows, columns, _) = self.radii, self.blocks
        of_rows, of_columns = _projected(moved, 2, columns), _projected(moved, 1, rows)
        found = [
            self._space(of_rows, rows).swapaxes(0, 1),
            self._space(of_columns, columns),
            self._time(of_columns, (rt, rx), columns),
            self._time(of_rows, (rt, ry), rows).swapaxes(0, 1),
        ]
        return np.concatenate(found, axis=-1).ravel().astype(np.float32)

    def _space(self, lines: NDArray[np.int64], along: int) -> NDArray[np.float64]:
        """1-D patterns of lines (K, T, L), counted over time in each of `along` parts: (K, along, 2^8)."""
        reach, length = self.mask // 2, lines.shape[-1]
        offsets = [o for o in range(-reach, reach + 1) if o]
        centre = lines[..., reach : length - reach]
        shifted = (lines[..., reach + o : length - reach + o] for o in offsets)
        codes = packed((s >= centre for s in shifted), len(offsets))
        return normalised(block_histograms(codes, 2 ** len(offsets), (len(lines), 1, along)))[:, 0]

    def _time(self, lines: NDArray[np.int64], radii: tuple[int, int], along: int) -> NDArray[np.float64]:
        """LBP of the images (T, L) that lines (K, T, L) make: (K, along, 59)."""
        table, bins = bins_of(8, "u2")
        codes = table[pattern_codes(lines, Plane(1, radii[0], 2, radii[1], 8), (0, *radii))]
        return normalised(block_histograms(codes, bins, (len(lines), 1, along)))[:, 0]


def _projected(moved: NDArray[np.int64], axis: int, parts: int) -> NDArray[np.int64]:
    """Sums along `axis` within each of `parts` blocks of differences (T, H, W): (parts, T, the other axis)."""
    edges = block_edges(moved.shape[axis], parts)
    return np.stack([moved.take(range(start, stop), axis=axis).sum(axis=axis) for start, stop in edges])
