"""Optical strain: how much the skin stretches and shears, whatever the head does as a whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def optical_strain(flow: NDArray[np.floating]) -> NDArray[np.float32]:
    """Magnitude of the symmetric gradient of flow (..., H, W, 2), (dx, dy) in pixels: float32 (..., H, W), no unit.

    With e = (grad u + grad u^T) / 2 it is sqrt(exx^2 + eyy^2 + exy^2 + eyx^2): all four terms, so the shear counts
    twice (Shreve et al., FG 2011; Liong et al., ACCV workshop 2014). Central differences, one-sided at the border, per
    pixel. A shift gives 0, a turn by a small angle a about a^2 / sqrt 2.
    """
    field = np.asarray(flow, np.float32)
    ux, uy = np.gradient(field[..., 0], axis=(-1, -2))
    vx, vy = np.gradient(field[..., 1], axis=(-1, -2))
    shear = (uy + vx) / 2
    return np.asarray(np.sqrt(ux**2 + vy**2 + 2 * shear**2), np.float32)
