"""LBP of the re-parametrised second-order Gaussian jet (Ruiz-Hernandez & Pietikäinen, FG 2013)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mer_tf.descriptors.base import Features, at_length
from mer_tf.descriptors.lbp_top import LbpTop


@dataclass(kw_only=True, eq=False, repr=False)
class GaussianJetLbp(LbpTop):
    """LBP-TOP of three maps of every frame, `structure`, in place of grey levels: their vectors, one after the other.

    That LBP encodes the re-parametrised jet is the paper's; which maps it takes, and the settings, are inferred: the
    three angles of Griffin's local image structure (PAMI 2007), which neither light nor contrast changes.
    """

    sigma: float = 1.0

    def describe(self, clip: NDArray[Any]) -> Features:
        volume = at_length(clip, self.frames).astype(np.float32)
        return np.concatenate([self.histograms(angle) for angle in structure(volume, self.sigma)])


def structure(volume: NDArray[np.floating], sigma: float) -> NDArray[np.float32]:
    """Three angles of the second-order jet of every frame of (T, H, W) at the scale `sigma`: float32 (3, T, H, W).

    Of the gradient g, the Laplacian l and the length c of the rest of the Hessian, each times its power of sigma: how
    far l exceeds the others, how far c exceeds g, and the angle between the gradient and the axis of the Hessian,
    0 to pi / 2.
    """
    # Differences of the smoothed frame: sampled derivatives of the Gaussian do not sum to 0, and would see its light.
    smooth = gaussian_filter(np.asarray(volume, np.float64), (0, sigma, sigma))
    dy, dx = (sigma * one for one in np.gradient(smooth, axis=(1, 2)))
    (xy, xx), yy = (sigma * np.array(np.gradient(dx, axis=(1, 2)))), sigma * np.gradient(dy, axis=1)
    slope, saddle = 2 * np.hypot(dx, dy), np.hypot(xx - yy, 2 * xy)
    between = np.arctan2(dy, dx) - np.arctan2(2 * xy, xx - yy) / 2
    folded = np.arctan2(np.abs(np.sin(between)), np.abs(np.cos(between)))
    angles = np.arctan2(xx + yy, np.hypot(slope, saddle)), np.arctan2(saddle, slope), folded
    return np.stack(angles).astype(np.float32)
