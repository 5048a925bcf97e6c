"""Bi-WOOF: bi-weighted oriented optical flow of the apex alone (Liong et al., Signal Processing: Image Comm. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mer_tf.descriptors.base import ClipDescriptor, Features, Grid, Takes, strongest
from mer_tf.descriptors.blocks import block_sums
from mer_tf.descriptors.hoof import BINS, oriented
from mer_tf.preprocessing.strain import optical_strain


@dataclass(kw_only=True, eq=False, repr=False)
class BiWoof(ClipDescriptor):
    """Directions of onset-to-apex flow, weighted by its length, times the mean strain of the block: flat.

    (rows, columns, 8). Local weight: the length of each vector; global weight: the mean optical strain of the block.
    The apex is the entry that moves most (`strongest`); the paper takes the annotated one where there is one. The
    vector is scaled to sum 1, since the product of two amplitudes otherwise is one of the clip's strength above all.
    """

    takes: ClassVar[Takes] = "apex"

    blocks: Grid = (5, 5, 1)

    def describe(self, clip: NDArray[Any]) -> Features:
        apex, grid = strongest(clip), self.blocks[:2]
        pixels = block_sums(np.ones((*apex.shape[:2], 1), np.float32), grid)
        histograms = block_sums(oriented(apex, BINS), grid) / pixels
        strain = block_sums(optical_strain(apex)[..., None], grid) / pixels
        weighted = (histograms * strain).ravel()
        return np.asarray(weighted / (weighted.sum() or 1), np.float32)
