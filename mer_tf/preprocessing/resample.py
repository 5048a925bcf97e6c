"""Another frame rate, by the clock: data sets have 25 to 200 frames a second, and flow per frame differs as much."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError


def resampled_places(frames: int, fps: float, wanted: float) -> NDArray[np.float64]:
    """Places among the old frames, counted from 0, that lie 1 / `wanted` seconds apart: float64 (m,), from 0 on.

    The last one does not go beyond the last frame, so a clip never gets longer in seconds.
    """
    if not (fps > 0 and wanted > 0):
        raise MerError(f"frame rates must be positive, not {fps} and {wanted} frames a second")
    step = fps / wanted
    count = int(np.floor((frames - 1) / step + 1e-9)) + 1
    return np.minimum(np.arange(count) * step, frames - 1)


def at_places(frames: NDArray[np.generic], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frames (n, ...) at fractional places (m,), linear between neighbours: float64 (m, ...).

    A whole number gives that frame unchanged, so halving the rate merely leaves every second frame out.
    """
    values = np.asarray(frames, np.float64)
    first = np.floor(places).astype(int)
    second = np.minimum(first + 1, len(values) - 1)
    share = (places - first).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray((1 - share) * values[first] + share * values[second])
