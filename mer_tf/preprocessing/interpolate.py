"""Temporal interpolation (TIM): a clip of n frames sampled anew at m places of one smooth curve through them.

Pfister et al., ICCV 2011 (after Zhou et al., CVPR 2011) embed the frames as a path graph: eigenvector k of its
Laplacian is a cosine y_k(t) = sin(pi k t + pi (n - k) / (2 n)) at t = 1/n, 2/n, .., 1, continued to every t between. A
linear map learnt from the frames leads from that curve back to pixels; it needs a singular value decomposition and
linearly independent frames. The eigenvectors are orthogonal and span all that the centred frames can be, so the map has
a closed form: every new frame is a fixed weighting of the old ones, the interpolation of the discrete cosine transform
(DCT-II). The weights serve any frames, equal ones as well, and agree with the original algorithm to rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError


def tim_weights(frames: int, wanted: int) -> NDArray[np.float64]:
    """Weights (wanted, frames) of the old frames in each new one; every row sums to 1, m = n gives the identity."""
    if frames < 2 or wanted < 2:
        raise MerError(f"temporal interpolation needs 2 frames or more on both sides, not {frames} and {wanted}")
    old = np.arange(1, frames + 1) / frames
    new = np.linspace(1 / frames, 1, wanted)
    return 1 / frames + 2 / frames * _curve(new, frames) @ _curve(old, frames).T


def tim(frames: NDArray[np.generic], wanted: int) -> NDArray[np.float64]:
    """Frames (n, ...) at `wanted` even places from the first to the last: float64 (wanted, ...)."""
    values = np.asarray(frames, np.float64)
    return np.tensordot(tim_weights(len(values), wanted), values, axes=1)


def tim_places(frames: int, wanted: int) -> NDArray[np.float64]:
    """Where the new frames lie among the old ones, counted from 0: float64 (wanted,)."""
    return np.linspace(0, frames - 1, wanted)


def _curve(t: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Eigenvectors 1 .. n - 1 of the path graph, continued to `t`: (len(t), n - 1)."""
    k = np.arange(1, n)
    return np.asarray(np.sin(np.pi * k * t[:, None] + np.pi * (n - k) / (2 * n)))
