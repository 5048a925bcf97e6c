"""Grey levels of a clip brought to one range, the same way in all its frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def stretched(frames: NDArray[np.generic]) -> NDArray[np.float64]:
    """Frames (T, H, W, 3) with the darkest value of the clip at 0 and the brightest at 255: float64, same shape.

    One map for all frames and channels: a map for each frame would turn a passing highlight into motion. A flat clip
    becomes 0.
    """
    values = np.asarray(frames, np.float64)
    low, high = float(values.min()), float(values.max())
    return (values - low) * (255 / (high - low) if high > low else 0.0)


def as_pixels(frames: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Values rounded and cut to 0 .. 255: uint8, same shape."""
    return np.clip(np.round(frames), 0, 255).astype(np.uint8)
